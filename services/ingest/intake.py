"""From a frame to its answer: parse, tell resends, hand on to be stored, and only then AA."""

import asyncio
import itertools
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import Any

from contracts.clinical import Finding
from plumbing.clock import Clock
from services.ingest import metrics
from services.ingest.answers import NOT_STORED, TOO_LARGE, Acknowledger
from services.ingest.blobs import LARGE_BYTES
from services.ingest.committer import FAILED, Committer, Outcome
from services.ingest.conditions import conditions_of
from services.ingest.doors import Door
from services.ingest.frames import ParsedFrame, header_of
from services.ingest.gate import Gate
from services.ingest.identity import Keys
from services.ingest.keeping import Keeper
from services.ingest.outcomes import is_refused
from services.ingest.parse import Parsed
from services.ingest.parser_process import ParserProcess
from services.ingest.reading import ParseResource, read_frame, read_resource
from services.ingest.refusals import Refusals
from services.ingest.replies import Reply, reply_of
from services.ingest.resends import Answered
from services.ingest.silence import Habits
from services.ingest.taken import Found, Taken

SWEEP_S = 0.05
MESSAGES_A_TURN = 200  # of one frame: some 5 ms
MESSAGES_AT_ONCE = 1_000  # of one frame on their way to Kafka: two groups
LOOK_S = 0.005
SOME_BYTES = 4_096  # fewer hold no more messages than that
ORDERS_PER_FRAME = 1_000_000  # more than a frame has messages: each gets a place of its own


# Of messages for which no time was left: nothing is known against Kafka.
TOO_LATE = Outcome("AE", (NOT_STORED,))


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
    parser: ParserProcess
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
        self._keeper = Keeper(parts.refusals, parts.committer.wake)
        self._in_flight: dict[bytes, asyncio.Future[Outcome]] = {}
        self._waiting: deque[tuple[float, Taken[Any], int]] = deque()
        self._orders = itertools.count(0, ORDERS_PER_FRAME)

    def take(self, frame: bytes, door: Door) -> "asyncio.Future[Reply]":
        """Return the answer to a frame, to come. It is parsed at once, so calls keep their order,
        but after one that ``takes_long``: that is parsed aside, wait for its answer.
        """
        if takes_long(frame):
            return asyncio.create_task(self._take_aside(frame, door))
        began_s, now_ms = self._parts.clock.monotonic_s(), self._parts.clock.now_ms()
        return self._hand_on(self._parse(frame, door, now_ms), len(frame), door, began_s, now_ms)

    async def _take_aside(self, frame: bytes, door: Door) -> Reply:
        parts = self._parts
        began_s, now_ms = parts.clock.monotonic_s(), parts.clock.now_ms()
        parts.gate.enter(len(frame))
        try:  # seconds for some; its door waits for it
            if parts.parser.takes(frame):
                parsed = await parts.parser.frame(frame, door, now_ms, next(self._orders))
            else:
                parsed = await asyncio.to_thread(self._parse, frame, door, now_ms)
        finally:
            parts.gate.leave(len(frame))
        for index, (message, raw) in enumerate(zip(parsed.messages, parsed.raws, strict=True)):
            if is_refused(_refusal(message)):  # else it comes again
                await self._keeper.keep_aside(message, raw, door, now_ms)
            await _turn(index)
        taken = Taken(parsed.messages, len(frame), door, began_s, tuple)
        outcomes = await self._settle_in_turns(taken)
        now_ms = parts.clock.now_ms()
        return await asyncio.to_thread(reply_of, parsed, self._acknowledger, now_ms, outcomes)

    def _hand_on(
        self, parsed: ParsedFrame, size: int, door: Door, began_s: float, now_ms: int
    ) -> "asyncio.Future[Reply]":
        for message, raw in zip(parsed.messages, parsed.raws, strict=True):
            if message.code != "AA":
                self._keeper.keep(message, raw, door, now_ms)
        finish = partial(reply_of, parsed, self._acknowledger, now_ms)
        return self._settle_all(Taken(parsed.messages, size, door, began_s, finish))

    async def take_resource(self, body: bytes, door: Door, parse: ParseResource) -> Outcome:
        """Return what became of a FHIR resource; its findings also where it was stored."""
        began_s, now_ms = self._parts.clock.monotonic_s(), self._parts.clock.now_ms()
        parsed = await self._read_resource(body, door, parse, now_ms)
        if is_refused(_refusal(parsed)):
            await self._keeper.keep_aside(parsed, body, door, now_ms)
        outcome = await self._settle_all(Taken((parsed,), len(body), door, began_s, itemgetter(0)))
        if parsed.code == "AA" and is_refused(outcome):
            # All of it: its events have a patient's part each.
            found = (*outcome.findings, *parsed.findings)
            refused = Parsed(outcome.code, None, parsed.charset, found)
            await self._keeper.keep_aside(refused, body, door, now_ms)
        return Outcome(outcome.code, outcome.findings or parsed.findings, resent=outcome.resent)

    async def _read_resource(
        self, body: bytes, door: Door, parse: ParseResource, now_ms: int
    ) -> Parsed:
        parts, order = self._parts, next(self._orders)
        parts.gate.enter(len(body))
        try:
            if parts.parser.takes(body):
                return await parts.parser.resource(parse, body, door, now_ms, order)
            given = (parse, body, door, parts.keys, (now_ms, order))
            if len(body) > LARGE_BYTES:
                return await asyncio.to_thread(read_resource, *given)
            return read_resource(*given)
        finally:
            parts.gate.leave(len(body))

    async def refuse_resource(self, body: bytes, door: Door, why: Finding) -> Outcome:
        """Return AE for a resource whose request asks for what is not done."""
        parsed = Parsed("AE", None, "utf-8", (why,))
        metrics.MESSAGES.labels(door.source.name, "refused", "AE").inc()
        await self._keeper.keep_aside(parsed, body, door, self._parts.clock.now_ms())
        return _refusal(parsed)

    def refuse_large(self, head: bytes, door: Door) -> "asyncio.Future[Reply]":
        """Return AR for a frame over the limit, of which ``head`` is the beginning."""
        header, charset = header_of(head, door.source.charset)
        parsed = Parsed("AR", header, charset, (TOO_LARGE,))
        metrics.MESSAGES.labels(door.source.name, "refused", "AR").inc()
        self._keeper.keep(parsed, head, door, self._parts.clock.now_ms(), is_head=True)
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
        self._came(taken, taken.messages)
        for index, parsed in enumerate(taken.messages):
            if self._settle(taken, index, parsed):
                self._waiting.append((self._deadline_s(), taken, index))
        return taken.found

    async def _settle_in_turns(self, taken: Taken[Found]) -> Found:
        """As ``_settle_all`` of a frame with many messages: others have their turn in between, at
        Kafka too, as only ``MESSAGES_AT_ONCE`` of them are on their way.
        """
        self._note(taken)
        loop, deadline_s = asyncio.get_running_loop(), self._deadline_s()
        for index, parsed in enumerate(taken.messages):
            if index % MESSAGES_A_TURN == 0:
                self._came(taken, taken.messages[index : index + MESSAGES_A_TURN])
                # To be told of each message would cost each message.
                while taken.on_their_way(index) > MESSAGES_AT_ONCE and loop.time() < deadline_s:  # noqa: ASYNC110
                    await asyncio.sleep(LOOK_S)
            if loop.time() < deadline_s:
                self._settle(taken, index, parsed)
            else:
                self._settled(taken, index, TOO_LATE)
            await _turn(index)
        await asyncio.wait((taken.found,), timeout=max(0.0, deadline_s - loop.time()))
        for index in range(len(taken.messages)):
            self._settled(taken, index, FAILED)
            await _turn(index)
        for index in range(MESSAGES_A_TURN, len(taken.messages), MESSAGES_A_TURN):
            taken.count(slice(index, index + MESSAGES_A_TURN))
            await asyncio.sleep(0)
        return taken.found.result()

    def _note(self, taken: Taken[Any]) -> None:
        parts = self._parts
        told = metrics.of_source(taken.door.source.name)
        told.last_message.set(parts.clock.now_ms() / 1000)
        told.bytes.inc(taken.size)
        parts.gate.enter(taken.size)
        if not taken.messages:  # an empty batch
            parts.gate.leave(taken.size)
            taken.tell()

    def _came(self, taken: Taken[Any], messages: Sequence[Parsed]) -> None:
        now_s = self._parts.clock.now_ms() / 1000
        self._parts.habits.came(taken.door.source.name, messages, now_s)

    def _settle(self, taken: Taken[Any], index: int, parsed: Parsed) -> bool:
        """Have one message stored, or say at once what becomes of it; return whether it waits."""
        if parsed.code != "AA":
            self._settled(taken, index, _refusal(parsed))
            return False
        code = self._parts.answered.code_of(parsed.content)
        if code:
            metrics.RESENDS.inc()
            self._settled(taken, index, Outcome(code, resent=True))
            return False
        writing = self._in_flight.get(parsed.content)
        if writing is None:
            writing = self._parts.committer.submit(parsed, taken.door.source.name)
            self._in_flight[parsed.content] = writing
        else:
            metrics.RESENDS.inc()
        # The write goes on after the deadline: a resend meanwhile waits for the same one.
        writing.add_done_callback(partial(self._written, taken, index))
        return True

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
        taken.count(slice(MESSAGES_A_TURN))  # more than that are counted in turns
        taken.tell()

    def refuse_large_resource(self, head: bytes, door: Door) -> Outcome:
        """Return AR for a resource over the limit, of which ``head`` is the beginning."""
        parsed = Parsed("AR", None, "utf-8", (TOO_LARGE,))
        metrics.MESSAGES.labels(door.source.name, "refused", "AR").inc()
        self._keeper.keep(parsed, head, door, self._parts.clock.now_ms(), is_head=True)
        return _refusal(parsed)

    def _deadline_s(self) -> float:
        return asyncio.get_running_loop().time() + self._parts.ack_deadline_s

    def _parse(self, frame: bytes, door: Door, now_ms: int) -> ParsedFrame:
        return read_frame(frame, door, self._parts.keys, now_ms, next(self._orders))


def takes_long(frame: bytes) -> bool:
    """Return whether a frame is for a thread: it is large, or has many messages."""
    size = len(frame)
    return size > LARGE_BYTES or (size > SOME_BYTES and frame.count(b"MSH") > MESSAGES_A_TURN)


def _refusal(parsed: Parsed) -> Outcome:
    return Outcome(parsed.code, parsed.findings)


async def _turn(index: int) -> None:
    """Let others have theirs, now and then."""
    if index % MESSAGES_A_TURN == MESSAGES_A_TURN - 1:
        await asyncio.sleep(0)
