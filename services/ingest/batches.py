"""The envelope of a batch: FHS, BHS before its messages, BTS, FTS behind them. Pure.

A file or batch whose trailer is missing was cut off, and its last message may be: that one is
refused, or half a result would stand. Some senders write BHS and never a trailer: there, and in a
lenient profile, it is refused only where its last segment is not ended either. A trailer that
counts other than came is a warning: what is missing cannot be refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from time import sleep
from typing import Final

import msgspec

from contracts.clinical import Finding
from services.ingest.charset import WIDE_STARTS, split_frame
from services.ingest.framing import HEAD_BYTES, Frame
from services.ingest.hl7 import BLANKS
from services.ingest.parse import Parsed

HEADERS, TRAILERS = (b"FHS", b"BHS"), (b"BTS", b"FTS")
CUT = Finding("error", "BTS", "batch_cut", "the batch has no trailer: it was cut off")
CUT_BESIDE = Finding("warn", "BTS", "batch_cut", "the batch has no trailer: it was cut off")
COUNT = Finding("warn", "BTS-1", "batch_count", "the batch has another number of messages")
CONTROL_ID = 10  # its place when FHS, BHS are split: FHS-11, BHS-11
BREATH: Final = 1_024  # messages: as ``hl7.BREATH_SEGMENTS``
FINDS = 40  # bytes at the beginning of a line in which the count of a trailer stands


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the answers to a batch repeat: FHS-11 and BHS-11, None where there is no such line."""

    file_id: str | None = None
    batch_id: str | None = None

    @property
    def is_there(self) -> bool:
        """Whether there is a batch at all."""
        return self.file_id is not None or self.batch_id is not None


NO_ENVELOPE = Envelope()


def envelope_of(head: bytes) -> tuple[Envelope, bool]:
    """Return the envelope that begins in what stands before the first message, and whether that is
    all that stands there.
    """
    if not head:
        return NO_ENVELOPE, True
    ids: dict[bytes, str] = {}
    is_clean = True
    for line in _lines(head):
        if line[:3] in HEADERS:
            fields = line.split(line[3:4], CONTROL_ID + 1) if line[3:4] else []
            sent = fields[CONTROL_ID] if len(fields) > CONTROL_ID else b""
            ids.setdefault(line[:3], sent.decode(errors="replace"))
        elif line[:3] not in TRAILERS and line.decode("latin-1").strip(BLANKS):
            is_clean = False
    return Envelope(ids.get(b"FHS"), ids.get(b"BHS")), is_clean


def is_empty(head: bytes) -> bool:
    """Return whether a batch without a message is whole, and counts none."""
    trailers = [line for line in _lines(head) if line[:3] in TRAILERS]
    counts = [_count(line) for line in trailers if line[:3] == b"BTS"]
    return bool(trailers) and not any(counts)


def checked(found: Sequence[Parsed], parts: Sequence[bytes], *, is_strict: bool) -> list[Parsed]:
    """Return the messages of a batch, whose bytes are ``parts``, with what its trailers tell.

    ``is_strict``: a trailer must be there.
    """
    messages = list(found)
    began = 0
    is_closed = False
    for at, part in enumerate(parts):
        if at % BREATH == BREATH - 1:
            sleep(0)
        trailers = _trailers(part)
        is_closed = bool(trailers)
        counts = [_count(line) for line in trailers if line[:3] == b"BTS"]
        if counts:
            if counts[0] not in (None, at + 1 - began):
                messages[at] = _with(messages[at], COUNT)
            began = at + 1
    if is_closed:
        return messages
    is_ended = parts[-1].rstrip(b"\0").endswith((b"\r", b"\n"))
    if is_strict or not is_ended:
        last = messages.pop()
        refusal = Parsed("AE", last.header, last.charset, (CUT, *last.findings))
        return [*(_with(one, CUT_BESIDE) for one in messages), refusal]
    return [_with(one, CUT_BESIDE) for one in messages]


def pieces_of(content: bytes, bytes_max: int) -> list[Frame]:
    """Return a file of messages in pieces of at most ``bytes_max``, a message over that marked as
    too large. Each piece of a batch is a batch; whether the trailer counts them all is not looked
    at.
    """
    if len(content) <= bytes_max:
        return [Frame(content)]
    head, parts = split_frame(content)
    if not parts or content.startswith(WIDE_STARTS):
        return [Frame(content[:HEAD_BYTES], too_large=True)]
    is_batch, is_whole = envelope_of(head)[0].is_there, bool(_trailers(parts[-1]))
    closing = b"BTS\r" if is_batch else b""
    if is_batch:
        parts = [_without_trailers(part) for part in parts]
    found: list[Frame] = []
    for group in _groups(parts, bytes_max):
        if len(group[0]) > bytes_max:
            found.append(Frame(group[0][:HEAD_BYTES], too_large=True))
        else:
            opening = head if is_batch or not found else b""
            found.append(Frame(opening + b"".join(group) + closing))
    if is_batch and not is_whole and not found[-1].too_large:
        found[-1] = Frame(found[-1].content.removesuffix(closing))
    return found


def _groups(parts: Sequence[bytes], bytes_max: int) -> list[list[bytes]]:
    """Return the parts in order, as many together as have room; a larger one is alone."""
    found: list[list[bytes]] = []
    size = bytes_max
    for part in parts:
        if size + len(part) > bytes_max:
            found.append([])
            size = 0
        found[-1].append(part)
        size += len(part)
    return found


def _without_trailers(part: bytes) -> bytes:
    return part[: min(_trailer_places(part), default=len(part))]


def _with(parsed: Parsed, finding: Finding) -> Parsed:
    events = tuple(
        msgspec.structs.replace(
            event,
            body=msgspec.structs.replace(event.body, findings=(*event.body.findings, finding)),
        )
        for event in parsed.events
    )
    return msgspec.structs.replace(parsed, findings=(*parsed.findings, finding), events=events)


def _trailers(part: bytes) -> list[bytes]:
    """Return the trailers behind a message, whatever stands behind them."""
    plain = part.replace(b"\0", b"")  # UTF-16: the names are ASCII
    return [
        plain[at : at + FINDS].replace(b"\n", b"\r").partition(b"\r")[0]
        for at in _trailer_places(plain)
    ]


def _trailer_places(part: bytes) -> list[int]:
    """Return where lines of a trailer begin."""
    found = []
    for name in TRAILERS:
        at = part.find(name)
        while at >= 0:
            if at and part[at - 1] in b"\r\n" and not part[at + 3 : at + 4].isalnum():
                found.append(at)
            at = part.find(name, at + 3)
    return found


def _count(line: bytes) -> int | None:
    fields = line.split(line[3:4], 2) if line[3:4] else []
    sent = fields[1].strip() if len(fields) > 1 else b""
    return int(sent) if sent.isdigit() else None


def _lines(head: bytes) -> list[bytes]:
    return head.replace(b"\n", b"\r").split(b"\r")
