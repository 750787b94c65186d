"""The stored answers of all listeners, and whether another of them was first.

The topic of answers is the arbiter. A group of events is written together with its answers, and two
listeners that took the same message write its answer to the same partition, so one of the two
stands first there. Before a group is committed, what others wrote between what is known here and
its own answers is looked at, committed or not: where the same key stands, the group is undone, the
other's fate awaited, and each message settled again by what is known then. With one listener
nothing stands between, which the offsets alone say; then nothing is read.
(docs/decisions/0016-exactly-once-at-the-front-door.md)
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from contracts.answers import ANSWERS
from plumbing.errors import Unavailable
from plumbing.event_log import EventReader, Place
from services.ingest import metrics
from services.ingest.parse import Parsed
from services.ingest.resends import Answered

ASK_AGAIN_S = 0.02


class Contested(Exception):
    """Another listener wrote an answer under the same key; its fate is known past ``place``."""

    def __init__(self, place: Place) -> None:
        """Keep where it stands."""
        super().__init__("another listener was first")
        self.place = place


@dataclass(slots=True)
class _Known:
    """Of one partition: all below ``upto`` is decided and known. ``marker``: the next offset is
    our own transaction's end, which nobody else can have taken once a later one of ours began.
    """

    upto: int
    marker: bool = False


class Standing(msgspec.Struct, frozen=True, gc=False):
    """An answer of a group that is not committed yet, and where it stands."""

    parsed: Parsed
    reused: bool
    place: Place


class Ledger:
    """Answers known here. ``committed`` and ``all_records`` read the topic with and without the
    records of transactions that are open.
    """

    def __init__(
        self, answered: Answered, committed: EventReader, all_records: EventReader
    ) -> None:
        """Know nothing yet."""
        self.answered = answered
        self._committed, self._all_records = committed, all_records
        self._known: dict[int, _Known] = {}

    async def load(self, answers_max: int) -> None:
        """Read the newest answers. Raises ``Unavailable`` when they cannot be read."""
        for partition, end in (ends := await self._committed.end_offsets(ANSWERS.name)).items():
            start = await self._committed.start_offset(ANSWERS.name, partition)
            start = max(start, end - answers_max // len(ends))
            async for records in self._committed.read(ANSWERS.name, partition, start, end):
                for record in records:
                    self.answered.learn(record)
            self._known[partition] = _Known(end)
        metrics.ANSWERS_KEPT.set(len(self.answered))

    async def catch_up(self) -> None:
        """Learn what other listeners had decided by now. Raises ``Unavailable``."""
        ranges = {}
        for partition, end in (await self._committed.end_offsets(ANSWERS.name)).items():
            known = self._known.setdefault(partition, _Known(0))
            if end == known.upto + 1 and known.marker:
                known.upto, known.marker = end, False
            elif end > known.upto:
                ranges[partition] = (known.upto, end)
        if not ranges:
            return
        for record in await self._committed.read_ranges(ANSWERS.name, ranges):
            self.answered.learn(record)
        for partition, (_, end) in ranges.items():
            known = self._known[partition]
            if end > known.upto:
                known.upto, known.marker = end, False
        metrics.ANSWERS_KEPT.set(len(self.answered))

    async def check(self, group: Sequence[Standing]) -> None:
        """Raise ``Contested`` when another listener was first with one of the group."""
        foreign: dict[int, tuple[int, int]] = {}
        standing = _by_partition(group)
        for partition, ours in standing.items():
            known = self._known.setdefault(partition, _Known(0))
            if not _follows(known, ours):
                foreign[partition] = (known.upto, ours[-1].place.offset)
        for one in group:
            # Learnt since this group was put together.
            known_code = self.answered.code_of(one.parsed.content)
            if known_code or self.answered.is_reuse(one.parsed) > one.reused:
                raise Contested(Place(one.place.partition, -1))
        if not foreign:
            return
        own = {(one.place.partition, one.place.offset) for one in group}
        keys = {one.parsed.answer_key for one in group}
        for record in await self._all_records.read_ranges(ANSWERS.name, foreign):
            if record.key in keys and (record.partition, record.offset) not in own:
                raise Contested(Place(record.partition, record.offset))

    def confirmed(self, group: Sequence[Standing]) -> None:
        """Remember a group that is committed."""
        for one in group:
            parsed = one.parsed
            self.answered.remember(parsed.answer_key, parsed.content, parsed.code)
        for partition, ours in _by_partition(group).items():
            known = self._known[partition]
            if _follows(known, ours):
                known.upto, known.marker = ours[-1].place.offset + 1, True
        metrics.ANSWERS_KEPT.set(len(self.answered))

    async def decided(self, place: Place) -> None:
        """Return when the fate of what stands at ``place`` is known here."""
        while True:
            try:
                await self.catch_up()
            except Unavailable:
                metrics.CATCH_UP_FAILURES.inc()
            if self._known[place.partition].upto > place.offset:
                return
            await asyncio.sleep(ASK_AGAIN_S)


def _by_partition(group: Sequence[Standing]) -> dict[int, list[Standing]]:
    found: defaultdict[int, list[Standing]] = defaultdict(list)
    for one in group:
        found[one.place.partition].append(one)
    return found


def _follows(known: _Known, ours: Sequence[Standing]) -> bool:
    """Return whether nobody else's record can stand before or between our own."""
    first, last = ours[0].place.offset, ours[-1].place.offset
    if last - first + 1 != len(ours):
        return False
    return first == known.upto or (known.marker and first == known.upto + 1)
