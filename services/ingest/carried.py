"""What another process read of a frame, as bytes that cost this one little to take. Pure.

Objects of a message of 15 MB would be made in one call of a second, in which nothing else of the
process runs. So what an event says comes as the JSON that is sealed (``SaidEvent``), and what must
be known of each message here in pieces of ``MESSAGES_A_PIECE``.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import msgspec

from contracts.clinical import EventType, Finding
from contracts.identified import IdentifiedBody, Patient
from services.ingest.batches import Envelope
from services.ingest.conditions import ORIGINAL, Conditions
from services.ingest.dialect import dialect_of
from services.ingest.frames import ParsedFrame
from services.ingest.hl7 import HEADER_FIELDS, Header
from services.ingest.parse import Parsed, ParsedEvent
from services.ingest.portions import VALUES_MAX, values_of
from services.ingest.said import SaidEvent

MESSAGES_A_PIECE: Final = 200
PIECE_BYTES: Final = 2 * 1024 * 1024  # of raw messages
FINDINGS_MAX: Final = 1_000  # of one message: as many as an OperationOutcome names
LEVELS: Final = ("error", "warn", "info")
NOBODY: Final = Patient(ids=())
# Where ``Header`` takes the fields from that are carried; MSH-1 is not one of them.
HEADER_PLACES: Final = (2, 3, 4, 5, 6, 8, 9, 10, 11, 14, 15, 17)

_json = msgspec.json.Encoder()
_pack = msgspec.msgpack.Encoder()


class _Body(IdentifiedBody, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What is told here: nothing in it goes in circles, and there may be very many."""


class Head(NamedTuple):
    """What is told of a frame before its messages: whether it is a batch, its FHS-11 and BHS-11,
    and how many messages could not be handled.
    """

    is_batch: bool
    envelope: tuple[str | None, str | None]
    faults: int


class _Event(msgspec.Struct, array_like=True, frozen=True, gc=False):
    event_id: str
    route_key: bytes
    event_type: EventType
    application: str
    facility: str
    control_id: str
    received_at_ms: int
    said: bytes
    found: bytes
    values: int
    raw: int  # its place among the raw bytes of the message


class _Header(msgspec.Struct, array_like=True, frozen=True, gc=False):
    field: str
    encoding: str
    charset: str
    sent: tuple[str, ...]
    kind: str
    trigger: str


class _Message(msgspec.Struct, array_like=True, frozen=True, gc=False):
    code: str
    header: _Header | None
    charset: str
    findings: tuple[Finding, ...]
    events: tuple[_Event, ...]
    content: bytes
    answer_key: bytes
    is_once: bool
    asked: tuple[str, str]
    raws: tuple[bytes | None, ...]  # its own first, then others of its events; None: all the frame


class _Piece(msgspec.Struct, array_like=True, frozen=True, gc=False):
    messages: tuple[_Message, ...]
    left_out: dict[str, int]  # findings beyond ``FINDINGS_MAX`` of a message, by code


_piece = msgspec.msgpack.Decoder(_Piece)


def head_of(frame: ParsedFrame, faults: int) -> Head:
    """Return what is told first."""
    return Head(frame.is_batch, (frame.envelope.file_id, frame.envelope.batch_id), faults)


def pieces_of(frame: ParsedFrame, given: bytes) -> Iterator[bytes]:
    """Yield the messages that were read of ``given``, in order, as bytes."""
    messages: list[_Message] = []
    left_out: Counter[str] = Counter()
    size = 0
    for parsed, asked, raw in zip(frame.messages, frame.asked, frame.raws, strict=True):
        messages.append(_message(parsed, asked, _Raws(given, raw), left_out))
        size += len(raw)
        if len(messages) == MESSAGES_A_PIECE or size > PIECE_BYTES:
            yield _pack.encode(_Piece(tuple(messages), left_out))
            messages, left_out, size = [], Counter(), 0
    if messages:
        yield _pack.encode(_Piece(tuple(messages), left_out))


class Brought:
    """The frame ``given`` as it comes together again; its events are ``SaidEvent``.

    ``left_out`` counts findings, by code, that are in none of its messages.
    """

    def __init__(self, given: bytes) -> None:
        """Start without messages."""
        self.left_out: Counter[str] = Counter()
        self._given = given
        self._messages: list[Parsed] = []
        self._asked: list[Conditions] = []
        self._raws: list[bytes] = []

    def add(self, piece: bytes) -> None:
        """Take the next messages: some milliseconds."""
        told = _piece.decode(piece)
        self.left_out.update(told.left_out)
        for one in told.messages:
            raws = [self._given if raw is None else raw for raw in one.raws]
            self._messages.append(_brought(one, raws))
            self._asked.append(Conditions(*one.asked) if any(one.asked) else ORIGINAL)
            self._raws.append(raws[0])

    def frame(self, head: Head) -> ParsedFrame:
        """Return all of it."""
        return ParsedFrame(
            tuple(self._messages),
            head.is_batch,
            tuple(self._asked),
            tuple(self._raws),
            Envelope(*head.envelope),
        )


class _Raws:
    """The different bytes that a message and its events have, mostly one for all."""

    def __init__(self, given: bytes, raw: bytes) -> None:
        self.found: list[bytes | None] = []
        self._given = given
        self._places: dict[bytes, int] = {}
        self.place(raw)

    def place(self, raw: bytes) -> int:
        place = self._places.get(raw)
        if place is None:
            place = self._places[raw] = len(self.found)
            self.found.append(None if raw == self._given else raw)
        return place


def _message(parsed: Parsed, asked: Conditions, raws: _Raws, left_out: Counter[str]) -> _Message:
    findings = parsed.findings
    if len(findings) > FINDINGS_MAX:
        ordered = sorted(findings, key=lambda one: LEVELS.index(one.level))
        findings = tuple(ordered[:FINDINGS_MAX])
        left_out.update(one.code for one in ordered[FINDINGS_MAX:])
    events = tuple([_event(event, raws) for event in parsed.events])
    return _Message(
        parsed.code,
        None if parsed.header is None else _header(parsed.header),
        parsed.charset,
        findings,
        events,
        parsed.content,
        parsed.answer_key,
        parsed.is_once,
        (asked.accept, asked.application),
        tuple(raws.found),
    )


def _event(event: ParsedEvent, raws: _Raws) -> _Event:
    body = event.body
    values = values_of(body)
    is_taken = values <= VALUES_MAX
    told = msgspec.structs.replace(body, findings=(), raw=b"")
    return _Event(
        event.event_id,
        event.route_key,
        body.event_type,
        body.application,
        body.facility,
        body.control_id,
        body.received_at_ms,
        _json.encode(told) if is_taken else b"",
        _json.encode(body.findings) if is_taken else b"[]",
        values,
        raws.place(body.raw),
    )


def _header(header: Header) -> _Header:
    dialect = header.dialect
    sent = (
        header.application, header.facility, header.receiver_application, header.receiver_facility,
        header.sent_at, header.message_type, header.control_id, header.processing_id,
        header.version, header.accept, header.application_answer, header.charset,
    )  # fmt: skip
    field, encoding = dialect.field, header.encoding
    return _Header(field, encoding, dialect.charset, sent, header.kind, header.trigger)


def _brought(message: _Message, raws: Sequence[bytes]) -> Parsed:
    return Parsed(
        message.code,
        None if message.header is None else _brought_header(message.header),
        message.charset,
        message.findings,
        tuple([_brought_event(event, raws) for event in message.events]),
        message.content,
        message.answer_key,
        is_once=message.is_once,
    )


def _brought_event(event: _Event, raws: Sequence[bytes]) -> SaidEvent:
    body = _Body(
        event_type=event.event_type,
        message_type="",
        application=event.application,
        facility=event.facility,
        control_id=event.control_id,
        received_at_ms=event.received_at_ms,
        occurred_at_ms=0,
        patient=NOBODY,
        raw=raws[event.raw],
    )
    return SaidEvent(event.event_id, event.route_key, body, event.said, event.found, event.values)


def _brought_header(told: _Header) -> Header:
    f = [""] * HEADER_FIELDS
    for place, sent in zip(HEADER_PLACES, told.sent, strict=True):
        f[place] = sent
    header = Header(dialect_of(told.field, told.encoding, told.charset), told.encoding, f)
    header.kind, header.trigger = told.kind, told.trigger  # EVN-1 may have told them
    return header
