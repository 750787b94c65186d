"""What a message says beside the fields that are mapped: images, HL7 nulls, Z segments. Pure.

The bytes of all of it stay in the event (``raw``, or ``raw_blob`` where they are large). An image
is named by its kind, size and hash, each repetition; a null (``""``, which tells the receiver to
delete, where an empty field says nothing) and a Z segment are findings, and so is what is no base64
though it says so. An image that is none of the kinds below stays an attachment without a name.
"""

from collections.abc import Sequence
from itertools import starmap
from time import sleep

import msgspec

from contracts.clinical import Finding
from contracts.encapsulated import contents_of, is_attachment, lines_of, readable, signs_of
from contracts.identified import Image
from services.ingest.hl7 import BREATH_SEGMENTS
from services.ingest.images import IMAGES_MAX, TOO_MANY_IMAGES, TOO_MANY_TEXT, named
from services.ingest.parse import Parsed, ParsedEvent

NULL = b'""'
NULLED = frozenset({b"PID", b"PV1", b"AL1", b"IAM"})
TOLD_BY_PARSER = frozenset({"PID-7"})
FINDINGS_MAX = 50
UNREADABLE = Finding(
    "warn", "OBX-5", "attachment_unreadable", "it is not the base64 or hex it says"
)
TOO_MANY = Finding("warn", "OBX-5", TOO_MANY_IMAGES, TOO_MANY_TEXT)


def completed(parsed: Parsed, raw: bytes) -> Parsed:
    """Return what was parsed with its images and findings of the rest, itself where none is."""
    if parsed.header is None or not parsed.has_more or not parsed.events:
        return parsed
    dialect = parsed.header.dialect
    raw = readable(raw, parsed.charset)
    has_images = f"{dialect.field}ED{dialect.field}".encode() in raw  # OBX-2
    if not (has_images or NULL in raw or b"\rZ" in raw or b"\nZ" in raw):
        return parsed
    lines = lines_of(raw)
    found = _found(lines, len(parsed.events), dialect.field.encode("latin-1", "replace"))
    images = _images(lines, parsed.events, found) if has_images else [()] * len(found)
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
    lines: Sequence[bytes], events: Sequence[ParsedEvent], findings: Sequence[list[Finding]]
) -> list[tuple[Image, ...]]:
    """Return the images of each event: its attachments stand in the order of their OBX. What cannot
    be decoded goes to the findings of its event.
    """
    segments = filter(is_attachment, lines)
    signs = signs_of(lines)
    found = []
    for event, told in zip(events, findings, strict=True):
        images: list[Image] = []
        attached = (one for one in event.body.observations if one.kind == "attachment")
        for observation, line in zip(attached, segments, strict=False):
            for content in contents_of(line, signs, IMAGES_MAX + 1):
                new = UNREADABLE if content is None else None
                if len(images) >= IMAGES_MAX:
                    new = TOO_MANY
                elif content is not None:
                    images += named(content, observation.index)
                if new is not None and new not in told:
                    told.append(new)
                if new is TOO_MANY:
                    break
        found.append(tuple(images))
    return found
