"""Groups of records in Kafka transactions: each group whole or not at all (``Transactions``).

On aiokafka's compiled record builder, on the event loop: one request adds the partitions, one per
broker produces, one commits. A group that Kafka does not decide in time leaves its producer behind;
``open`` makes a new one under the same name, by which the coordinator decides what was left open.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, ProducerFenced
from aiokafka.producer import sender as aiokafka_sender

from plumbing import log
from plumbing.byte_gate import RECORD_BYTES_MAX
from plumbing.clock import Clock, SystemClock
from plumbing.errors import Superseded, Unavailable
from plumbing.event_log import Check, Output, Place
from plumbing.kafka_batches import BATCH_BYTES, abandon, append, hand_in, partition_count, stop
from plumbing.kafka_connection import KafkaConnection
from plumbing.kafka_metrics import GROUP_RECORDS, RECORDS_WRITTEN, WRITE_SECONDS, WRITES_FAILED
from plumbing.partition import partition_of

OPEN_TIMEOUT_S = 20.0
RETRY_MS = 20
# A transaction may begin once the markers of the one before are written, 1 to 3 ms after its
# commit; until then the coordinator says "concurrent", and aiokafka asks again after 20 ms.
BEGIN_AGAIN_S = 0.002

_log = log.get("kafka_transactions")


class KafkaTransactions:
    """``Transactions`` under ``name`` (Kafka's ``transactional.id``).

    A group not decided after ``group_timeout_s`` is ``Unavailable``; one whose process died is
    undone by the coordinator after ``abandoned_after_s``, which must be longer.
    """

    def __init__(
        self,
        connection: KafkaConnection,
        name: str,
        *,
        group_timeout_s: float = 10.0,
        abandoned_after_s: float = 12.0,
        clock: Clock | None = None,
    ) -> None:
        """Keep the settings; Kafka is first reached by ``open``."""
        aiokafka_sender.BACKOFF_OVERRIDE = BEGIN_AGAIN_S
        self._clock = clock or SystemClock()
        self._group_timeout_s = group_timeout_s
        self._producer: Any = None
        self._counts: dict[str, int] = {}
        self._retired: set[asyncio.Task[None]] = set()
        context = connection.ssl_context
        self._options = {
            "bootstrap_servers": connection.bootstrap.split(","),
            "security_protocol": "PLAINTEXT" if context is None else "SSL",
            "ssl_context": context,
            "acks": "all",
            "transactional_id": name,
            "transaction_timeout_ms": int(abandoned_after_s * 1000),
            "max_batch_size": RECORD_BYTES_MAX,
            "max_request_size": RECORD_BYTES_MAX + BATCH_BYTES,
            "request_timeout_ms": int(group_timeout_s * 1000),
            "retry_backoff_ms": RETRY_MS,
        }

    async def open(self) -> None:
        """Take the name over from whoever had it. Raises ``Unavailable``."""
        if self._producer is not None:
            self._leave()
        producer = AIOKafkaProducer(**self._options)
        try:
            async with asyncio.timeout(OPEN_TIMEOUT_S):
                await producer.start()
        except (KafkaError, OSError, TimeoutError) as error:
            self._retire(producer)
            raise Unavailable("Kafka gives no transaction") from error
        except BaseException:
            self._retire(producer)
            raise
        self._producer = producer

    async def commit(self, outputs: Sequence[Output], check: Check) -> Sequence[Place]:
        """Write a group whole; ``check`` may still undo it (``Transactions.commit``)."""
        producer = self._producer
        if producer is None:
            raise Unavailable("not open")
        began_s = self._clock.monotonic_s()
        try:
            async with asyncio.timeout(self._group_timeout_s):
                places = await self._write(producer, outputs, check)
        except (KafkaError, OSError, TimeoutError, AssertionError) as error:
            # AssertionError: aiokafka's own check of its states, once its sender has failed.
            self._leave()
            WRITES_FAILED.inc()
            _log.warning("group not committed", error=error, count=len(outputs))
            if _is_fenced(producer, error):
                raise Superseded("another process has this one's name") from error
            raise Unavailable("not confirmed by Kafka") from error
        except asyncio.CancelledError:
            self._leave()
            raise
        for topic in {output.topic for output in outputs}:
            RECORDS_WRITTEN.labels(topic).inc(sum(one.topic == topic for one in outputs))
        GROUP_RECORDS.observe(len(outputs))
        WRITE_SECONDS.observe(self._clock.monotonic_s() - began_s)
        return places

    async def close(self) -> None:
        """Close the connections."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await stop(producer)
        await asyncio.gather(*self._retired)

    async def _write(self, producer: Any, outputs: Sequence[Output], check: Check) -> list[Place]:
        await producer.begin_transaction()
        places = await self._deliver(producer, outputs)
        try:
            await check(places)
        except Exception:
            await producer.abort_transaction()
            raise
        await producer.commit_transaction()
        return places

    async def _deliver(self, producer: Any, outputs: Sequence[Output]) -> list[Place]:
        indices: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
        for index, output in enumerate(outputs):
            indices[output.topic, await self._partition_of(producer, output)].append(index)
        handed = []
        for spot, chosen in indices.items():
            batch = producer.create_batch()
            waiting: list[int] = []
            for index in chosen:
                if not append(batch, outputs[index]):
                    handed.append((spot[1], waiting, (await hand_in(producer, batch, spot))[0]))
                    batch, waiting = producer.create_batch(), []
                    append(batch, outputs[index])
                waiting.append(index)
            handed.append((spot[1], waiting, (await hand_in(producer, batch, spot))[0]))
        places = [Place(0, 0)] * len(outputs)
        for partition, chosen, confirmed in handed:
            base = (await confirmed).offset
            for step, index in enumerate(chosen):
                places[index] = Place(partition, base + step)
        return places

    async def _partition_of(self, producer: Any, output: Output) -> int:
        if output.partition is not None:
            return output.partition
        count = self._counts.get(output.topic)
        if count is None:
            count = self._counts[output.topic] = await partition_count(producer, output.topic)
        return partition_of(output.key or b"", count)

    def _leave(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            self._retire(producer)

    def _retire(self, producer: Any) -> None:
        task = asyncio.create_task(abandon(producer))
        self._retired.add(task)
        task.add_done_callback(self._retired.discard)


def _is_fenced(producer: Any, error: BaseException) -> bool:
    if isinstance(error, ProducerFenced):
        return True
    task = producer._sender.sender_task  # noqa: SLF001 - where aiokafka keeps why it stopped
    if task is None or not task.done() or task.cancelled():
        return False
    return isinstance(task.exception(), ProducerFenced)
