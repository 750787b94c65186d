"""Events as they stand on the topic: sealed, keyed by their patient, with their headers. Pure."""

import zlib
from collections.abc import Callable, Sequence

import msgspec
from librt.base64 import b64encode

from contracts.clinical import EventType
from contracts.identified import IDENTIFIED, IdentifiedBody, IdentifiedEvent
from plumbing import trace
from plumbing.errors import MalformedEvent
from plumbing.event_log import Output
from plumbing.remembering import remembered
from plumbing.sealing import Sealer
from services.ingest.identity import Keys, sender
from services.ingest.parse import ParsedEvent
from services.ingest.portions import VALUES_MAX, values_of
from services.ingest.said import SaidEvent

# Packing takes milliseconds, and what repeats its codes and units a tenth of the room. In base64 it
# fits a record, and in base64 once more the record of its refusal.
PLAIN_BYTES_MAX = 128 * 1024

_encoder = msgspec.json.Encoder()
# Room for the JSON of most events: to begin small and grow costs a copy each time.
ENCODED_BYTES = 4_096
_sent_by = remembered(4_096)(sender)  # the same few, with every message


def sealed_records(
    events: Sequence[ParsedEvent],
    source: str,
    sealer: Sealer,
    key_day: str,
    random_bytes: Callable[[int], bytes],
    keys: Keys,
) -> list[Output]:
    """Return the records of the events of one message. Raises ``MalformedEvent`` where one has
    more values than a message may have.
    """
    if any(_values(event) > VALUES_MAX for event in events):
        raise MalformedEvent("too_large")
    return [
        sealed_record(
            event,
            source,
            sealer,
            key_day,
            random_bytes,
            sender_of(keys, source, event.body),
        )
        for event in events
    ]


def sender_of(keys: Keys, source: str, body: IdentifiedBody) -> str:
    """Return who sent an event, as its record's header and the watch for silence name them."""
    return _sent_by(keys, source, body.application, body.facility)


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
    plain = encoded_said(event) if isinstance(event, SaidEvent) else encoded(event.body)
    value = _sealed(event.event_id, event.body.event_type, plain, source, (sealer, key_day))
    headers = (*trace.headers_of(event.event_id, (), random_bytes), ("source", sent_by.encode()))
    return Output(IDENTIFIED.name, event.route_key, IDENTIFIED.encode(value), headers)


def encoded(body: IdentifiedBody) -> bytes:
    """Return the JSON of a body, ``raw`` at its end.

    That is most of it, and base64 of it by ``msgspec`` takes as long as all else: ``librt`` has it
    by the processor's wide registers.
    """
    raw = body.raw
    if not raw:
        return _encoder.encode(body)
    found = bytearray(ENCODED_BYTES)
    _encoder.encode_into(msgspec.structs.replace(body, raw=b""), found)
    found.pop()  # the closing brace
    return b"".join((found, b',"raw":"', b64encode(raw), b'"}'))


def encoded_said(event: SaidEvent) -> bytes:
    """Return the JSON of the body of an event that another process read."""
    raw = event.body.raw
    told = event.json()
    return b"".join((told, b',"raw":"', b64encode(raw), b'"}')) if raw else told + b"}"


def sealed_event(
    event_id: str, body: IdentifiedBody, source: str, sealer: Sealer, key_day: str
) -> IdentifiedEvent:
    """Return the body sealed under the id of its event, packed where it is long."""
    return _sealed(event_id, body.event_type, encoded(body), source, (sealer, key_day))


def _values(event: ParsedEvent) -> int:
    return event.values if isinstance(event, SaidEvent) else values_of(event.body)


def _sealed(
    event_id: str, event_type: EventType, plain: bytes, source: str, key: tuple[Sealer, str]
) -> IdentifiedEvent:
    sealer, key_day = key
    associated = f"{IDENTIFIED.name}|{event_id}|{sealer.key_id}".encode()
    packed = len(plain) > PLAIN_BYTES_MAX
    sealed = sealer.seal(zlib.compress(plain) if packed else plain, associated)
    return IdentifiedEvent(
        event_id=event_id,
        event_type=event_type,
        source=source,
        key_id=sealed.key_id,
        key_day=key_day,
        wrapped_key=sealed.wrapped_key,
        nonce=sealed.nonce,
        sealed=sealed.ciphertext,
        packed=packed,
    )
