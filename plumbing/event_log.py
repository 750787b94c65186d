"""Writing and reading the event log, as two protocols with two back ends (memory and Kafka)."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Protocol

import msgspec

Headers = tuple[tuple[str, bytes], ...]


class Output(msgspec.Struct, frozen=True, gc=False):
    """One record to write. ``value`` None: tombstone; ``partition`` None: the key decides."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    partition: int | None = None


class Record(msgspec.Struct, frozen=True, gc=False):
    """One record as read."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    timestamp_ms: int


class EventWriter(Protocol):
    """Writes records durably."""

    async def write(self, outputs: Sequence[Output]) -> tuple[int, ...]:
        """Return the offsets once every record is confirmed (acks=all), in the order given.

        Records of one key keep their order, also across calls. Waits while the queue is full
        (that is the back-pressure). Raises ``Unavailable`` when not confirmed in time: then any of
        them may or may not have been written.
        """

    async def close(self) -> None:
        """Flush and close."""


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where a record came to stand."""

    partition: int
    offset: int


Check = Callable[[Sequence[Place]], Awaitable[None]]


class Transactions(Protocol):
    """Writes groups of records, each group whole or not at all, for readers of committed records.

    One writer at a time bears a name: ``open`` takes it over from any other.
    """

    async def open(self) -> None:
        """Take the name over: what its last bearer left open is decided, and that one is fenced.

        To be called before the first ``commit`` and after each that raised ``Unavailable``.
        Raises ``Unavailable``.
        """

    async def commit(self, outputs: Sequence[Output], check: Check) -> Sequence[Place]:
        """Write a group; return the places of its records in the order given.

        ``check`` is called when all have their places and nobody sees them yet: what it raises
        undoes the group and is raised. Raises ``Unavailable`` when it is not known whether the
        group was written, until ``open``; ``Superseded`` when another has taken the name.
        """

    async def close(self) -> None:
        """Close the connections; a group that is open is undone."""


class EventReader(Protocol):
    """Reads partitions directly, outside any consumer group."""

    async def partitions(self, topic: str) -> tuple[int, ...]:
        """Return the partition numbers of ``topic``."""

    async def end_offset(self, topic: str, partition: int) -> int:
        """Return the offset that the next record will get."""

    async def start_offset(self, topic: str, partition: int) -> int:
        """Return the lowest offset still kept."""

    async def end_offsets(
        self, topic: str, partitions: Sequence[int] | None = None
    ) -> Mapping[int, int]:
        """Return ``end_offset`` of several partitions (None: all), asked for at once."""

    def read(
        self, topic: str, partition: int, start: int, stop: int
    ) -> AsyncIterator[Sequence[Record]]:
        """Yield the records with ``start <= offset < stop`` in batches, then end.

        ``stop`` is capped at the end offset at the call; holes left by compaction are skipped.
        """

    async def read_ranges(
        self, topic: str, ranges: Mapping[int, tuple[int, int]]
    ) -> Sequence[Record]:
        """Return the records of several partitions, each from a start up to a stop (not with it).

        Order is kept within a partition. All of it is in memory at once: for short ranges.
        """

    def tail(self, topic: str) -> AsyncIterator[Sequence[Record]]:
        """Yield all partitions of ``topic`` from their start, then for ever as records arrive.

        An empty sequence is yielded once when everything that was there at the call is read.
        """

    async def close(self) -> None:
        """Close the connections."""


async def whole_topic(reader: EventReader, topic: str) -> AsyncIterator[Sequence[Record]]:
    """Yield what is on ``topic``, partition by partition, in batches; then end.

    What comes to a partition after its reading began is left out. Raises ``Unavailable``.
    """
    for partition in await reader.partitions(topic):
        end = await reader.end_offset(topic, partition)
        async for records in reader.read(topic, partition, 0, end):
            yield records
