"""HL7 v2 as text: delimiters, header, segments, fields and escapes; no meaning of any field.

Nothing here raises on what a sender wrote: what is odd becomes a ``Finding``. A segment stays one
string until somebody asks for its fields.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from contracts.clinical import Finding

NULL = '""'
NO_DELIMITER = "\x00"
FIELDS_MAX = 70  # beyond the highest field that anything here reads (IN2-64)
PADDING = ("",) * FIELDS_MAX
BATCH_SEGMENTS = frozenset({"FHS", "BHS", "BTS", "FTS"})
BLANKS = " \t\x00\x0b\x1a\x1c\x1e\x1f\ufeff"


class Dialect:
    """The delimiters of one message, and how values are read with them."""

    __slots__ = ("_escapes", "_plain", "charset", "component", "escape", "field", "repeat", "sub")

    def __init__(self, field: str, encoding: str, charset: str) -> None:
        """Take MSH-1, MSH-2 and the charset that was used (for hexadecimal escapes)."""
        padded = encoding[:4].ljust(4, NO_DELIMITER)
        self.field = field
        self.component, self.repeat, self.escape, self.sub = tuple(padded)
        self.charset = charset
        self._plain = {
            "F": field,
            "S": self.component,
            "T": self.sub,
            "R": self.repeat,
            "E": self.escape,
            "P": encoding[4:5] or "#",
            "H": "",
            "N": "",
        }
        mark = re.escape(self.escape)
        self._escapes = re.compile(
            f"{mark}([FSTREPHN]|X[0-9A-Fa-f]+|\\.[^{mark}]{{1,16}}|[CM][0-9A-Fa-f]{{4,6}}){mark}"
        )

    def fields(self, segment: str) -> list[str]:
        """Return the fields by their number (name at 0), padded with empty ones."""
        found = segment.split(self.field)
        found.extend(PADDING)
        return found

    def text(self, raw: str) -> str:
        """Return a value with its escapes resolved; HL7 null is the empty string."""
        if raw.isalnum():  # no delimiter is a letter or a digit
            return raw
        if self.escape in raw:
            return self._escapes.sub(self._resolve, raw)
        return "" if raw == NULL else raw

    def first(self, raw: str) -> str:
        """Return the first subcomponent of the first component of the first repetition."""
        if not raw or raw.isalnum():
            return raw
        raw = raw.partition(self.repeat)[0].partition(self.component)[0]
        return self.text(raw.partition(self.sub)[0])

    def repetitions(self, raw: str) -> list[str]:
        """Return the repetitions that are there."""
        if not raw or raw == NULL:
            return []
        if self.repeat not in raw:
            return [raw]
        return [one for one in raw.split(self.repeat) if one]

    def components(self, raw: str, count: int) -> list[str]:
        """Return at least ``count`` components, each its first subcomponent, unescaped."""
        if raw.isalnum():
            return [raw, *PADDING[1:count]]
        found = raw.split(self.component)
        if self.sub in raw:
            found = [one.partition(self.sub)[0] for one in found]
        if self.escape in raw or NULL in raw:
            found = [self.text(one) for one in found]
        missing = count - len(found)
        if missing > 0:
            found.extend(PADDING[:missing])
        return found

    def _resolve(self, match: "re.Match[str]") -> str:
        sequence = match.group(1)
        plain = self._plain.get(sequence)
        if plain is not None:
            return plain
        if sequence[0] == "X":
            return _hexadecimal(sequence[1:], self.charset)
        # .br, .sp, .ce, .in and their kin start a new line; charset switches are taken out.
        return "\n" if sequence[0] == "." else ""


def _hexadecimal(digits: str, charset: str) -> str:
    raw = bytes.fromhex(digits[: len(digits) & ~1])
    try:
        return raw.decode(charset)
    except UnicodeDecodeError:
        return raw.decode("latin-1")


@lru_cache(maxsize=256)
def dialect_of(field: str, encoding: str, charset: str) -> Dialect:
    """Return the dialect for these delimiters; messages of one sender share it."""
    return Dialect(field, encoding, charset)


class Header(NamedTuple):
    """MSH. ``message_type``, ``version`` and ``control_id`` are as sent; ``kind`` and ``trigger``
    are MSH-9.1 and MSH-9.2 (or EVN-1 where that is empty).
    """

    dialect: Dialect
    encoding: str
    application: str
    facility: str
    receiver_application: str
    receiver_facility: str
    sent_at: str
    message_type: str
    kind: str
    trigger: str
    control_id: str
    processing_id: str
    version: str


class Message(NamedTuple):
    """One message: its header (None when there is none to read), its other segments in order,
    the canonical content for its identity, and what is wrong with it.

    ``refusal`` is AR when the header cannot be worked with, AE when the body cannot, else empty.
    """

    header: Header | None
    segments: Sequence[str]
    canonical: str
    findings: tuple[Finding, ...]
    refusal: str


def read(text: str, charset: str, *, strict: bool) -> Message:
    """Return the message in ``text`` (decoded, starts with MSH unless it is not a message).

    ``strict``: a line that is no segment refuses the message; else it continues the line before,
    and an empty control id is let through.
    """
    if "\n" in text:
        text = text.replace("\r\n", "\r").replace("\n", "\r")
    lines = text.lstrip(BLANKS + "\r").split("\r")
    first = lines[0]
    if not first.startswith("MSH") or len(first) < 4:
        return Message(None, (), "", (Finding("error", "MSH", "100", "no MSH segment"),), "AR")
    header, findings = _header(first, charset, strict=strict)
    if header is None:
        return Message(None, (), "", tuple(findings), "AR")
    refusal = "AR" if findings else ""
    segments, odd = _segments(lines, header.dialect.field, strict=strict)
    findings += odd
    if not refusal and strict and odd:
        refusal = "AE"
    if not header.trigger:
        header = header._replace(trigger=_trigger_of_event(header, segments))
    return Message(header, segments, _canonical(header, first, segments), tuple(findings), refusal)


def _header(line: str, charset: str, *, strict: bool) -> tuple[Header | None, list[Finding]]:
    field = line[3]
    encoding = line[4:].partition(field)[0]
    if not _delimiters_work(field, encoding):
        return None, [Finding("error", "MSH-2", "102", "delimiters cannot be used")]
    dialect = dialect_of(field, encoding, charset)
    f = [field, *dialect.fields(line)]  # MSH-1 is the separator itself
    f[0], f[1] = "MSH", field
    kind = dialect.components(f[9], 3)
    header = Header(
        dialect=dialect,
        encoding=encoding,
        application=f[3],
        facility=f[4],
        receiver_application=f[5],
        receiver_facility=f[6],
        sent_at=f[7],
        message_type=f[9],
        kind=kind[0].strip().upper(),
        trigger=kind[1].strip().upper(),
        control_id=f[10],
        processing_id=f[11],
        version=f[12],
    )
    return header, _header_faults(header, strict=strict)


def _delimiters_work(field: str, encoding: str) -> bool:
    if field.isalnum() or field.isspace() or not 1 <= len(encoding) <= 5:
        return False
    if len(set(encoding)) != len(encoding):
        return False
    return not any(sign.isalnum() or sign.isspace() for sign in encoding)


def _header_faults(header: Header, *, strict: bool) -> list[Finding]:
    faults = []
    if not header.kind:
        faults.append(Finding("error", "MSH-9", "101", "message type is empty"))
    if strict and not header.control_id.strip():
        faults.append(Finding("error", "MSH-10", "101", "control id is empty"))
    version = header.dialect.first(header.version).strip()
    if not version:
        faults.append(Finding("error", "MSH-12", "101", "version is empty"))
    elif version != "2" and not version.startswith("2."):
        faults.append(Finding("error", "MSH-12", "203", "version is not 2.x"))
    return faults


def _segments(lines: list[str], field: str, *, strict: bool) -> tuple[list[str], list[Finding]]:
    found: list[str] = []
    odd: list[Finding] = []
    for line in lines[1:]:
        name = line[:3]
        if (line[3:4] == field or len(line) == 3) and name.isalnum():
            if name not in BATCH_SEGMENTS:
                found.append(line)
        elif line.strip(BLANKS):
            # A line break inside a value: what follows belongs to the segment before it.
            where = found[-1][:3] if found else "MSH"
            if strict:
                odd.append(Finding("error", where, "100", "a line is not a segment"))
            else:
                odd.append(Finding("warn", where, "line_joined", "a line break inside a value"))
                if found:
                    found[-1] += "\n" + line
    return found, odd[:20]


def _trigger_of_event(header: Header, segments: Sequence[str]) -> str:
    for segment in segments:
        if segment.startswith("EVN"):
            return header.dialect.first(header.dialect.fields(segment)[1]).strip().upper()
    return ""


def _canonical(header: Header, first: str, segments: Sequence[str]) -> str:
    # MSH-7 is the sixth field after the name (MSH-1 is the separator) and left out.
    f = first.split(header.dialect.field)
    if len(f) > 6:
        f[6] = ""
    return "\r".join((header.dialect.field.join(f), *segments))
