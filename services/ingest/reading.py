"""From bytes to the messages that are stored: parsed, admitted by their door, of bounded size.

What nobody foresaw in one message refuses that message; the others of its frame are stored.
"""

from collections.abc import Callable

import msgspec

from plumbing import log
from services.ingest import metrics
from services.ingest.conditions import ORIGINAL, conditions_in
from services.ingest.doors import Door
from services.ingest.frames import ParsedFrame, parse_frame, unread
from services.ingest.identity import Keys
from services.ingest.parse import Parsed, SourceProfile
from services.ingest.portions import portioned

ParseResource = Callable[[bytes, SourceProfile, Keys, int, int], Parsed]

_log = log.get("ingest")


def read_frame(
    frame: bytes, door: Door, keys: Keys, received_at_ms: int, received_order: int
) -> ParsedFrame:
    """Return every message of a frame. Never raises."""
    source = door.source
    try:
        found = parse_frame(frame, source, keys, received_at_ms, received_order)
    except Exception as error:  # noqa: BLE001 - one message must not stop a hospital's feed
        _note(error, door)
        refused = unread(frame, source)
        asked = conditions_in(refused.header) if refused.header else ORIGINAL
        return ParsedFrame((refused,), is_batch=False, asked=(asked,), raws=(frame,))
    for fault in found.faults:
        _note(fault, door)
    admitted = tuple(
        [
            _stored(door.admit(message), raw, door, keys)
            for message, raw in zip(found.messages, found.raws, strict=True)
        ]
    )
    if all(one is other for one, other in zip(admitted, found.messages, strict=True)):
        return found
    return msgspec.structs.replace(found, messages=admitted)


def read_resource(
    parse: ParseResource,
    body: bytes,
    door: Door,
    keys: Keys,
    received_at_ms: int,
    received_order: int,
) -> Parsed:
    """Return what a FHIR resource says. Never raises."""
    try:
        found = parse(body, door.source, keys, received_at_ms, received_order)
        return portioned(found, keys)
    except Exception as error:  # noqa: BLE001 - as above
        _note(error, door)
        return unread(b"", door.source)


def _stored(message: Parsed, raw: bytes, door: Door, keys: Keys) -> Parsed:
    try:
        return portioned(message, keys)
    except Exception as error:  # noqa: BLE001 - as above
        _note(error, door)
        return unread(raw, door.source)


def _note(error: Exception, door: Door) -> None:
    metrics.PARSE_FAILURES.inc()
    _log.error("A message could not be handled", error=error, source=door.source.name)
