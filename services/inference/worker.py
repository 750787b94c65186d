"""The stage: a batch of one partition in, one assessment for each event and reports of persons out.

Read the states, apply the events, judge every event as of its own offset, write states and
progress, hand over the records. Everything is idempotent: a batch handled again gives the same.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from contracts.assessed import ASSESSED, CURRENT, Assessment
from contracts.deidentified import DeidentifiedEvent
from contracts.state import STATE
from plumbing.clock import Clock
from plumbing.errors import Unavailable
from plumbing.event_log import EventWriter, Headers, Output
from plumbing.stage import Arrived, Batch, Handled
from plumbing.trace import RandomBytes, headers_of
from services.inference import metrics
from services.inference.judge import Judge, Judged
from services.inference.keeper import Keeper, Sound, StateLost
from services.inference.links import LinkTable
from services.inference.people import People, Reports
from services.inference.report import of_event, of_unscored_event
from services.inference.state_store import StateStore, demand_of
from services.inference.work import Work, work_of

_COUNTED = {
    (basis, status): metrics.ASSESSMENTS.labels(basis, status)
    for basis in ("event", "person")
    for status in ("scored", "not_scored")
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rim:
    """The outside world of a worker. ``require_ready`` raises ``Unavailable`` until links and
    promotions are read.
    """

    writer: EventWriter
    clock: Clock
    random_bytes: RandomBytes
    partition_of: Callable[[str], int]
    require_ready: Callable[[], None]


class Worker:
    """Handles batches and idle moments; partitions at once, each one thing at a time."""

    def __init__(
        self,
        keeper: Keeper,
        store: StateStore,
        judge: Judge,
        links: LinkTable,
        people: People,
        rim: Rim,
    ) -> None:
        """``rim`` is the outside world."""
        self._keeper = keeper
        self._store = store
        self._judge = judge
        self._links = links
        self._people = people
        self._rim = rim
        self._compared: set[int] = set()
        self._locks: dict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def handle(self, batch: Batch[DeidentifiedEvent]) -> Handled:
        """Return the assessments of a batch and the reports that it changes."""
        self._rim.require_ready()
        async with self._locks[batch.partition]:
            tokens = sorted({token for a in batch.arrived if (token := _token_of(a))})
            sound = await self._read(batch.partition, tokens, batch.first_offset)
            try:
                work = work_of(batch, sound.states, self._links.linked)
            except StateLost as error:
                await self._keeper.rebuild(batch.partition, batch.first_offset, error.reason)
                raise Unavailable("state rebuilt") from error
            judged = await self._judge.judge(work.looks)
            await self._keeper.write(
                batch.partition,
                batch.last_offset,
                sound,
                work.changed,
                work.erased - work.changed.keys(),
                len(work.told),
            )
            if sound.progress.incomplete:
                judged = [
                    replace(one, degraded=one.degraded or "state_incomplete") for one in judged
                ]
            outputs = self._assessments(batch.partition, work, judged)
            outputs += self._alone(batch.partition, work, judged)
            reports, answered = await self._linked(batch.partition, sound, work)
        outputs += reports.outputs
        outputs += _tombstones(batch.partition, work.erased)

        async def then() -> None:
            if work.erased:
                await self._store.forget_reported(batch.partition, work.erased)
            await self._settle(batch.partition, reports, answered)

        return Handled(outputs=outputs, then=then)

    async def idle(self, partition: int, next_offset: int) -> None:
        """Check the states, bring them back if need be, report persons due, write snapshots."""
        self._rim.require_ready()
        async with self._locks[partition]:
            sound = await self._read(partition, [], next_offset)
            heads = await self._heads_due(partition, sound)
            reports = await self._people.report(heads, "links")
            if reports.outputs:
                await self._rim.writer.write(reports.outputs)
        await self._settle(partition, reports, sound.due)

    async def _read(self, partition: int, tokens: Sequence[str], until: int) -> Sound:
        sound = await self._keeper.read(partition, tokens, until)
        if self._keeper.take_restored(partition):
            # While they were away, reports of linked persons lacked these states.
            self._compared.discard(partition)
            linked = self._links.linked_in(partition)
            await self._people.tell_owners(dict.fromkeys(linked, sound.progress.applied))
        return sound

    def _assessments(self, partition: int, work: Work, judged: Sequence[Judged]) -> list[Output]:
        now_ms = self._rim.clock.now_ms()
        outputs = []
        for told in work.told:
            event, arrived = told.event, told.arrived
            elapsed_ms = event.elapsed_ms + max(0, now_ms - arrived.timestamp_ms)
            place = (partition, arrived.offset)
            if told.reason:
                result = of_unscored_event(event, place, elapsed_ms, told.reason)
            else:
                result = of_event(event, place, elapsed_ms, judged[told.look])
            metrics.END_TO_END.observe(elapsed_ms / 1000)
            _COUNTED["event", result.status].inc()
            outputs.append(self._output(result, arrived.headers))
        return outputs

    def _alone(self, partition: int, work: Work, judged: Sequence[Judged]) -> list[Output]:
        """Return the reports of the batch's persons with one identifier."""
        outputs = []
        for token, look in work.newest.items():
            report = self._people.alone(judged[look], work.states[token], partition)
            _COUNTED["person", report.status].inc()
            outputs.append(self._people.output(report, work.last[token].arrived.headers))
        return outputs

    async def _linked(
        self, partition: int, sound: Sound, work: Work
    ) -> tuple[Reports, frozenset[bytes]]:
        """Return the reports of persons with several identifiers that this partition owns, and
        tell the owners of the others.
        """
        heads = await self._heads_due(partition, sound)
        elsewhere: dict[str, int] = {}
        for token in work.linked:
            head = self._links.head(token)
            if self._rim.partition_of(head) == partition:
                heads.add(head)
            else:
                elsewhere[token] = work.states[token].applied
        await self._people.tell_owners(elsewhere)
        return await self._people.report(heads, "facts"), sound.due

    async def _heads_due(self, partition: int, sound: Sound) -> set[str]:
        """Return the heads of this partition to report; pass on what is another's by now."""
        demanded = [demand_of(member) for member in sound.due]
        heads = {self._links.head(token) for token, _ in demanded} | self._links.changed(partition)
        if partition not in self._compared and len(self._links):
            marks = await self._store.reported(partition)
            ever = self._links.heads(partition) | marks.keys()
            heads |= {head for head in ever if marks.get(head) != self._links.fingerprint(head)}
        mine = {head for head in heads if self._rim.partition_of(head) == partition}
        moved = {t: applied for t, applied in demanded if self._links.head(t) not in mine}
        await self._people.tell_owners(moved)
        return mine

    async def _settle(self, partition: int, reports: Reports, answered: frozenset[bytes]) -> None:
        """Once the records are confirmed: mark what was reported; snapshot when it is time."""
        if reports.marks or answered:
            await self._store.mark_reported(partition, dict(reports.marks), answered)
            self._links.settled(partition, dict(reports.marks))
        self._compared.add(partition)
        if self._keeper.snapshot_due(partition):
            async with self._locks[partition]:
                await self._keeper.snapshot(partition)

    def _output(self, result: Assessment, received: Headers) -> Output:
        return Output(
            topic=ASSESSED.name,
            key=result.token.encode(),
            value=ASSESSED.encode(result),
            headers=headers_of(result.event_id, received, self._rim.random_bytes),
        )


def _token_of(arrived: Arrived[DeidentifiedEvent]) -> str:
    """Return whose record it is; a tombstone says it in its key alone."""
    return arrived.event.token if arrived.event is not None else (arrived.key or b"").decode()


def _tombstones(partition: int, erased: Collection[str]) -> list[Output]:
    """Return what erases persons on the topics that inference writes, after what it wrote before.

    That on ``clinical.assessed.v1`` is for the gateway: the topic is not compacted.
    """
    return [
        Output(topic.name, token.encode(), None, partition=place)
        for token in sorted(erased)
        for topic, place in ((STATE, partition), (ASSESSED, None), (CURRENT, None))
    ]
