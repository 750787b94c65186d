"""Projects topics into the read model, and projects them anew when the read model lost something.

Each batch is one atomic write that also moves the progress of its partition and checks what it
builds on. When that fails, the partition is replayed from the topic: the rows of the worklist
first, the history of results after them. Inference is never asked for anything.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from contracts.assessed import ASSESSED, CURRENT, Assessment
from contracts.merged import MERGED
from contracts.relations import RELATIONS
from contracts.reviewed import REVIEWED
from contracts.topic import DAY_MS, Topic
from plumbing import log
from plumbing.clock import Clock
from plumbing.errors import Unavailable
from plumbing.event_log import EventReader, Output, Record
from plumbing.stage import Arrived, Batch, Handled, Subscription
from services.gateway import metrics
from services.gateway.project import erased, event_writes, row_writes
from services.gateway.read_model import ReadModel
from services.gateway.writes import Done, Kind, Lost, Slot, Step

TOPICS: dict[Kind, Topic[Any]] = {
    "rel": RELATIONS,
    "lnk": MERGED,
    "cur": CURRENT,
    "rev": REVIEWED,
    "evt": ASSESSED,
}
LAG_SHOWN_MS = 60_000
KEEP_MS = 30 * DAY_MS
SWEEP_EVERY_S = 60.0
HEAD_START_S = 1.5
ATTEMPTS_MAX = 3
EVENTS_PER_WRITE = 200

_log = log.get("gateway")


@dataclass
class _Partition:
    """What this process knows of one partition. ``projected``: what it has seen written."""

    slot: Slot
    projected: int = 0
    swept_s: float = 0.0
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)


class Projector:
    """Handles the batches of five topics. ``new_epoch`` names a rebuild, ``changed`` is called
    after each write; both come from the composition root.
    """

    def __init__(
        self,
        model: ReadModel,
        reader: EventReader,
        clock: Clock,
        new_epoch: Callable[[], str],
        changed: Callable[[], None],
    ) -> None:
        """Keep the parts."""
        self._model = model
        self._reader = reader
        self._clock = clock
        self._new_epoch = new_epoch
        self._changed = changed
        self._partitions: dict[Slot, _Partition] = {}

    def subscriptions(self) -> tuple[Subscription[Any], ...]:
        """Return what the stream has to bring here."""
        return tuple(self._subscription(kind, topic) for kind, topic in TOPICS.items())

    def _subscription(self, kind: Kind, topic: Topic[Any]) -> Subscription[Any]:
        async def handle(batch: Batch[Any]) -> Handled:
            await self._handle(self._partition(kind, batch.partition), batch)
            if kind != "evt":
                return Handled()
            # Who was erased keeps no decisions either: they are this service's to take back.
            gone = erased(batch.arrived)
            return Handled([Output(REVIEWED.name, token.encode(), None) for token in gone])

        async def idle(partition: int, next_offset: int) -> None:
            await self._idle(self._partition(kind, partition), next_offset)

        return Subscription(topic=topic, handle=handle, idle=idle)

    def _partition(self, kind: Kind, number: int) -> _Partition:
        slot = Slot(kind, TOPICS[kind].name, number)
        return self._partitions.setdefault(slot, _Partition(slot))

    async def _handle(self, part: _Partition, batch: Batch[Any]) -> None:
        async with part.busy:
            known = max(part.projected, batch.first_offset)
            after = batch.last_offset + 1
            now_ms = self._clock.now_ms()
            newest_ms = batch.arrived[-1].timestamp_ms if batch.arrived else now_ms
            lag_ms = newest_ms if now_ms - newest_ms > LAG_SHOWN_MS else None
            await self._write(part, batch.arrived, known, after, lag_ms)
        if part.slot.kind == "evt":
            self._time(batch.arrived, now_ms)

    async def _idle(self, part: _Partition, next_offset: int) -> None:
        """Nothing to do: check that everything is still there, and sweep now and then."""
        async with part.busy:
            known = max(part.projected, next_offset)
            await self._write(part, (), known, known, None)
            now_s = self._clock.monotonic_s()
            if part.slot.kind != "evt" or now_s - part.swept_s < SWEEP_EVERY_S:
                return
            part.swept_s = now_s
            swept = await self._model.sweep(part.slot.partition, KEEP_MS, self._clock.now_ms())
            if swept.new:
                await self._replay(part, None, known)

    async def _write(
        self,
        part: _Partition,
        arrived: Sequence[Arrived[Any]],
        known: int,
        after: int,
        lag_ms: int | None,
    ) -> None:
        for _ in range(ATTEMPTS_MAX):
            answer = await self._put(part.slot, arrived, known, after, lag_ms)
            if isinstance(answer, Done):
                part.projected = max(part.projected, after)
                self._count(part.slot, answer)
                if arrived:
                    self._changed()
                return
            await self._replay(part, answer.resume, known)
        raise Unavailable("the read model keeps losing what is written")

    async def _put(
        self,
        slot: Slot,
        arrived: Sequence[Arrived[Any]],
        known: int,
        after: int,
        lag_ms: int | None,
    ) -> Done | Lost:
        """Write in portions (a call blocks Redis); the last moves the progress to ``after``."""
        portions = [
            arrived[first : first + EVENTS_PER_WRITE]
            for first in range(0, len(arrived), EVENTS_PER_WRITE)
        ] or [()]
        total = Done(0, 0, 0)
        for portion in portions:
            last = portion is portions[-1]
            step = Step(
                slot=slot,
                known=known,
                next_offset=after if last else portion[-1].offset + 1,
                epoch=self._new_epoch(),
                lag_ms=lag_ms,
            )
            if slot.kind == "evt":
                answer = await self._model.write_events(step, event_writes(portion))
            else:
                answer = await self._model.write_rows(step, row_writes(slot.kind, portion))
            if isinstance(answer, Lost):
                return answer
            total = Done(*(a + b for a, b in zip(_parts(total), _parts(answer), strict=True)))
        return total

    async def _replay(self, part: _Partition, resume: int | None, stop: int) -> None:
        """Project the topic again, from ``resume`` (None: its start) up to ``stop``."""
        slot = part.slot
        if slot.kind == "evt":
            await self._rows_first()
        metrics.REBUILDS.labels(slot.kind).inc()
        _log.warning("replaying into the read model", topic=slot.topic, partition=slot.partition)
        earliest = await self._reader.start_offset(slot.topic, slot.partition)
        start = max(resume or 0, earliest)
        since_ms = self._clock.now_ms()
        with metrics.REBUILDING.track_inprogress():
            await self._model.begin(slot, start, self._new_epoch(), since_ms)
            position = start
            async for records in self._reader.read(slot.topic, slot.partition, start, stop):
                arrived = _decoded(TOPICS[slot.kind], records)
                after = records[-1].offset + 1
                answer = await self._put(slot, arrived, position, after, records[-1].timestamp_ms)
                if isinstance(answer, Lost):
                    raise Unavailable("the read model was lost again during its replay")
                self._count(slot, answer)
                self._changed()
                position = after
            await self._put(slot, (), position, stop, None)
        part.projected = max(part.projected, stop)
        self._changed()

    async def _rows_first(self) -> None:
        """Give the worklist's own topics the way: they are small, and people wait for them."""
        await asyncio.sleep(HEAD_START_S)
        for part in [one for slot, one in self._partitions.items() if slot.kind != "evt"]:
            async with part.busy:
                await self._write(part, (), part.projected, part.projected, None)

    def _count(self, slot: Slot, done: Done) -> None:
        if slot.kind == "evt":
            metrics.EVENTS_VISIBLE.inc(done.new)
            metrics.EVENTS_SUPERSEDED.inc(done.superseded)
            metrics.EVENTS_AGAIN.inc(done.again)

    def _time(self, arrived: Sequence[Arrived[Assessment]], started_ms: int) -> None:
        now_ms = self._clock.now_ms()
        for one in arrived:
            if one.event is not None and started_ms - one.timestamp_ms < LAG_SHOWN_MS:
                since_ms = one.event.elapsed_ms + max(0, now_ms - one.timestamp_ms)
                metrics.END_TO_END_SECONDS.labels("visible").observe(since_ms / 1000)


def _parts(done: Done) -> tuple[int, int, int]:
    return (done.new, done.superseded, done.again)


def _decoded(topic: Topic[Any], records: Sequence[Record]) -> list[Arrived[Any]]:
    """Decode what can be decoded: the rest was rejected when it first came."""
    found = []
    for record in records:
        try:
            event = None if record.value is None else topic.decode(record.value)
        except msgspec.DecodeError:
            continue
        found.append(Arrived(event, record.key, record.offset, record.headers, record.timestamp_ms))
    return found
