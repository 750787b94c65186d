"""Finding the one record that crashes the process, over restarts, without losing its neighbours.

The ledger is a small file in the state folder. An exception writes down the batch that raised it.
A death without an exception (kill -9, out of memory, a fault in native code) is seen at the next
start by the marks of what was in hand, kept in a mapped file so that they survive the process; a
batch is in hand while code of it runs, not while it waits (``plumbing.in_hand``).
While there are suspects, batches are handled one at a time: what then dies is the culprit. No
record is quarantined before it was tried alone.
"""

import mmap
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from struct import Struct

import msgspec

PIECES = 32  # a batch of 1,000 is down to one record after two more crashes
_MARK = Struct("<?i248sqq")  # up, partition, topic, first offset, last offset
MARKS = 1_024  # partitions that one process can have in hand at once


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """One partition of one topic."""

    topic: str
    partition: int


class Suspect(msgspec.Struct, frozen=True):
    """The offsets among which the culprit is, and how often a batch with them has crashed."""

    topic: str
    partition: int
    first: int
    last: int
    crashes: int


@dataclass(frozen=True, slots=True)
class Piece:
    """Indices ``[start, stop)`` of a batch to handle at once, or to quarantine (one record)."""

    start: int
    stop: int
    attempts: int = 0

    @property
    def quarantined(self) -> bool:
        """Return whether this record is known to crash the process."""
        return self.attempts > 0


def blame(found: Suspect | None, place: Place, first: int, last: int) -> Suspect:
    """Return what is known after a crash with ``[first, last]`` in hand: the ranges' overlap."""
    fresh = Suspect(place.topic, place.partition, first, last, 1)
    if found is None or last < found.first or first > found.last:
        return fresh
    return Suspect(
        place.topic,
        place.partition,
        max(first, found.first),
        min(last, found.last),
        found.crashes + 1,
    )


def cut(offsets: Sequence[int], suspect: Suspect | None, crashes_max: int) -> list[Piece]:
    """Return the pieces in which to handle a batch with these offsets (ascending)."""
    if suspect is None or suspect.crashes < crashes_max:
        return [Piece(0, len(offsets))]
    start = _index(offsets, lambda offset: offset >= suspect.first)
    stop = _index(offsets, lambda offset: offset > suspect.last)
    # One record left: it is guilty once it has crashed after the limit, for then it was alone.
    inside = [Piece(start, stop, suspect.crashes if suspect.crashes > crashes_max else 0)]
    if suspect.last > suspect.first:
        step = max(1, (stop - start) // PIECES)
        inside = [Piece(at, min(at + step, stop)) for at in range(start, stop, step)]
    around = [Piece(0, start), *inside, Piece(stop, len(offsets))]
    return [piece for piece in around if piece.stop > piece.start]


class CrashLedger:
    """The suspects, at most one a partition, and the marks of what is in hand."""

    def __init__(self, directory: Path, name: str, crashes_max: int) -> None:
        """Read what earlier processes left; batches they died with are blamed once."""
        directory.mkdir(parents=True, exist_ok=True)
        self._file = directory / f"{name}.crashes.json"
        self._crashes_max = crashes_max
        self._suspects = {Place(s.topic, s.partition): s for s in _read(self._file)}
        self._slots: dict[Place, int] = {}
        self._marks = _mapped(directory / f"{name}.marks")
        for place, first, last in _up(self._marks):
            self.blame(place, first, last)
        self._marks[:] = bytes(len(self._marks))
        self.assigned = frozenset(self._suspects)

    @property
    def suspicious(self) -> bool:
        """Return whether batches are to be handled one at a time.

        A suspect in a partition that another replica has now is that one's to find.
        """
        return any(place in self.assigned for place in self._suspects)

    def pieces(self, place: Place, offsets: Sequence[int]) -> list[Piece]:
        """Return how to handle the batch with these offsets."""
        return cut(offsets, self._suspects.get(place), self._crashes_max)

    def blame(self, place: Place, first: int, last: int) -> Suspect:
        """Write down that the process died of this range."""
        suspect = blame(self._suspects.get(place), place, first, last)
        self._suspects[place] = suspect
        self._save()
        return suspect

    def passed(self, place: Place, last: int) -> None:
        """Clear the suspicion once everything up to ``last`` is done."""
        suspect = self._suspects.get(place)
        if suspect is not None and suspect.last <= last:
            del self._suspects[place]
            self._save()

    def take(self, place: Place, first: int, last: int) -> None:
        """Mark the range as in hand. The mark counts from the last byte written, its first."""
        at = self._slots.setdefault(place, len(self._slots)) * _MARK.size
        _MARK.pack_into(self._marks, at, False, place.partition, place.topic.encode(), first, last)
        self._marks[at] = 1

    def put_down(self, place: Place) -> None:
        """Mark that nothing of this partition is in hand."""
        self._marks[self._slots[place] * _MARK.size] = 0

    def close(self) -> None:
        """Leave nothing in hand: this process ended knowing what it did."""
        self._marks[:] = bytes(len(self._marks))
        self._marks.close()

    def _save(self) -> None:
        fresh = self._file.with_suffix(".new")
        with fresh.open("wb") as file:
            file.write(msgspec.json.encode(list(self._suspects.values())))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._file)


def _index(offsets: Sequence[int], passes: Callable[[int], bool]) -> int:
    return next((i for i, offset in enumerate(offsets) if passes(offset)), len(offsets))


def _mapped(file: Path) -> mmap.mmap:
    """Return the file's marks as memory that the file keeps when the process is killed."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.ftruncate(descriptor, MARKS * _MARK.size)
        return mmap.mmap(descriptor, MARKS * _MARK.size)
    finally:
        os.close(descriptor)


def _up(marks: mmap.mmap) -> list[tuple[Place, int, int]]:
    """Return the ranges that were in hand when the process before this one died."""
    return [
        (Place(topic.rstrip(b"\0").decode(), partition), first, last)
        for up, partition, topic, first, last in _MARK.iter_unpack(marks)
        if up
    ]


def _read(file: Path) -> list[Suspect]:
    try:
        return msgspec.json.decode(file.read_bytes(), type=list[Suspect])
    except FileNotFoundError:
        return []
