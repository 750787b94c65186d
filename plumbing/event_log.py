"""Writing and reading the event log, as two protocols with two back ends (memory and Kafka)."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

Headers = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Output:
    """One record to write. ``value`` None: tombstone; ``partition`` None: the key decides."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    partition: int | None = None


@dataclass(frozen=True, slots=True)
class Record:
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


class EventReader(Protocol):
    """Reads partitions directly, outside any consumer group."""

    async def partitions(self, topic: str) -> tuple[int, ...]:
        """Return the partition numbers of ``topic``."""

    async def end_offset(self, topic: str, partition: int) -> int:
        """Return the offset that the next record will get."""

    async def end_offsets(self, topic: str, partitions: Sequence[int]) -> dict[int, int]:
        """Return ``end_offset`` of several partitions, asked for at once."""

    async def start_offset(self, topic: str, partition: int) -> int:
        """Return the lowest offset still kept."""

    def read(
        self, topic: str, partition: int, start: int, stop: int
    ) -> AsyncIterator[Sequence[Record]]:
        """Yield the records with ``start <= offset < stop`` in batches, then end.

        ``stop`` is capped at the end offset at the call; holes left by compaction are skipped.
        """

    def tail(self, topic: str) -> AsyncIterator[Sequence[Record]]:
        """Yield all partitions of ``topic`` from their start, then for ever as records arrive.

        An empty sequence is yielded once when everything that was there at the call is read.
        """

    async def close(self) -> None:
        """Close the connections."""
