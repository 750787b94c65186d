"""From bytes to the messages that are stored: parsed, admitted by their door, of bounded size.

What nobody foresaw in one message refuses that message; the others of its frame are stored.
"""

from collections.abc import Callable

import msgspec

from contracts.clinical import Finding
from plumbing import log
from services.ingest import metrics
from services.ingest.conditions import ORIGINAL, conditions_in
from services.ingest.doors import Door
from services.ingest.frames import NOT_READ, ParsedFrame, parse_frame, unread
from services.ingest.identity import Keys
from services.ingest.parse import Parsed, SourceProfile
from services.ingest.portions import portioned

Note = Callable[[Exception, Door], None]
ParseResource = Callable[[bytes, SourceProfile, Keys, int, int], Parsed]

_log = log.get("ingest")


def note(error: Exception, door: Door) -> None:
    """Count and log what nobody foresaw."""
    metrics.PARSE_FAILURES.inc()
    log_fault(error, door)


def log_fault(error: Exception, door: Door) -> None:
    """Log what nobody foresaw."""
    _log.error("A message could not be handled", error=error, source=door.source.name)


def read_frame(
    frame: bytes,
    door: Door,
    keys: Keys,
    received_at_ms: int,
    received_order: int,
    note: Note = note,
) -> ParsedFrame:
    """Return every message of a frame. Never raises; ``note`` is told what nobody foresaw."""
    try:
        found = parse_frame(frame, door.source, keys, received_at_ms, received_order)
    except Exception as error:  # noqa: BLE001 - one message must not stop a hospital's feed
        note(error, door)
        return unread_frame(frame, door)
    for fault in found.faults:
        note(fault, door)
    admitted = tuple(
        [
            _stored(door.admit(message), raw, door, keys, note)
            for message, raw in zip(found.messages, found.raws, strict=True)
        ]
    )
    if all(one is other for one, other in zip(admitted, found.messages, strict=True)):
        return found
    return msgspec.structs.replace(found, messages=admitted)


def unread_frame(frame: bytes, door: Door, why: Finding = NOT_READ) -> ParsedFrame:
    """Return the refusal (AE, 207) of a frame that could not be handled."""
    refused = unread(frame, door.source, why)
    asked = conditions_in(refused.header) if refused.header else ORIGINAL
    return ParsedFrame((refused,), is_batch=False, asked=(asked,), raws=(frame,))


def read_resource(
    parse: ParseResource,
    body: bytes,
    door: Door,
    keys: Keys,
    received: tuple[int, int],
    note: Note = note,
) -> Parsed:
    """Return what a FHIR resource says; ``received``: when (ms), in which order. Never raises."""
    try:
        found = parse(body, door.source, keys, *received)
        return portioned(found, keys)
    except Exception as error:  # noqa: BLE001 - as above
        note(error, door)
        return unread(b"", door.source)


def _stored(message: Parsed, raw: bytes, door: Door, keys: Keys, note: Note) -> Parsed:
    try:
        return portioned(message, keys)
    except Exception as error:  # noqa: BLE001 - as above
        note(error, door)
        return unread(raw, door.source)
