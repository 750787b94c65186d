"""The event log in memory: a real back end of both protocols, for tests and dry runs."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from plumbing.clock import Clock, SystemClock
from plumbing.errors import Unavailable
from plumbing.event_log import Check, Output, Place, Record
from plumbing.partition import partition_of

BATCH_SIZE_MAX = 500


@dataclass
class _Partition:
    records: list[Record] = field(default_factory=list)
    end: int = 0


class InMemoryLog:
    """An ``EventWriter`` and ``EventReader`` over lists; one event loop, one process.

    ``available`` set to False makes every call raise ``Unavailable``, as an absent broker would.
    """

    def __init__(
        self, topics: Iterable[str] = (), partitions: int = 12, clock: Clock | None = None
    ) -> None:
        """Make the topics named; others are made at their first record."""
        self.available = True
        self._clock = clock or SystemClock()
        self._partition_count = partitions
        self._topics: dict[str, list[_Partition]] = {}
        self._keyless = count()
        self._written = asyncio.Condition()
        self._committing = asyncio.Lock()
        for topic in topics:
            self.create(topic)

    def create(self, topic: str, partitions: int | None = None) -> None:
        """Make ``topic`` unless it is there."""
        number = partitions or self._partition_count
        self._topics.setdefault(topic, [_Partition() for _ in range(number)])

    def records(self, topic: str) -> list[Record]:
        """Return all records of ``topic``, partition by partition: what a test looks at."""
        return [record for part in self._topics.get(topic, ()) for record in part.records]

    def partition_of(self, key: str) -> int:
        """Return the partition of a key among those of a topic made with the default number."""
        return partition_of(key.encode(), self._partition_count)

    def compact(self, topic: str) -> None:
        """Keep the last record of each key, as Kafka's cleaner does; offsets stay."""
        for part in self._topics[topic]:
            last = {record.key: record.offset for record in part.records}
            part.records = [r for r in part.records if last[r.key] == r.offset]

    async def write(self, outputs: Sequence[Output]) -> tuple[int, ...]:
        """Append the records; return their offsets."""
        self._require_available()
        offsets = tuple(self._append(output, self._partition_of(output)) for output in outputs)
        async with self._written:
            self._written.notify_all()
        return offsets

    async def open(self) -> None:
        """Do nothing: one process bears every name."""
        self._require_available()

    async def commit(self, outputs: Sequence[Output], check: Check) -> tuple[Place, ...]:
        """Append a group whole, once ``check`` has seen where it will stand."""
        async with self._committing:
            self._require_available()
            places = self._places(outputs)
            await check(places)
            self._require_available()
            for output, place in zip(outputs, places, strict=True):
                self._append(output, place.partition)
            for topic, number in {
                (o.topic, p.partition) for o, p in zip(outputs, places, strict=True)
            }:
                self._topics[topic][number].end += 1  # Kafka's mark: an offset without a record
        async with self._written:
            self._written.notify_all()
        return tuple(places)

    async def partitions(self, topic: str) -> tuple[int, ...]:
        """Return the partition numbers of ``topic``."""
        return tuple(range(len(self._of(topic))))

    async def end_offset(self, topic: str, partition: int) -> int:
        """Return the offset that the next record will get."""
        return self._of(topic)[partition].end

    async def end_offsets(
        self, topic: str, partitions: Sequence[int] | None = None
    ) -> dict[int, int]:
        """Return ``end_offset`` of several partitions, of all when none are named."""
        parts = self._of(topic)
        wanted = range(len(parts)) if partitions is None else partitions
        return {number: parts[number].end for number in wanted}

    async def start_offset(self, topic: str, partition: int) -> int:
        """Return the lowest offset still kept."""
        part = self._of(topic)[partition]
        return part.records[0].offset if part.records else part.end

    async def read(
        self, topic: str, partition: int, start: int, stop: int
    ) -> AsyncIterator[Sequence[Record]]:
        """Yield the records with ``start <= offset < stop`` in batches, then end."""
        records = list(self._of(topic)[partition].records)
        wanted = [record for record in records if start <= record.offset < stop]
        for first in range(0, len(wanted), BATCH_SIZE_MAX):
            self._require_available()
            yield wanted[first : first + BATCH_SIZE_MAX]

    async def read_ranges(self, topic: str, ranges: Mapping[int, tuple[int, int]]) -> list[Record]:
        """Return the records of several partitions, each from a start up to a stop."""
        return [
            record
            for number, (start, stop) in ranges.items()
            for record in self._of(topic)[number].records
            if start <= record.offset < stop
        ]

    async def tail(self, topic: str) -> AsyncIterator[Sequence[Record]]:
        """Yield everything, then ``()`` once, then what arrives, for ever."""
        parts = self._of(topic)
        next_offsets = [0] * len(parts)
        caught_up = False
        while True:
            for number, part in enumerate(parts):
                fresh = [r for r in part.records if r.offset >= next_offsets[number]]
                next_offsets[number] = part.end
                if fresh:
                    yield fresh
            if not caught_up:
                caught_up = True
                yield ()
            async with self._written:
                if all(part.end == seen for part, seen in zip(parts, next_offsets, strict=True)):
                    await self._written.wait()

    async def close(self) -> None:
        """Do nothing: memory needs no closing."""

    def _places(self, outputs: Sequence[Output]) -> list[Place]:
        ends: dict[tuple[str, int], int] = {}
        places = []
        for output in outputs:
            number = self._partition_of(output)
            spot = (output.topic, number)
            offset = ends.get(spot, self._topics[output.topic][number].end)
            ends[spot] = offset + 1
            places.append(Place(number, offset))
        return places

    def _partition_of(self, output: Output) -> int:
        self.create(output.topic)
        parts = self._topics[output.topic]
        if output.partition is not None:
            return output.partition
        if output.key is None:
            return next(self._keyless) % len(parts)
        return partition_of(output.key, len(parts))

    def _append(self, output: Output, number: int) -> int:
        part = self._topics[output.topic][number]
        offset = part.end
        part.end += 1
        part.records.append(
            Record(
                topic=output.topic,
                partition=number,
                offset=offset,
                key=output.key,
                value=output.value,
                headers=output.headers,
                timestamp_ms=self._clock.now_ms(),
            )
        )
        return offset

    def _of(self, topic: str) -> list[_Partition]:
        self._require_available()
        if topic not in self._topics:
            raise Unavailable("no such topic")
        return self._topics[topic]

    def _require_available(self) -> None:
        if not self.available:
            raise Unavailable("the log was made unavailable")
