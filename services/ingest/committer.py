"""Events and their answers, written together: one transaction for all that came meanwhile.

While one group is being committed the next gathers, so the cost of a transaction is shared by as
many messages as there are. Messages keep the order in which they were handed in.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from contracts.clinical import Finding
from plumbing.byte_gate import bytes_of
from plumbing.clock import Clock
from plumbing.errors import MalformedEvent, Unavailable
from plumbing.event_log import Output, Place, Transactions
from services.ingest import metrics
from services.ingest.answers import NOT_STORED, REUSED_ONCE, TOO_LARGE
from services.ingest.apart import Apart
from services.ingest.blobs import is_large
from services.ingest.gathering import Gathering
from services.ingest.identity import Keys
from services.ingest.ledger import Contested, Ledger, Standing
from services.ingest.parse import Parsed, ParsedEvent
from services.ingest.refusals import Refusals
from services.ingest.resends import SHORT, answer_record
from services.ingest.sealed import sealed_records
from services.ingest.sealers import Sealers

REUSED = Finding("warn", "MSH-10", "control_id_reuse", "this control id came with other content")
GROUP_MESSAGES_MAX = 500  # made in one go on the event loop: about 30 ms
EVENTS_A_TURN = 125  # sealed in one go: about 8 ms
GROUP_BYTES_MAX = 4 * 1024 * 1024
RETRY_S = 0.5


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What one message is answered. ``resent``: it had been answered before."""

    code: str
    findings: tuple[Finding, ...] = ()
    resent: bool = False


FAILED = Outcome("AE", (NOT_STORED,))
STORED = Outcome("AA")


class _Job(msgspec.Struct, eq=False):
    parsed: Parsed
    source: str
    after_other: bool  # the same control id with other content waits before it
    settled: "asyncio.Future[Outcome]"
    outcome: Outcome | None = None
    reused: bool = False
    outputs: list[Output] = []


@dataclass(frozen=True)
class Parts:
    """What a committer works with. ``all_wait`` tells whether every sender waits for an answer."""

    keys: Keys
    transactions: Transactions
    ledger: Ledger
    refusals: Refusals
    sealers: Sealers
    clock: Clock
    random_bytes: Callable[[int], bytes]
    all_wait: Callable[[], bool]


class Committer:
    """One per process. ``run`` is its loop; what that raises is nobody's to expect."""

    def __init__(self, parts: Parts) -> None:
        """Start with nothing to do; ``run`` does it."""
        self._parts = parts
        self._apart = Apart(parts.sealers, parts.transactions, parts.clock)
        self._queue: deque[_Job] = deque()
        self._pending: dict[bytes, list[bytes]] = {}  # contents by key, of jobs that are not done
        self._wake = asyncio.Event()
        self._gathering = Gathering(parts.all_wait)
        self._group_began_s: float | None = None
        self.available = False

    def submit(self, parsed: Parsed, source: str) -> "asyncio.Future[Outcome]":
        """Take an accepted message; the future tells what it is answered, and never raises."""
        settled: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        if not self.available:
            settled.set_result(FAILED)
            return settled
        pending = self._pending.setdefault(parsed.answer_key, [])
        after_other = any(one != parsed.content[:SHORT] for one in pending)
        pending.append(parsed.content[:SHORT])
        self._queue.append(_Job(parsed, source, after_other, settled))
        self._wake.set()
        return settled

    def wake(self) -> None:
        """Have refusals written, also where no event waits."""
        self._wake.set()

    def seconds_in_group(self) -> float:
        """Return how long the group that is being committed has taken so far."""
        if self._group_began_s is None:
            return 0.0
        return self._parts.clock.monotonic_s() - self._group_began_s

    async def open(self) -> None:
        """Take the transactional name over and learn what was decided. Raises ``Unavailable``."""
        await self._parts.transactions.open()
        await self._parts.ledger.catch_up()
        self.available = True

    async def run(self) -> None:
        """Commit group after group, for ever. Raises ``Superseded``."""
        while True:
            await self._wake.wait()
            await self._gathering.wait(self._queue)
            group = self._next_group()
            self._gathering.begun(len(group))
            if not group and not self._parts.refusals.waiting:
                self._wake.clear()
                continue
            if not self._parts.sealers.ready(self._parts.clock.now_ms()):
                for job in group:
                    self._settle(job, FAILED)
                if not self._queue:
                    self._wake.clear()  # refusals wait for the next message
                continue
            self._group_began_s = self._parts.clock.monotonic_s()
            try:
                await self._commit(group)
            except Unavailable:
                self._parts.refusals.failed()
                self._fail(group)
                await self._reopen()
            except BaseException:
                self._fail(group)  # nobody else will: its senders wait, and so would the end
                raise
            finally:
                self._group_began_s = None

    def _next_group(self) -> list[_Job]:
        group: list[_Job] = []
        size = 0
        while self._queue and len(group) < GROUP_MESSAGES_MAX and size < GROUP_BYTES_MAX:
            job = self._queue.popleft()
            group.append(job)
            size += sum(len(event.body.raw) for event in job.parsed.events)
        return group

    async def _commit(self, group: Sequence[_Job]) -> None:
        ledger = self._parts.ledger
        await self._apart.refused(self._parts.refusals)
        await self._put_apart(group)
        while True:
            await self._prepare(group)
            writing = [job for job in group if job.outcome is None]
            outputs = [output for job in writing for output in job.outputs]
            refused = self._refused()
            outputs += refused
            if not outputs:
                break
            standing: list[Standing] = []

            async def check(
                places: Sequence[Place],
                writing: Sequence[_Job] = writing,
                standing: list[Standing] = standing,
            ) -> None:
                standing += _standing(writing, places)
                await ledger.check(standing)

            try:
                await self._parts.transactions.commit(outputs, check)
            except Contested as contest:
                metrics.CONTESTED.inc()
                await ledger.decided(contest.place)
                continue
            ledger.confirmed(standing)
            self._parts.refusals.done(len(refused))
            for job in writing:
                self._stored(job)
            break
        for job in group:
            self._settle(job, job.outcome or FAILED)

    async def _put_apart(self, group: Sequence[_Job]) -> None:
        """Write the bytes of large messages first: their events will point there."""
        parts = self._parts
        for job in group:
            if is_large(job.parsed) and not parts.ledger.answered.code_of(job.parsed.content):
                job.parsed = await self._apart.message(job.parsed)

    async def _prepare(self, group: Sequence[_Job]) -> None:
        """Decide for each message whether it is written, and make its records."""
        answered = self._parts.ledger.answered
        contents: dict[bytes, list[bytes]] = {}
        made = 0  # events since others had their turn
        for job in group:
            if job.outcome is not None and not job.outcome.resent:
                continue  # refused for good
            parsed = job.parsed
            code = answered.code_of(parsed.content)
            job.outcome = Outcome(code, resent=True) if code else None
            if code:
                continue
            job.reused = job.after_other or answered.is_reuse(parsed)
            if job.reused and parsed.is_once:
                job.outcome = Outcome("AE", (REUSED_ONCE,))
                continue
            known = answered.contents_of(parsed.answer_key)
            in_group = contents.setdefault(parsed.answer_key, [])
            earlier = (*known, *in_group)
            made += len(parsed.events)
            try:
                job.outputs = [*await self._sealed(job), answer_record(parsed, earlier)]
                bytes_of(job.outputs)
            except MalformedEvent:
                self._refuse_large(job)
            else:
                in_group.append(parsed.content[:SHORT])
            if made > EVENTS_A_TURN:
                made = 0
                await asyncio.sleep(0)

    async def _sealed(self, job: _Job) -> list[Output]:
        parts, events = self._parts, job.parsed.events
        events = tuple(map(_flagged, events)) if job.reused else events
        sealer, key_day = parts.sealers.current(parts.clock.now_ms())
        given = (events, job.source, sealer, key_day, parts.random_bytes, parts.keys)
        if len(events) <= EVENTS_A_TURN and not any(event.body.raw_blob for event in events):
            return sealed_records(*given)
        return await asyncio.to_thread(sealed_records, *given)

    def _refuse_large(self, job: _Job) -> None:
        """Refuse what is larger than Kafka takes; FHIR, which is in parts here, its door keeps."""
        parsed, job.outcome = job.parsed, Outcome("AR", (TOO_LARGE,))
        if parsed.header is None:
            return
        refused = Parsed("AR", parsed.header, parsed.charset, (TOO_LARGE, *parsed.findings))
        body, refusals = parsed.events[0].body, self._parts.refusals
        known = (refusals.digest(body.raw or parsed.content, job.source), body.raw_blob)
        refusals.keep(refused, body.raw, job.source, body.received_at_ms, known=known)

    def _refused(self) -> list[Output]:
        parts = self._parts
        if not parts.refusals.waiting:
            return []
        sealer, key_day = parts.sealers.current(parts.clock.now_ms())
        return parts.refusals.records(sealer, key_day)

    def _stored(self, job: _Job) -> None:
        job.outcome = STORED
        if job.reused:
            metrics.CONTROL_ID_REUSES.inc()
        metrics.of_source(job.source).events.inc(len(job.parsed.events))

    def _settle(self, job: _Job, outcome: Outcome) -> None:
        key = job.parsed.answer_key
        pending = self._pending[key]
        pending.remove(job.parsed.content[:SHORT])
        if not pending:
            del self._pending[key]
        if not job.settled.done():
            job.settled.set_result(outcome)

    def _fail(self, group: Sequence[_Job]) -> None:
        """Fail all that waits: it would find the same absent broker, seconds later."""
        self.available = False
        for job in (*group, *self._queue):
            self._settle(job, FAILED)
        self._queue.clear()

    async def _reopen(self) -> None:
        while True:
            try:
                await self.open()
            except Unavailable:
                await asyncio.sleep(RETRY_S)
            else:
                return


def _standing(writing: Sequence[_Job], places: Sequence[Place]) -> list[Standing]:
    found, at = [], 0
    for job in writing:
        at += len(job.outputs)
        found.append(Standing(job.parsed, job.reused, places[at - 1]))  # its answer stands last
    return found


def _flagged(event: ParsedEvent) -> ParsedEvent:
    body = msgspec.structs.replace(event.body, findings=(*event.body.findings, REUSED))
    return msgspec.structs.replace(event, body=body)
