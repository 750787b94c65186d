"""Large raw messages apart from their events: sealed parts, and pointers to them. Pure."""

from collections.abc import Sequence

import msgspec

from contracts.blobs import BLOBS, BlobPart, associated_of
from contracts.clinical import Finding
from contracts.identified import BlobRef, IdentifiedBody
from plumbing.event_log import Output, Place
from plumbing.sealing import Sealer
from services.ingest.parse import Parsed, ParsedEvent

LARGE_BYTES = 64 * 1024  # beside the same content once more as values, twice in base64
KEY_BYTES = 16
PART_BYTES = 512 * 1024  # twice in base64 it stays below Kafka's limit of a record
TEXT_CHARS_MAX = 200_000  # privacy holds a longer text back (``free_text.py``)
TEXT_BYTES_MAX = 512 * 1024  # of all texts of an event: what stays beside them fits its record
APART = Finding("warn", "OBX-5", "text_apart", "a long text stays in the raw message alone")


def is_large(parsed: Parsed) -> bool:
    """Return whether the bytes of this message go apart: those of all its events count."""
    return sum(len(event.body.raw) for event in parsed.events) > LARGE_BYTES


def blob_records(parsed: Parsed, sealer: Sealer, key_day: str) -> list[Output]:
    """Return the parts of a message's bytes, in order: events of the same bytes share them."""
    found = []
    for number, raw in enumerate(_raws(parsed)):
        name = _blob_id(parsed, number)
        found += part_records(name, parsed.content[:KEY_BYTES], raw, sealer, key_day)
    return found


def part_records(
    blob_id: str, key: bytes, raw: bytes, sealer: Sealer, key_day: str
) -> list[Output]:
    """Return the parts of one blob, in order, all under one ``key``: in one partition."""
    found, parts = [], _part_count(raw)
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
        found.append(Output(BLOBS.name, key, BLOBS.encode(value)))
    return found


def pointing(parsed: Parsed, places: Sequence[Place]) -> Parsed:
    """Return the message with pointers in place of its bytes; ``places`` are its blobs'."""
    refs: dict[bytes, BlobRef] = {}
    at = 0
    for number, raw in enumerate(_raws(parsed)):
        refs[raw] = blob_ref(_blob_id(parsed, number), raw, places[at])
        at += _part_count(raw)
    events = tuple(_pointed(event, refs.get(event.body.raw)) for event in parsed.events)
    return msgspec.structs.replace(parsed, events=events)


def blob_ref(blob_id: str, raw: bytes, place: Place) -> BlobRef:
    """Return the pointer to a blob whose first part stands at ``place``."""
    return BlobRef(
        blob_id=blob_id,
        parts=_part_count(raw),
        bytes=len(raw),
        partition=place.partition,
        offset=place.offset,
    )


def _pointed(event: ParsedEvent, ref: BlobRef | None) -> ParsedEvent:
    if ref is None:
        return event
    body = msgspec.structs.replace(event.body, raw=b"", raw_blob=ref)
    return msgspec.structs.replace(event, body=body)


def without_long_texts(body: IdentifiedBody) -> IdentifiedBody:
    """Return a body whose texts fit a record: the longest stay in its raw bytes alone, and a
    finding says so. Privacy marks each as held back (``too_long``).
    """
    longest = _longest_kept(body)
    notes = tuple(
        msgspec.structs.replace(note, text="", apart_chars=len(note.text))
        if len(note.text) > longest
        else note
        for note in body.notes
    )
    observations = tuple(
        msgspec.structs.replace(one, text="", finding="too_long")
        if len(one.text) > longest
        else one
        for one in body.observations
    )
    if notes == body.notes and observations == body.observations:
        return body
    findings = (*body.findings, APART)
    return msgspec.structs.replace(body, notes=notes, observations=observations, findings=findings)


def _longest_kept(body: IdentifiedBody) -> int:
    """Return how many characters a text may have: privacy's limit, or what all together allow."""
    texts = [note.text for note in body.notes] + [one.text for one in body.observations]
    texts = sorted((one for one in texts if len(one) <= TEXT_CHARS_MAX), key=len)
    size = 0
    for text in texts:
        size += len(text.encode(errors="replace"))
        if size > TEXT_BYTES_MAX:
            return len(text) - 1
    return TEXT_CHARS_MAX


def _raws(parsed: Parsed) -> list[bytes]:
    """Return the different bytes that the events hold: one of HL7, one a patient of FHIR."""
    return [raw for raw in dict.fromkeys(event.body.raw for event in parsed.events) if raw]


def _part_count(raw: bytes) -> int:
    return -(-len(raw) // PART_BYTES)


def _blob_id(parsed: Parsed, number: int) -> str:
    return parsed.content[:KEY_BYTES].hex() + (f"-{number}" if number else "")
