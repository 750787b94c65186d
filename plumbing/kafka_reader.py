"""Reading partitions directly, outside any consumer group: kafka-python consumers in threads."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Literal, TypeVar

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from kafka.net.compat import KafkaNetClient

from plumbing import log
from plumbing.errors import Unavailable
from plumbing.event_log import Record
from plumbing.kafka_connection import KafkaConnection

Result = TypeVar("Result")

POLL_MS = 200
STALL_POLLS_MAX = 50  # 10 s without progress below the end offset: the broker is not well
RETRY_S = 1.0
IDLE_CLIENTS_MAX = 4

_log = log.get("kafka_reader")


class _Client:
    """One consumer and the one thread that may touch it."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="kafka-reader")
        self._make = make
        self._consumer: Any = None

    async def call(self, work: Callable[[Any], Result]) -> Result:
        """Run ``work(consumer)`` in the thread; Kafka's errors come out as ``Unavailable``."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, self._work, work)
        except (KafkaError, OSError) as error:
            raise Unavailable("Kafka could not be read") from error

    def close(self) -> None:
        """Close in the thread, after what it is doing."""
        self._thread.submit(self._close)
        self._thread.shutdown(wait=False)

    def _work(self, work: Callable[[Any], Result]) -> Result:
        if self._consumer is None:
            self._consumer = self._make()
        return work(self._consumer)

    def _close(self) -> None:
        if self._consumer is not None:
            self._consumer.close(autocommit=False)


class KafkaReader:
    """An ``EventReader`` on Kafka. Clients are kept for the next call, a few at most."""

    def __init__(
        self,
        connection: KafkaConnection,
        *,
        batch_size_max: int = 1_000,
        isolation: Literal["read_committed", "read_uncommitted"] = "read_committed",
    ) -> None:
        """Keep the settings; Kafka is first reached at the first call."""
        options = {
            **connection.options(),
            "metrics_enabled": False,
            "group_id": None,
            "enable_auto_commit": False,
            "auto_offset_reset": "earliest",
            "max_poll_records": batch_size_max,
            "isolation_level": isolation,
            "allow_auto_create_topics": False,
            "request_timeout_ms": 10_000,
        }
        self._make = partial(_consumer, options)
        self._idle: list[_Client] = []
        self._closed = False

    async def partitions(self, topic: str) -> tuple[int, ...]:
        """Return the partition numbers of ``topic``; ``Unavailable`` when there is none."""
        async with self._client() as client:
            found = await client.call(lambda consumer: consumer.partitions_for_topic(topic))
        if not found:
            raise Unavailable("no such topic")
        return tuple(sorted(found))

    async def end_offset(self, topic: str, partition: int) -> int:
        """Return the offset that the next record will get."""
        return (await self.end_offsets(topic, [partition]))[partition]

    async def end_offsets(
        self, topic: str, partitions: Sequence[int] | None = None
    ) -> dict[int, int]:
        """Return ``end_offset`` of several partitions (None: all), asked for at once."""
        wanted = await self.partitions(topic) if partitions is None else partitions
        places = [TopicPartition(topic, partition) for partition in wanted]
        async with self._client() as client:
            found = await client.call(partial(_end_offsets, places=places))
        return {place.partition: int(offset) for place, offset in found.items()}

    async def start_offset(self, topic: str, partition: int) -> int:
        """Return the lowest offset still kept."""
        place = TopicPartition(topic, partition)
        async with self._client() as client:
            return int((await client.call(lambda c: c.beginning_offsets([place])))[place])

    async def read(
        self, topic: str, partition: int, start: int, stop: int
    ) -> AsyncIterator[Sequence[Record]]:
        """Yield the records with ``start <= offset < stop`` in batches, then end.

        Raises ``Unavailable`` rather than ending early.
        """
        place = TopicPartition(topic, partition)
        async with self._client() as client:
            stop = min(stop, (await client.call(lambda c: c.end_offsets([place])))[place])
            position = (await client.call(partial(_assign, places={place: start})))[place]
            stalled = 0
            while position < stop:
                before = position
                batch, position = await client.call(partial(_poll_one, place=place))
                wanted = [record for record in batch if record.offset < stop]
                if wanted:
                    yield wanted
                stalled = 0 if position > before else stalled + 1
                if stalled > STALL_POLLS_MAX:
                    raise Unavailable("Kafka holds back records below the end offset")

    async def read_ranges(self, topic: str, ranges: Mapping[int, tuple[int, int]]) -> list[Record]:
        """Return the records of several partitions, each from a start up to a stop.

        Raises ``Unavailable`` rather than ending early.
        """
        places = {TopicPartition(topic, number): start for number, (start, _) in ranges.items()}
        found: list[Record] = []
        async with self._client() as client:
            positions = await client.call(partial(_assign, places=places))
            stalled = 0
            while any(positions[place] < ranges[place.partition][1] for place in places):
                before = positions
                batch, positions = await client.call(_poll_all)
                found += [one for one in batch if one.offset < ranges[one.partition][1]]
                stalled = 0 if positions != before else stalled + 1
                if stalled > STALL_POLLS_MAX:
                    raise Unavailable("Kafka holds back records below the end offset")
        return found

    async def tail(self, topic: str) -> AsyncIterator[Sequence[Record]]:
        """Yield everything, then ``()`` once, then what arrives, for ever.

        An outage is waited out: reading goes on where it stopped.
        """
        positions: dict[TopicPartition, int] = {}
        goal: dict[TopicPartition, int] | None = None
        while True:
            try:
                async with self._client() as client:
                    places = {TopicPartition(topic, n): 0 for n in await self.partitions(topic)}
                    if goal is None:
                        goal = await client.call(partial(_end_offsets, places=list(places)))
                    positions = await client.call(partial(_assign, places=places | positions))
                    while True:
                        if goal and all(positions[place] >= end for place, end in goal.items()):
                            goal = {}
                            yield ()
                        batch, positions = await client.call(_poll_all)
                        if batch:
                            yield batch
            except Unavailable as error:
                _log.warning("tail interrupted", topic=topic, error=error)
                await asyncio.sleep(RETRY_S)

    async def close(self) -> None:
        """Close the connections that are not in use; those in use close at the end of theirs."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[_Client]:
        client = self._idle.pop() if self._idle else _Client(self._make)
        try:
            yield client
        except BaseException:
            client.close()  # in the middle of something: not to be used again
            raise
        if self._closed or len(self._idle) >= IDLE_CLIENTS_MAX:
            client.close()
        else:
            self._idle.append(client)


def _consumer(options: dict[str, Any]) -> Any:
    """Return a consumer. One that cannot reach Kafka leaves no thread and no socket behind."""
    clients: list[Any] = []

    def client(**config: Any) -> Any:
        clients.append(KafkaNetClient(**config))
        return clients[-1]

    try:
        return KafkaConsumer(kafka_client=client, **options)
    except BaseException:
        # kafka-python starts its thread, then gives up in the constructor without ending it.
        for started in clients:
            started.close()
        raise


def _assign(consumer: Any, places: dict[TopicPartition, int]) -> dict[TopicPartition, int]:
    consumer.assign(list(places))
    starts = consumer.beginning_offsets(list(places))
    positions = {place: max(offset, starts[place]) for place, offset in places.items()}
    for place, offset in positions.items():
        consumer.seek(place, offset)
    return positions


def _end_offsets(consumer: Any, places: list[TopicPartition]) -> dict[TopicPartition, int]:
    found: dict[TopicPartition, int] = consumer.end_offsets(places)
    return found


def _poll_one(consumer: Any, place: TopicPartition) -> tuple[list[Record], int]:
    found = consumer.poll(timeout_ms=POLL_MS)
    records = [_record(raw) for raw in found.get(place, ())]
    return records, int(consumer.position(place))


def _poll_all(consumer: Any) -> tuple[list[Record], dict[TopicPartition, int]]:
    found = consumer.poll(timeout_ms=POLL_MS)
    records = [_record(raw) for batch in found.values() for raw in batch]
    return records, {place: consumer.position(place) for place in consumer.assignment()}


def _record(raw: Any) -> Record:
    return Record(
        topic=raw.topic,
        partition=raw.partition,
        offset=raw.offset,
        key=raw.key,
        value=raw.value,
        headers=tuple((name, value or b"") for name, value in raw.headers),
        timestamp_ms=raw.timestamp,
    )
