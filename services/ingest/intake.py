"""From a frame to its answer: parse, tell resends, seal, write, and only then AA."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from contracts.clinical import Finding
from contracts.identified import IDENTIFIED, IdentifiedEvent
from plumbing import log, trace
from plumbing.clock import Clock
from plumbing.errors import MalformedEvent, Unavailable
from plumbing.event_log import EventWriter, Output
from plumbing.sealing import Sealer
from services.ingest import metrics
from services.ingest.answers import NOT_READ, NOT_STORED, TOO_LARGE, Acknowledger
from services.ingest.frames import ParsedFrame, parse_frame
from services.ingest.gate import Gate
from services.ingest.hl7 import read
from services.ingest.identity import Keys, sender
from services.ingest.parse import Parsed, ParsedEvent, SourceProfile
from services.ingest.resends import Answered, answer_record
from services.ingest.sealers import Sealers

REUSED = Finding("warn", "MSH-10", "control_id_reuse", "this control id came with other content")
ANSWERS_WAITING_MAX = 50_000
ANSWERS_PER_WRITE = 500
RETRY_S = 0.5
CODE_RANK = {"AA": 0, "AE": 1, "AR": 2}

_log = log.get("ingest")
_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one frame. ``codes`` has one per message; ``retry``: not stored, send again."""

    payload: bytes
    codes: tuple[str, ...]
    retry: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one message is answered."""

    code: str
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Parts:
    """What an intake works with."""

    writer: EventWriter
    sealers: Sealers
    answered: Answered
    keys: Keys
    clock: Clock
    random_bytes: Callable[[int], bytes]
    gate: Gate


class Intake:
    """One per process; every front door hands its frames to ``take``."""

    def __init__(self, parts: Parts, *, ack_deadline_s: float) -> None:
        """Keep the parts; ``ack_deadline_s`` bounds the wait for Kafka's confirmation."""
        self._parts = parts
        self._ack_deadline_s = ack_deadline_s
        self._acknowledger = Acknowledger(parts.random_bytes(4).hex().upper())
        self._in_flight: dict[bytes, asyncio.Task[Outcome]] = {}
        self._to_remember: deque[Output] = deque()
        self._remembering: asyncio.Task[None] | None = None
        self._received = 0

    async def take(self, frame: bytes, source: SourceProfile) -> Reply:
        """Return the answer to a frame. Parsing starts at once, so calls keep their order."""
        parts = self._parts
        began_s = parts.clock.monotonic_s()
        now_ms = parts.clock.now_ms()
        metrics.LAST_MESSAGE.labels(source.name).set(now_ms / 1000)
        metrics.BYTES.labels(source.name).inc(len(frame))
        parsed = self._parse(frame, source, now_ms)
        parts.gate.enter(len(frame))
        try:
            if len(parsed.messages) == 1:
                outcomes = [await self._settle(parsed.messages[0], source)]
            else:
                waits = (self._settle(message, source) for message in parsed.messages)
                outcomes = await asyncio.gather(*waits)
        finally:
            parts.gate.leave(len(frame))
        reply = self._reply(parsed, outcomes)
        metrics.ACK_SECONDS.labels(source.name).observe(parts.clock.monotonic_s() - began_s)
        _count(parsed, outcomes, source)
        return reply

    async def refuse_large(self, head: bytes, source: SourceProfile) -> Reply:
        """Return AR for a frame over the limit, of which ``head`` is the beginning."""
        line = head.replace(b"\n", b"\r").partition(b"\r")[0].decode("latin-1")
        header = read(line, "latin-1", strict=False).header
        parsed = Parsed("AR", header, "latin-1", (TOO_LARGE,))
        metrics.MESSAGES.labels(source.name, "refused", "AR").inc()
        return self._reply(ParsedFrame((parsed,), is_batch=False), [_outcome(parsed)])

    async def drain(self) -> None:
        """Wait until what is in flight is settled and the answers are kept."""
        while self._in_flight:
            await asyncio.wait(tuple(self._in_flight.values()))
        if self._remembering is not None:
            await self._remembering

    def _parse(self, frame: bytes, source: SourceProfile, now_ms: int) -> ParsedFrame:
        try:
            parsed = parse_frame(frame, source, self._parts.keys, now_ms, self._received)
        except Exception as error:  # noqa: BLE001 - one message must not stop a hospital's feed
            metrics.PARSE_FAILURES.inc()
            _log.error("A message could not be handled", error=error, source=source.name)
            return ParsedFrame((Parsed("AE", None, "ascii", (NOT_READ,)),), is_batch=False)
        self._received += len(parsed.messages)
        return parsed

    async def _settle(self, parsed: Parsed, source: SourceProfile) -> Outcome:
        if parsed.code != "AA":
            return _outcome(parsed)
        code = self._parts.answered.code_of(parsed.content)
        if code:
            metrics.RESENDS.inc()
            return Outcome(code)
        writing = self._in_flight.get(parsed.content)
        if writing is None:
            writing = asyncio.create_task(self._store(parsed, source))
            self._in_flight[parsed.content] = writing
            writing.add_done_callback(lambda _: self._in_flight.pop(parsed.content, None))
        else:
            metrics.RESENDS.inc()
        try:
            async with asyncio.timeout(self._ack_deadline_s):
                # The write goes on after the deadline: a resend meanwhile waits for the same one.
                return await asyncio.shield(writing)
        except TimeoutError:
            self._parts.gate.shut()
            return Outcome("AE", (NOT_STORED,))

    async def _store(self, parsed: Parsed, source: SourceProfile) -> Outcome:
        parts = self._parts
        reused = parts.answered.is_reuse(parsed)
        try:
            sealer, key_day = parts.sealers.current(parts.clock.now_ms())
            outputs = []
            for event in parsed.events:
                flagged = _flagged(event) if reused else event
                body = event.body
                by = sender(parts.keys, source.name, body.application, body.facility)
                outputs.append(
                    sealed_record(flagged, source.name, sealer, key_day, parts.random_bytes, by)
                )
            await parts.writer.write(outputs)
        except Unavailable:
            parts.gate.shut()
            return Outcome("AE", (NOT_STORED,))
        except MalformedEvent:
            return Outcome("AR", (TOO_LARGE,))
        if reused:
            metrics.CONTROL_ID_REUSES.inc()
        parts.answered.remember(parsed.answer_key, parsed.content, parsed.code)
        metrics.ANSWERS_KEPT.set(len(parts.answered))
        metrics.EVENTS.labels(source.name).inc(len(outputs))
        self._remember(answer_record(parsed))
        return _outcome(parsed)

    def _remember(self, record: Output) -> None:
        # After the event is confirmed, never before: an answer without its event would lose it.
        if len(self._to_remember) >= ANSWERS_WAITING_MAX:
            self._to_remember.popleft()
            metrics.ANSWERS_DROPPED.inc()
        self._to_remember.append(record)
        if self._remembering is None or self._remembering.done():
            self._remembering = asyncio.create_task(self._write_answers())

    async def _write_answers(self) -> None:
        while self._to_remember:
            count = min(len(self._to_remember), ANSWERS_PER_WRITE)
            records = [self._to_remember.popleft() for _ in range(count)]
            try:
                await self._parts.writer.write(records)
            except Unavailable:
                self._to_remember.extendleft(reversed(records))
                await asyncio.sleep(RETRY_S)

    def _reply(self, parsed: ParsedFrame, outcomes: Sequence[Outcome]) -> Reply:
        now_ms = self._parts.clock.now_ms()
        answers = [
            self._acknowledger.answer(message.header, outcome.code, outcome.findings, now_ms)
            for message, outcome in zip(parsed.messages, outcomes, strict=True)
        ]
        first = parsed.messages[0]
        text = answers[0]
        if parsed.is_batch:
            text = self._acknowledger.batch(first.header, answers, now_ms)
        return Reply(
            payload=text.encode(first.charset, "replace"),
            codes=tuple(outcome.code for outcome in outcomes),
            retry=any(NOT_STORED in outcome.findings for outcome in outcomes),
        )


def _outcome(parsed: Parsed) -> Outcome:
    return Outcome(parsed.code, parsed.findings if parsed.code != "AA" else ())


def _flagged(event: ParsedEvent) -> ParsedEvent:
    body = msgspec.structs.replace(event.body, findings=(*event.body.findings, REUSED))
    return ParsedEvent(event.event_id, event.route_key, body)


def sealed_record(
    event: ParsedEvent,
    source: str,
    sealer: Sealer,
    key_day: str,
    random_bytes: Callable[[int], bytes],
    sent_by: str,
) -> Output:
    """Return the record of an event: sealed, keyed by its patient, with its headers.

    ``sent_by`` is the source whose refusals are counted together: see ``identity.sender``.
    """
    associated = f"{IDENTIFIED.name}|{event.event_id}|{sealer.key_id}".encode()
    sealed = sealer.seal(_encoder.encode(event.body), associated)
    value = IdentifiedEvent(
        event_id=event.event_id,
        event_type=event.body.event_type,
        source=source,
        key_id=sealed.key_id,
        key_day=key_day,
        wrapped_key=sealed.wrapped_key,
        nonce=sealed.nonce,
        sealed=sealed.ciphertext,
    )
    headers = (*trace.headers_of(event.event_id, (), random_bytes), ("source", sent_by.encode()))
    return Output(IDENTIFIED.name, event.route_key, IDENTIFIED.encode(value), headers)


def _count(parsed: ParsedFrame, outcomes: Sequence[Outcome], source: SourceProfile) -> None:
    for message, outcome in zip(parsed.messages, outcomes, strict=True):
        event_type = message.events[0].body.event_type if message.events else "refused"
        metrics.MESSAGES.labels(source.name, event_type, outcome.code).inc()
        if NOT_STORED in outcome.findings:
            metrics.NOT_STORED.inc()
        for finding in message.findings:
            metrics.FINDINGS.labels(finding.code).inc()
