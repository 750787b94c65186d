"""Large raw messages apart from their events: sealed parts, and pointers to them. Pure."""

from collections.abc import Sequence

import msgspec

from contracts.blobs import BLOBS, BlobPart, associated_of
from contracts.identified import BlobRef
from plumbing.event_log import Output, Place
from plumbing.sealing import Sealer
from services.ingest.parse import Parsed, ParsedEvent

LARGE_BYTES = 64 * 1024  # beside the same content once more as values, twice in base64
PART_BYTES = 512 * 1024  # twice in base64 it stays below Kafka's limit of a record


def is_large(parsed: Parsed) -> bool:
    """Return whether the bytes of this message go apart: those of all its events count."""
    return sum(len(event.body.raw) for event in parsed.events) > LARGE_BYTES


def blob_records(parsed: Parsed, sealer: Sealer, key_day: str) -> list[Output]:
    """Return the parts of a message's bytes, in order: events of the same bytes share them."""
    found = []
    for number, raw in enumerate(_raws(parsed)):
        blob_id, parts = _blob_id(parsed, number), _part_count(raw)
        for part in range(parts):
            piece = raw[part * PART_BYTES : (part + 1) * PART_BYTES]
            sealed = sealer.seal(piece, associated_of(blob_id, part, sealer.key_id))
            value = BlobPart(
                blob_id=blob_id,
                part=part,
                parts=parts,
                key_id=sealed.key_id,
                key_day=key_day,
                wrapped_key=sealed.wrapped_key,
                nonce=sealed.nonce,
                sealed=sealed.ciphertext,
            )
            found.append(Output(BLOBS.name, parsed.content[:16], BLOBS.encode(value)))
    return found


def pointing(parsed: Parsed, places: Sequence[Place]) -> Parsed:
    """Return the message with pointers in place of its bytes; ``places`` are its blobs'."""
    refs: dict[bytes, BlobRef] = {}
    at = 0
    for number, raw in enumerate(_raws(parsed)):
        refs[raw] = BlobRef(
            blob_id=_blob_id(parsed, number),
            parts=_part_count(raw),
            bytes=len(raw),
            partition=places[at].partition,
            offset=places[at].offset,
        )
        at += _part_count(raw)
    events = tuple(_pointed(event, refs.get(event.body.raw)) for event in parsed.events)
    return msgspec.structs.replace(parsed, events=events)


def _pointed(event: ParsedEvent, ref: BlobRef | None) -> ParsedEvent:
    if ref is None:
        return event
    return msgspec.structs.replace(
        event, body=msgspec.structs.replace(event.body, raw=b"", raw_blob=ref)
    )


def _raws(parsed: Parsed) -> list[bytes]:
    """Return the different bytes that the events hold: one of HL7, one a patient of FHIR."""
    return [raw for raw in dict.fromkeys(event.body.raw for event in parsed.events) if raw]


def _part_count(raw: bytes) -> int:
    return -(-len(raw) // PART_BYTES)


def _blob_id(parsed: Parsed, number: int) -> str:
    return parsed.content[:16].hex() + (f"-{number}" if number else "")
