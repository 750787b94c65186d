"""Files of HL7 v2 messages as they lie on disks: single, batch, or MLLP-framed."""

import gzip
from collections.abc import Iterator
from pathlib import Path

from services.ingest.charset import split_frame
from services.ingest.hl7 import BATCH_SEGMENTS, BLANKS

START, END = b"\x0b", b"\x1c"


def messages_of(path: Path) -> Iterator[bytes]:
    """Yield each message of a file, ready for a frame; a file without one yields itself."""
    content = path.read_bytes()
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    for frame in _frames(content):
        head, parts = split_frame(frame)
        if not parts:
            yield frame
            continue
        # Text before the first message is part of what came: the receiver shall see it too.
        first = parts[0] if _only_envelope(head) else head + parts[0]
        yield from (first, *parts[1:])


def message_type(message: bytes) -> str:
    """Return MSH-9 as sent, for a table; empty when there is none."""
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
