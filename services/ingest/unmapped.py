"""What a message says beside the fields that are mapped: images, HL7 nulls, Z segments. Pure.

The bytes of all of it stay in the event (``raw``, or ``raw_blob`` where they are large). An image
is named by its kind, size and hash, each repetition; a null (``""``, which tells the receiver to
delete, where an empty field says nothing) and a Z segment are findings, and so is what is no base64
though it says so. An image that is none of the kinds below stays an attachment without a name.
"""

import binascii
from collections.abc import Sequence
from itertools import starmap
from time import sleep
from typing import Final

import msgspec

from contracts.clinical import Finding
from contracts.identified import Image
from services.ingest.charset import TRAIL_CODECS, decode_wide
from services.ingest.dialect import Dialect
from services.ingest.hl7 import BREATH_SEGMENTS
from services.ingest.images import IMAGES_MAX, TOO_MANY_IMAGES, TOO_MANY_TEXT, named
from services.ingest.parse import Parsed, ParsedEvent

NULL = b'""'
NULLED = frozenset({b"PID", b"PV1", b"AL1", b"IAM"})
TOLD_BY_PARSER = frozenset({"PID-7"})
FINDINGS_MAX = 50
LONG_BYTES: Final = 65_536  # of an attachment: others have their turn while it is read
WIDE = frozenset({"utf-16", "utf-32"})
# A line break inside base64, as an escape.
LINE_BREAKS = (b".br", b"X0D0A", b"X0D", b"X0A")
UNREADABLE = Finding(
    "warn", "OBX-5", "attachment_unreadable", "it is not the base64 or hex it says"
)
TOO_MANY = Finding("warn", "OBX-5", TOO_MANY_IMAGES, TOO_MANY_TEXT)
ATTACHED = frozenset({b"ED", b"RP"})
NOTHING = frozenset({b"", NULL})
ENCODINGS = {b"BASE64": binascii.a2b_base64, b"HEX": binascii.unhexlify}


def completed(parsed: Parsed, raw: bytes) -> Parsed:
    """Return what was parsed with its images and findings of the rest, itself where none is."""
    if parsed.header is None or not parsed.has_more or not parsed.events:
        return parsed
    dialect = parsed.header.dialect
    if parsed.charset in WIDE:
        raw = decode_wide(raw, "").text.encode()
    elif parsed.charset in TRAIL_CODECS:
        raw = raw.decode(parsed.charset, "replace").encode()
    has_images = f"{dialect.field}ED{dialect.field}".encode() in raw  # OBX-2
    if not (has_images or NULL in raw or b"\rZ" in raw or b"\nZ" in raw):
        return parsed
    lines = raw.replace(b"\n", b"\r").split(b"\r")
    found = _found(lines, len(parsed.events), dialect.field.encode("latin-1", "replace"))
    images = _images(lines, parsed.events, dialect, found) if has_images else [()] * len(found)
    events = tuple(starmap(_with, zip(parsed.events, found, images, strict=True)))
    told = tuple(finding for one in found for finding in one)
    return msgspec.structs.replace(parsed, events=events, findings=parsed.findings + told)


def _with(event: ParsedEvent, found: Sequence[Finding], images: tuple[Image, ...]) -> ParsedEvent:
    if not found and not images:
        return event
    findings = (*event.body.findings, *found)
    body = msgspec.structs.replace(event.body, findings=findings, images=images)
    return msgspec.structs.replace(event, body=body)


def _found(lines: Sequence[bytes], groups: int, field: bytes) -> list[list[Finding]]:
    """Return the findings of each patient group: a PID begins one, of a pair both are of one."""
    found: list[list[Finding]] = [[] for _ in range(groups)]
    group = -1
    for number, line in enumerate(lines):
        if number % BREATH_SEGMENTS == BREATH_SEGMENTS - 1:
            sleep(0)
        name = line[:3]
        group += name == b"PID"
        here = found[min(max(group, 0), groups - 1)]
        if len(here) >= FINDINGS_MAX:
            continue
        if name in NULLED and NULL in line:
            new = [one for one in _nulls(line) if one not in here]
            here += new[: FINDINGS_MAX - len(here)]
        elif name[:1] == b"Z" and line[3:4] == field and name.isalnum() and name.isupper():
            said = Finding("info", name.decode("latin-1"), "z_segment", "kept in the raw message")
            if said not in here:
                here.append(said)
    return found


def _nulls(line: bytes) -> list[Finding]:
    name = line[:3].decode("ascii")
    places = [f"{name}-{at}" for at, one in enumerate(line.split(line[3:4])) if one == NULL]
    return [
        Finding("info", place, "null", "sent as null: to be deleted, not absent")
        for place in places
        if place not in TOLD_BY_PARSER
    ]


def _images(
    lines: Sequence[bytes],
    events: Sequence[ParsedEvent],
    dialect: Dialect,
    findings: Sequence[list[Finding]],
) -> list[tuple[Image, ...]]:
    """Return the images of each event: its attachments stand in the order of their OBX. What cannot
    be decoded goes to the findings of its event.
    """
    segments = filter(_is_attachment, lines)
    repeat, component, escape = (
        sign.encode() for sign in (dialect.repeat, dialect.component, dialect.escape)
    )
    breaks = [escape + sign + escape for sign in LINE_BREAKS]
    found = []
    for event, told in zip(events, findings, strict=True):
        images: list[Image] = []
        attached = (one for one in event.body.observations if one.kind == "attachment")
        for observation, line in zip(attached, segments, strict=False):
            for one in line.split(line[3:4], 6)[5].split(repeat, IMAGES_MAX + 1):
                if len(images) >= IMAGES_MAX:
                    if TOO_MANY not in told:
                        told.append(TOO_MANY)
                    break
                content = _content(one.split(component, 4), breaks)
                if content is None:
                    if UNREADABLE not in told:
                        told.append(UNREADABLE)
                else:
                    images += named(content, observation.index)
        found.append(tuple(images))
    return found


def _is_attachment(line: bytes) -> bool:
    """Return whether a line is an OBX of type ED or RP with something in it, as the parser does."""
    if line[:3] != b"OBX":
        return False
    fields = line.split(line[3:4], 6)
    return len(fields) > 5 and fields[2].strip().upper() in ATTACHED and fields[5] not in NOTHING


def _content(parts: Sequence[bytes], breaks: Sequence[bytes]) -> bytes | None:
    """Return the bytes of an ED, none where it says no encoding; None where they cannot be."""
    decode = ENCODINGS.get(parts[3].strip().upper()) if len(parts) == 5 else None
    if decode is None:
        return b""
    sent = parts[4]
    for one in breaks:
        if len(sent) > LONG_BYTES:
            sleep(0)
        if one in sent:
            sent = sent.replace(one, b"")
    if len(sent) > LONG_BYTES:
        sleep(0)
    try:
        content = decode(sent)
    except ValueError:
        return None
    return content if content or not sent.strip() else None
