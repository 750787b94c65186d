"""From a frame to its answer: parse, tell resends, hand on to be stored, and only then AA."""

import asyncio
import itertools
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from contracts.clinical import Finding
from plumbing.clock import Clock
from services.ingest import metrics
from services.ingest.answers import NOT_STORED, REUSED_ONCE, TOO_LARGE, Acknowledger
from services.ingest.blobs import LARGE_BYTES
from services.ingest.committer import FAILED, Committer, Outcome
from services.ingest.conditions import conditions_of
from services.ingest.doors import Door
from services.ingest.frames import ParsedFrame, header_of
from services.ingest.gate import Gate
from services.ingest.identity import Keys
from services.ingest.parse import Parsed
from services.ingest.reading import ParseResource, read_frame, read_resource
from services.ingest.refusals import Refusals
from services.ingest.replies import Reply, reply_of
from services.ingest.resends import Answered
from services.ingest.silence import Habits
from services.ingest.taken import Found, Taken

SWEEP_S = 0.05
MESSAGES_A_TURN = 200  # of one frame: some 5 ms
SOME_BYTES = 4_096  # fewer hold no more messages than that
ORDERS_PER_FRAME = 1_000_000  # more than a frame has messages: each gets a place of its own


@dataclass(frozen=True)
class Parts:
    """What an intake works with. ``acknowledger_prefix`` makes the ids of our answers ours."""

    committer: Committer
    answered: Answered
    refusals: Refusals
    habits: Habits
    keys: Keys
    clock: Clock
    gate: Gate
    acknowledger_prefix: str
    ack_deadline_s: float


class Intake:
    """One per process; every front door hands its frames to ``take``.

    No task is made for a message: what waits for Kafka is a callback on the write. That is a
    fifth of what a message costs.
    """

    def __init__(self, parts: Parts) -> None:
        """Keep the parts."""
        self._parts = parts
        self._acknowledger = Acknowledger(parts.acknowledger_prefix)
        self._in_flight: dict[bytes, asyncio.Future[Outcome]] = {}
        self._waiting: deque[tuple[float, Taken[Any], int]] = deque()
        self._orders = itertools.count(0, ORDERS_PER_FRAME)

    def take(self, frame: bytes, door: Door) -> "asyncio.Future[Reply]":
        """Return the answer to a frame, to come. It is parsed at once, so calls keep their order,
        but after one that ``takes_long``: that is parsed in a thread, wait for its answer.
        """
        if takes_long(frame):
            return asyncio.create_task(self._take_aside(frame, door))
        began_s, now_ms = self._parts.clock.monotonic_s(), self._parts.clock.now_ms()
        return self._hand_on(self._parse(frame, door, now_ms), len(frame), door, began_s, now_ms)

    async def _take_aside(self, frame: bytes, door: Door) -> Reply:
        began_s, now_ms = self._parts.clock.monotonic_s(), self._parts.clock.now_ms()
        self._parts.gate.enter(len(frame))
        try:  # seconds for some; its door waits for it
            parsed = await asyncio.to_thread(self._parse, frame, door, now_ms)
        finally:
            self._parts.gate.leave(len(frame))
        self._keep_refused(parsed, door, now_ms)
        taken = Taken(parsed.messages, len(frame), door, began_s, tuple)
        outcomes = await self._settle_in_turns(taken)
        now_ms = self._parts.clock.now_ms()
        return await asyncio.to_thread(reply_of, parsed, self._acknowledger, now_ms, outcomes)

    def _hand_on(
        self, parsed: ParsedFrame, size: int, door: Door, began_s: float, now_ms: int
    ) -> "asyncio.Future[Reply]":
        self._keep_refused(parsed, door, now_ms)
        finish = partial(reply_of, parsed, self._acknowledger, now_ms)
        return self._settle_all(Taken(parsed.messages, size, door, began_s, finish))

    def _keep_refused(self, parsed: ParsedFrame, door: Door, now_ms: int) -> None:
        for message, raw in zip(parsed.messages, parsed.raws, strict=True):
            if message.code != "AA":
                self._keep(message, raw, door, now_ms)

    async def take_resource(self, body: bytes, door: Door, parse: ParseResource) -> Outcome:
        """Return what became of a FHIR resource; its findings also where it was stored."""
        began_s, now_ms = self._parts.clock.monotonic_s(), self._parts.clock.now_ms()
        order = next(self._orders)
        self._parts.gate.enter(len(body))
        try:
            given = (parse, body, door, self._parts.keys, now_ms, order)
            if len(body) > LARGE_BYTES:
                parsed = await asyncio.to_thread(read_resource, *given)
            else:
                parsed = read_resource(*given)
        finally:
            self._parts.gate.leave(len(body))
        if parsed.code != "AA":
            self._keep(parsed, body, door, now_ms)
        outcome = await self._settle_all(Taken((parsed,), len(body), door, began_s, _only))
        if (
            REUSED_ONCE in outcome.findings
        ):  # all of it, where its events have a patient's part each
            self._keep(Parsed("AE", None, parsed.charset, outcome.findings), body, door, now_ms)
        return Outcome(outcome.code, outcome.findings or parsed.findings, resent=outcome.resent)

    def refuse_resource(self, body: bytes, door: Door, why: Finding) -> Outcome:
        """Return AE for a resource whose request asks for what is not done."""
        parsed = Parsed("AE", None, "utf-8", (why,))
        metrics.MESSAGES.labels(door.source.name, "refused", "AE").inc()
        self._keep(parsed, body, door, self._parts.clock.now_ms())
        return _refusal(parsed)

    def refuse_large(self, head: bytes, door: Door) -> "asyncio.Future[Reply]":
        """Return AR for a frame over the limit, of which ``head`` is the beginning."""
        header, charset = header_of(head, door.source.charset)
        parsed = Parsed("AR", header, charset, (TOO_LARGE,))
        metrics.MESSAGES.labels(door.source.name, "refused", "AR").inc()
        self._keep(parsed, head, door, self._parts.clock.now_ms(), is_head=True)
        frame = ParsedFrame((parsed,), is_batch=False, asked=(conditions_of(head),))
        found: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        now_ms = self._parts.clock.now_ms()
        found.set_result(reply_of(frame, self._acknowledger, now_ms, [_refusal(parsed)]))
        return found

    async def expire(self) -> None:
        """End the waits that are over their deadline, for ever. One clock for all costs less than a
        timer for each message.
        """
        while True:
            await asyncio.sleep(SWEEP_S)
            now_s = asyncio.get_running_loop().time()
            while self._waiting:
                deadline_s, taken, index = self._waiting[0]
                if deadline_s > now_s and not taken.is_settled(index):
                    break
                self._waiting.popleft()
                self._settled(taken, index, FAILED)

    async def drain(self) -> None:
        """Wait until what is in flight is settled."""
        while self._in_flight:
            await asyncio.wait(tuple(self._in_flight.values()))

    def _settle_all(self, taken: Taken[Found]) -> "asyncio.Future[Found]":
        """Have each message stored, known as a resend, or refused; return the answer, to come."""
        self._note(taken)
        for index, parsed in enumerate(taken.messages):
            self._settle(taken, index, parsed)
        return taken.found

    async def _settle_in_turns(self, taken: Taken[Found]) -> Found:
        """As ``_settle_all`` of a frame with many messages: others have their turn in between."""
        self._note(taken)
        for index, parsed in enumerate(taken.messages):
            self._settle(taken, index, parsed)
            if index % MESSAGES_A_TURN == MESSAGES_A_TURN - 1:
                await asyncio.sleep(0)
        return await taken.found

    def _note(self, taken: Taken[Any]) -> None:
        parts, source = self._parts, taken.door.source.name
        told, now_s = metrics.of_source(source), parts.clock.now_ms() / 1000
        told.last_message.set(now_s)
        parts.habits.came(source, taken.messages, now_s)
        told.bytes.inc(taken.size)
        parts.gate.enter(taken.size)
        if not taken.messages:  # an empty batch
            parts.gate.leave(taken.size)
            taken.tell()

    def _settle(self, taken: Taken[Any], index: int, parsed: Parsed) -> None:
        if parsed.code != "AA":
            self._settled(taken, index, _refusal(parsed))
            return
        code = self._parts.answered.code_of(parsed.content)
        if code:
            metrics.RESENDS.inc()
            self._settled(taken, index, Outcome(code, resent=True))
            return
        writing = self._in_flight.get(parsed.content)
        if writing is None:
            writing = self._parts.committer.submit(parsed, taken.door.source.name)
            self._in_flight[parsed.content] = writing
        else:
            metrics.RESENDS.inc()
        # The write goes on after the deadline: a resend meanwhile waits for the same one.
        writing.add_done_callback(partial(self._written, taken, index))
        self._waiting.append((self._deadline_s(), taken, index))

    def _written(self, taken: Taken[Any], index: int, writing: "asyncio.Future[Outcome]") -> None:
        content = taken.messages[index].content
        if self._in_flight.get(content) is writing:
            del self._in_flight[content]
        self._settled(taken, index, writing.result())

    def _settled(self, taken: Taken[Any], index: int, outcome: Outcome) -> None:
        """Note what became of a message, unless that is known; the last one makes the answer."""
        if taken.is_settled(index):
            return
        if outcome is FAILED:
            self._parts.gate.shut()
        if not taken.settle(index, outcome):
            return
        self._parts.gate.leave(taken.size)
        source = taken.door.source.name
        took_s = self._parts.clock.monotonic_s() - taken.began_s
        metrics.of_source(source).ack_seconds.observe(took_s)
        _count(taken.messages, taken.outcomes, source)
        taken.tell()

    def refuse_large_resource(self, head: bytes, door: Door) -> Outcome:
        """Return AR for a resource over the limit, of which ``head`` is the beginning."""
        parsed = Parsed("AR", None, "utf-8", (TOO_LARGE,))
        metrics.MESSAGES.labels(door.source.name, "refused", "AR").inc()
        self._keep(parsed, head, door, self._parts.clock.now_ms(), is_head=True)
        return _refusal(parsed)

    def _keep(
        self, parsed: Parsed, raw: bytes, door: Door, now_ms: int, *, is_head: bool = False
    ) -> None:
        self._parts.refusals.keep(parsed, raw, door.source.name, now_ms, is_head=is_head)
        self._parts.committer.wake()

    def _deadline_s(self) -> float:
        return asyncio.get_running_loop().time() + self._parts.ack_deadline_s

    def _parse(self, frame: bytes, door: Door, now_ms: int) -> ParsedFrame:
        return read_frame(frame, door, self._parts.keys, now_ms, next(self._orders))


def takes_long(frame: bytes) -> bool:
    """Return whether a frame is for a thread: it is large, or has many messages."""
    size = len(frame)
    return size > LARGE_BYTES or (size > SOME_BYTES and frame.count(b"MSH") > MESSAGES_A_TURN)


def _only(outcomes: Sequence[Outcome]) -> Outcome:
    return outcomes[0]


def _refusal(parsed: Parsed) -> Outcome:
    return Outcome(parsed.code, parsed.findings)


def _count(messages: Sequence[Parsed], outcomes: Sequence[Outcome], source: str) -> None:
    for message, outcome in zip(messages, outcomes, strict=True):
        event_type = message.events[0].body.event_type if message.events else "refused"
        metrics.answered(source, event_type, outcome.code).inc()
        if NOT_STORED in outcome.findings:
            metrics.NOT_STORED.inc()
        for finding in message.findings:
            metrics.found(finding.code).inc()
