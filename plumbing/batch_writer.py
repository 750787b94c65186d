"""Durable writing for stream stages: whole batches through aiokafka's compiled record builder.

A stage writes about as many records as it reads, in large groups, so the cost per record decides
its rate: 3 to 5 us here, 26 to 40 us through kafka-python's ``send`` (docs/decisions/0002).
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Coroutine, Sequence
from itertools import count
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from plumbing import log
from plumbing.byte_gate import RECORD_BYTES_MAX, ByteGate, bytes_of
from plumbing.clock import Clock, SystemClock
from plumbing.errors import MalformedEvent, Unavailable
from plumbing.event_log import Output
from plumbing.kafka_batches import (
    BATCH_BYTES,
    GRACE_S,
    abandon,
    append,
    hand_in,
    partition_count,
    stop,
)
from plumbing.kafka_connection import KafkaConnection
from plumbing.kafka_metrics import RECORDS_WRITTEN, WRITE_SECONDS, WRITES_FAILED
from plumbing.partition import partition_of

_log = log.get("batch_writer")
_Place = tuple[str, int]


class BatchWriter:
    """An ``EventWriter`` on Kafka: acks=all, idempotent, order kept per key."""

    def __init__(
        self,
        connection: KafkaConnection,
        *,
        bytes_max: int = 32 * 1024 * 1024,
        delivery_timeout_s: float = 20.0,
        clock: Clock | None = None,
    ) -> None:
        """Keep the settings; Kafka is first reached at the first write."""
        self.healthy = True
        self._clock = clock or SystemClock()
        self._gate = ByteGate(bytes_max)
        self._delivery_timeout_s = delivery_timeout_s
        self._producer: Any = None
        self._order = asyncio.Lock()
        self._queues: defaultdict[_Place, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._partition_counts: dict[str, int] = {}
        self._keyless = count()
        self._retired: set[asyncio.Task[None]] = set()
        self._closed = False
        context = connection.ssl_context
        self._options = {
            "bootstrap_servers": connection.bootstrap.split(","),
            "security_protocol": "PLAINTEXT" if context is None else "SSL",
            "ssl_context": context,
            "acks": "all",
            "enable_idempotence": True,
            "max_batch_size": BATCH_BYTES,
            "max_request_size": RECORD_BYTES_MAX + BATCH_BYTES,
            "request_timeout_ms": int(delivery_timeout_s * 1000),
        }

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
        await self._gate.enter(size)
        try:
            offsets = await self._deliver(outputs)
        finally:
            self._gate.leave(size)
        for topic, number in Counter(output.topic for output in outputs).items():
            RECORDS_WRITTEN.labels(topic).inc(number)
        WRITE_SECONDS.observe(self._clock.monotonic_s() - began_s)
        return offsets

    async def close(self) -> None:
        """Flush and close."""
        self._closed = True
        if self._producer is not None:
            self._retire(stop(self._producer))
        await asyncio.gather(*self._retired)

    async def _deliver(self, outputs: Sequence[Output]) -> tuple[int, ...]:
        producer: Any = None
        try:
            async with asyncio.timeout(self._delivery_timeout_s + GRACE_S):
                offsets = [0] * len(outputs)
                async with self._order:  # calls queue up in the order they came
                    producer = await self._started()
                    places = await self._places(producer, outputs)
                    deliveries = [
                        asyncio.create_task(
                            self._deliver_to(producer, place, indices, outputs, offsets)
                        )
                        for place, indices in places.items()
                    ]
                await asyncio.gather(*deliveries)
        except MessageSizeTooLargeError as error:
            raise MalformedEvent("too_large") from error
        except (KafkaError, OSError, TimeoutError) as error:
            self._give_up(producer, error, len(outputs))
            raise Unavailable("not confirmed by Kafka") from error
        self.healthy = True
        return tuple(offsets)

    async def _started(self) -> Any:
        if self._producer is None:
            producer = AIOKafkaProducer(**self._options)
            try:
                await producer.start()
            except BaseException:
                await producer.stop()
                raise
            self._producer = producer
        return self._producer

    async def _places(self, producer: Any, outputs: Sequence[Output]) -> dict[_Place, list[int]]:
        """Return the indices of ``outputs`` by topic and partition."""
        places: dict[_Place, list[int]] = defaultdict(list)
        for index, output in enumerate(outputs):
            partition = output.partition
            if partition is None:
                partitions = self._partition_counts.get(output.topic)
                if partitions is None:
                    partitions = await partition_count(producer, output.topic)
                    self._partition_counts[output.topic] = partitions
                if output.key is None:
                    partition = next(self._keyless) % partitions
                else:
                    partition = partition_of(output.key, partitions)
            places[(output.topic, partition)].append(index)
        return places

    async def _deliver_to(
        self,
        producer: Any,
        place: _Place,
        indices: Sequence[int],
        outputs: Sequence[Output],
        offsets: list[int],
    ) -> None:
        """Fill batches in order and hand them in; ``offsets`` is filled when they are confirmed."""
        handed: list[tuple[Any, int]] = []
        async with self._queues[place]:  # calls do not interleave: a key's order across calls
            batch = producer.create_batch()
            for index in indices:
                if not append(batch, outputs[index]):
                    handed.append(await hand_in(producer, batch, place))
                    batch = producer.create_batch()
                    append(batch, outputs[index])
            handed.append(await hand_in(producer, batch, place))
        at = 0
        for confirmed, size in handed:
            base = (await confirmed).offset
            for step in range(size):
                offsets[indices[at + step]] = base + step
            at += size

    def _give_up(self, producer: Any, error: BaseException, number: int) -> None:
        """Make a new producer next time: this one's sequence numbers may have a hole."""
        self.healthy = False
        WRITES_FAILED.inc()
        _log.warning("write failed", error=error, count=number)
        if producer is not None and producer is self._producer:
            self._retire(abandon(producer))

    def _retire(self, ending: Coroutine[Any, Any, None]) -> None:
        self._producer = None
        task = asyncio.create_task(ending)
        self._retired.add(task)
        task.add_done_callback(self._retired.discard)
