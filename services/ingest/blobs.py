"""Large raw messages apart from their events: sealed parts, and pointers to them. Pure."""

import msgspec

from contracts.blobs import BLOBS, BlobPart, associated_of
from contracts.identified import BlobRef
from plumbing.event_log import Output, Place
from plumbing.sealing import Sealer
from services.ingest.parse import Parsed

LARGE_BYTES = 256 * 1024
PART_BYTES = 512 * 1024  # twice in base64 it stays below Kafka's limit of a record


def is_large(parsed: Parsed) -> bool:
    """Return whether the bytes of this message go apart."""
    return any(len(event.body.raw) > LARGE_BYTES for event in parsed.events)


def blob_records(parsed: Parsed, sealer: Sealer, key_day: str) -> list[Output]:
    """Return the parts of a message's bytes, in order; its events share them."""
    raw, blob_id = parsed.events[0].body.raw, _blob_id(parsed)
    parts = -(-len(raw) // PART_BYTES)
    found = []
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


def pointing(parsed: Parsed, first: Place, parts: int) -> Parsed:
    """Return the message with a pointer in place of its bytes."""
    size = len(parsed.events[0].body.raw)
    ref = BlobRef(
        blob_id=_blob_id(parsed),
        parts=parts,
        bytes=size,
        partition=first.partition,
        offset=first.offset,
    )
    events = tuple(
        event._replace(body=msgspec.structs.replace(event.body, raw=b"", raw_blob=ref))
        for event in parsed.events
    )
    return parsed._replace(events=events)


def _blob_id(parsed: Parsed) -> str:
    return parsed.content[:16].hex()
