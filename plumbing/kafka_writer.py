"""Durable writing: kafka-python's producer in one thread behind a queue bounded in bytes.

``send()`` may block for seconds (metadata, a full buffer), so it never runs on the event loop.
Confirmations come back to the loop in batches: one wake-up for all that arrived meanwhile.
"""

import asyncio
import threading
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError, MessageSizeTooLargeError

from plumbing import log
from plumbing.byte_gate import RECORD_BYTES_MAX, ByteGate, bytes_of
from plumbing.clock import Clock, SystemClock
from plumbing.errors import MalformedEvent, Unavailable
from plumbing.event_log import Output
from plumbing.kafka_connection import KafkaConnection
from plumbing.kafka_metrics import RECORDS_WRITTEN, WRITE_SECONDS, WRITES_FAILED
from plumbing.partition import partition_of

BATCH_BYTES = 256 * 1024
METADATA_WAIT_MS = 2_000
CLOSE_WAIT_S = 10.0

_log = log.get("kafka_writer")


@dataclass(slots=True, eq=False)
class _Pending:
    """One call of ``write`` on its way. ``unsettled`` counts down from the last record."""

    outputs: Sequence[Output]
    bytes: int
    confirmed: "asyncio.Future[tuple[int, ...]]"
    sent: list[Any] = field(default_factory=list)
    unsettled: int = 0
    error: BaseException | None = None


class KafkaWriter:
    """An ``EventWriter`` on Kafka: acks=all, idempotent, order kept per key."""

    def __init__(
        self,
        connection: KafkaConnection,
        *,
        bytes_max: int = 32 * 1024 * 1024,
        delivery_timeout_s: float = 20.0,
        linger_ms: int = 5,
        clock: Clock | None = None,
    ) -> None:
        """Start the thread; Kafka is first reached at the first write."""
        self.healthy = True
        self._clock = clock or SystemClock()
        self._gate = ByteGate(bytes_max)
        self._loop = asyncio.get_running_loop()
        self._queue: SimpleQueue[_Pending | None] = SimpleQueue()
        self._settled: deque[_Pending] = deque()
        self._waking = False
        self._closed = False
        self._broken = False
        self._producer: Any = None
        self._options = {
            **connection.options(),
            "metrics_enabled": False,
            "acks": "all",
            "enable_idempotence": True,
            "linger_ms": linger_ms,
            "batch_size": BATCH_BYTES,
            "max_request_size": RECORD_BYTES_MAX,
            "max_block_ms": METADATA_WAIT_MS,
            "request_timeout_ms": int(delivery_timeout_s * 400),
            "delivery_timeout_ms": int(delivery_timeout_s * 1000),
            "allow_auto_create_topics": False,
        }
        self._thread = threading.Thread(target=self._run, name="kafka-writer", daemon=True)
        self._thread.start()

    async def write(self, outputs: Sequence[Output]) -> tuple[int, ...]:
        """Return the offsets once every record is confirmed, in the order given.

        Raises ``Unavailable`` when not confirmed in time, ``MalformedEvent("too_large")`` when
        Kafka would never take one of the records (then none was written).
        """
        if self._closed:
            raise Unavailable("the writer is closed")
        if not outputs:
            return ()
        began_s = self._clock.monotonic_s()
        size = bytes_of(outputs)
        confirmed: asyncio.Future[tuple[int, ...]] = self._loop.create_future()
        await self._gate.enter(size)  # first come, first written: a key's order across calls
        self._queue.put(_Pending(outputs, size, confirmed))
        offsets = await confirmed
        WRITE_SECONDS.observe(self._clock.monotonic_s() - began_s)
        return offsets

    async def close(self) -> None:
        """Flush what was handed in, then close."""
        if self._closed:
            return
        self._closed = True
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)
        self._hand_back()

    # --- in the writer's thread ---

    def _run(self) -> None:
        while (pending := self._queue.get()) is not None:
            try:
                self._ensure_producer()
            except (KafkaError, OSError) as error:
                self._fail_all(pending, error)
                continue
            try:
                self._send(pending)
            except Exception as error:  # noqa: BLE001 - its fate is decided in _failure_of
                pending.error = error
                self._finish(pending)
        if self._producer is not None:
            self._producer.close(timeout=CLOSE_WAIT_S)

    def _ensure_producer(self) -> None:
        if self._broken and self._producer is not None:
            # Its sequence numbers may have a hole now; what it still holds fails and is retried.
            self._producer.close(timeout=1)
            self._producer = None
        self._broken = False
        if self._producer is None:
            self._producer = KafkaProducer(**self._options)

    def _send(self, pending: _Pending) -> None:
        producer = self._producer
        counts: dict[str, int] = {}
        for output in pending.outputs:
            topic, key, partition = output.topic, output.key, output.partition
            if partition is None and key is not None:
                if topic not in counts:
                    counts[topic] = len(producer.partitions_for(topic))
                partition = partition_of(key, counts[topic])
            pending.sent.append(
                producer.send(
                    topic,
                    value=output.value,
                    key=key,
                    headers=list(output.headers),
                    partition=partition,
                )
            )
        pending.unsettled = len(pending.sent)
        self._settle(pending)

    def _fail_all(self, pending: _Pending, error: BaseException) -> None:
        """Fail everything that waits: each would find the same absent broker, seconds later."""
        waiting: _Pending | None = pending
        while waiting is not None:
            waiting.error = error
            self._finish(waiting)
            try:
                waiting = self._queue.get_nowait()
            except Empty:
                return
        self._queue.put(None)  # the closing mark was taken out: put it back

    # --- in the writer's thread or in the producer's own ---

    def _settle(self, pending: _Pending, _result: object = None) -> None:
        """Finish ``pending``, or wait for the last of its records that is still on its way.

        Watching one record at a time, from the last, costs one callback per batch of the
        producer instead of two per record.
        """
        while pending.unsettled:
            delivery = pending.sent[pending.unsettled - 1]
            if not delivery.is_done:
                delivery.add_callback(self._settle, pending)
                delivery.add_errback(self._settle, pending)
                return
            pending.unsettled -= 1
            if delivery.exception is not None:
                pending.error = delivery.exception
        self._finish(pending)

    def _finish(self, pending: _Pending) -> None:
        if pending.error is not None and not isinstance(pending.error, MessageSizeTooLargeError):
            self._broken = True
        self._settled.append(pending)
        if not self._waking and not self._loop.is_closed():
            self._waking = True
            self._loop.call_soon_threadsafe(self._hand_back)

    # --- on the event loop ---

    def _hand_back(self) -> None:
        self._waking = False
        while self._settled:
            pending = self._settled.popleft()
            self._gate.leave(pending.bytes)
            self._resolve(pending)

    def _resolve(self, pending: _Pending) -> None:
        error = pending.error
        self.healthy = error is None or isinstance(error, MessageSizeTooLargeError)
        if error is None:
            for topic, count in Counter(output.topic for output in pending.outputs).items():
                RECORDS_WRITTEN.labels(topic).inc(count)
            if not pending.confirmed.done():
                pending.confirmed.set_result(tuple(d.value.offset for d in pending.sent))
            return
        WRITES_FAILED.inc()
        _log.warning("write failed", error=error, count=len(pending.outputs))
        if not pending.confirmed.done():
            pending.confirmed.set_exception(_failure_of(error))


def _failure_of(error: BaseException) -> Exception:
    if isinstance(error, MessageSizeTooLargeError):
        return MalformedEvent("too_large")
    if isinstance(error, (KafkaError, OSError)):
        return Unavailable("not confirmed by Kafka")
    # A wrong argument (TypeError, ValueError) is our own mistake: the caller crashes.
    return error if isinstance(error, Exception) else RuntimeError("writer thread stopped")
