"""Files of messages as they lie on disks: HL7 v2 (single, batch, MLLP-framed) or FHIR JSON."""

from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from pathlib import Path

from cli.files import content_of
from services.ingest.charset import split_frame
from services.ingest.hl7 import BLANKS
from services.ingest.segments import BATCH_SEGMENTS

UTF16_MARKS = (BOM_UTF16_LE, BOM_UTF16_BE)
FHIR_XML, HEAD_BYTES = b"http://hl7.org/fhir", 4096
FHIR_KIND = "FHIR"
START, END = b"\x0b", b"\x1c"


def messages_of(path: Path) -> Iterator[bytes]:
    """Yield each message of a file, ready for a frame; a file without one yields itself."""
    content = content_of(str(path))
    if is_fhir(content):
        yield from fhir_bodies(content)
        return
    for frame in _frames(content):
        head, parts = split_frame(frame)
        if not parts:
            yield frame
            continue
        # Text before the first message is part of what came: the receiver shall see it too.
        first = parts[0] if _only_envelope(head) else head + parts[0]
        yield from (first, *parts[1:])


def is_fhir(content: bytes) -> bool:
    """Return whether this is for the FHIR door: a JSON object, or FHIR's XML (to be refused)."""
    start = content.removeprefix(BOM_UTF8).lstrip()
    if start.startswith(UTF16_MARKS):
        return start[2:].lstrip(b"\x00 \t\r\n").startswith(b"{")
    return start.startswith(b"{") or (start.startswith(b"<") and FHIR_XML in start[:HEAD_BYTES])


def fhir_bodies(content: bytes) -> list[bytes]:
    """Return the bodies of a FHIR file: one, or one a line where each line is an object."""
    lines = [line.strip() for line in content.removeprefix(BOM_UTF8).splitlines()]
    lines = [line for line in lines if line]
    is_ndjson = all(line.startswith(b"{") and line.endswith(b"}") for line in lines)
    return lines if len(lines) > 1 and is_ndjson else [content]


def message_type(message: bytes) -> str:
    """Return MSH-9 as sent, or what FHIR body it is, for a table; empty when there is none."""
    if is_fhir(message):
        return FHIR_KIND
    line = message.lstrip().replace(b"\n", b"\r").split(b"\r", 1)[0]
    fields = line.split(line[3:4]) if line.startswith(b"MSH") and len(line) > 3 else []
    return fields[8].decode("ascii", "replace") if len(fields) > 8 else ""


def _frames(content: bytes) -> list[bytes]:
    if START not in content:
        return [content]
    framed = (part.split(END, 1)[0] for part in content.split(START)[1:])
    return [frame for frame in framed if frame.strip()]


def _only_envelope(head: bytes) -> bool:
    lines = [line.strip(BLANKS) for line in head.decode("latin-1").splitlines()]
    return all(line[:3] in BATCH_SEGMENTS for line in lines if line)
