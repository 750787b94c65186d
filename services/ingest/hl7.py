"""HL7 v2 as text: header and segments; no meaning of any field.

Nothing here raises on what a sender wrote: what is odd becomes a ``Finding``. A segment stays one
string until somebody asks for its fields.
"""

from collections.abc import Sequence
from functools import lru_cache
from time import sleep
from typing import Final

from contracts.clinical import Finding
from services.ingest.charset import charset_of, codec_of
from services.ingest.dialect import EMPTY, NULL, Dialect, dialect_of
from services.ingest.kept import Kept
from services.ingest.segments import BATCH_SEGMENTS, USUAL_SEGMENTS

USUAL: Final = "^~\\&"
HEADER_FIELDS: Final = 19  # MSH-18 is the last that is read
ENCODING_MAX: Final = 8
MSH_18: Final = 17  # its place when MSH is split: MSH-1 is the separator
# Compiled code keeps other threads waiting until it sleeps: parsing aside does so by and by.
BREATH_SEGMENTS: Final = 1_024
SEGMENTS_MAX: Final = 250_000  # of one message: four times as many as an event may have values
TOO_MANY_SEGMENTS: Final = Finding(
    "error", "MSH", "too_many_segments", "more segments than a message may have: send a batch"
)
ODD_MAX: Final = 20  # lines that are no segment are named
BLANKS: Final = " \t\x00\x0b\x1a\x1c\x1e\x1f\ufeff"

_kinds: Final[Kept[tuple[str, str]]] = Kept(4096)
_versions: Final[Kept[list[Finding]]] = Kept(1024)


class Header:
    """MSH. ``message_type``, ``version`` and ``control_id`` are as sent; ``kind`` and ``trigger``
    are MSH-9.1 and MSH-9.2 (or EVN-1 where that is empty).
    """

    __slots__ = (
        "accept", "application", "application_answer", "charset", "control_id", "dialect",
        "encoding", "facility", "kind", "message_type", "processing_id", "receiver_application",
        "receiver_facility", "sent_at", "trigger", "version",
    )  # fmt: skip

    def __init__(self, dialect: Dialect, encoding: str, f: list[str]) -> None:
        """Take the fields of MSH; MSH-1 is the separator, so that ``f[n]`` is MSH-(n + 1)."""
        self.dialect, self.encoding = dialect, encoding
        self.application, self.facility = f[2], f[3]
        self.receiver_application, self.receiver_facility = f[4], f[5]
        self.sent_at, self.message_type = f[6], f[8]
        self.kind, self.trigger = _kind_of(dialect, f[8])
        self.control_id, self.processing_id, self.version = f[9], f[10], f[11]
        self.accept, self.application_answer = f[14], f[15]
        self.charset = f[17]


class Message:
    """One message: its header (None when there is none to read), its other segments in order with
    their names, the canonical content for its identity, and what is wrong with it.

    ``refusal`` is AR when the header cannot be worked with, AE when the body cannot, else empty.
    ``has_escape``, ``has_null``: an escape, an HL7 null may stand in the segments.
    ``is_alone``: every line is a segment of it; no line begins another message or is of a batch.
    ``has_z``: a Z segment may be among them.
    """

    __slots__ = (
        "canonical", "findings", "has_escape", "has_null", "has_z", "header", "is_alone", "names",
        "refusal", "segments",
    )  # fmt: skip

    def __init__(
        self,
        header: Header | None,
        segments: list[str],
        canonical: str,
        findings: tuple[Finding, ...],
        refusal: str,
    ) -> None:
        """Take what was read; nobody has looked for an escape or a null."""
        self.header, self.segments, self.canonical = header, segments, canonical
        self.names: list[str] = []
        self.findings, self.refusal = findings, refusal
        self.has_escape = self.has_null = self.has_z = True
        self.is_alone = False


def read(text: str, charset: str, *, strict: bool, default: str = "") -> Message:
    """Return the message in ``text`` (decoded, starts with MSH unless it is not a message).

    ``strict``: a line that is no segment refuses the message; else it continues the line before,
    and an empty control id is let through. ``default``: the charset of hexadecimal
    escapes in a message that is ASCII otherwise and names none.
    """
    if not text.startswith("MSH"):
        text = text.lstrip(BLANKS + "\r\n")
    lines = _lines(text)
    first = lines[0]
    if not first.startswith("MSH") or len(first) < 4:
        return Message(None, [], "", (Finding("error", "MSH", "100", "no MSH segment"),), "AR")
    field = first[3]
    f = first.split(field, MSH_18 + 1)  # what follows is one
    encoding = f[1][:ENCODING_MAX]
    codec = charset  # hexadecimal escapes are in it
    if charset == "ascii":
        named = codec_of(charset_of(f[MSH_18])) if len(f) > MSH_18 and f[MSH_18] else ""
        codec = named or default or charset
    dialect = _dialect_of(field, encoding, codec)
    if dialect is None:
        wrong = Finding("error", "MSH-2", "102", "delimiters cannot be used")
        return Message(_without_delimiters(first, charset), [], "", (wrong,), "AR")
    header, faults = _header(dialect, encoding, f, strict=strict)
    if len(lines) > SEGMENTS_MAX:
        return Message(header, [], "", (*faults, TOO_MANY_SEGMENTS), "AR" if faults else "AE")
    segments, names, odd, is_alone, has_z = _segments(lines, dialect, strict=strict)
    refusal = "AR" if faults else "AE" if strict and odd else ""
    if not header.trigger:
        header.trigger = _trigger_of_event(header, segments)
    if len(f) > 6:
        f[6] = ""  # MSH-7 (MSH-1 is the separator itself) is no part of what a message says
    canonical = "\r".join((field.join(f), *segments))
    # MSH-2 holds the escape sign itself, so what is looked through begins behind it.
    has_null = '"' in text and NULL in text  # one sign is found sooner than two
    has_escape = text.find(dialect.escape, 4 + len(encoding)) >= 0
    findings = (*faults, *odd) if faults or odd else ()
    message = Message(header, segments, canonical, findings, refusal)
    message.names = names
    message.has_escape, message.has_null = has_escape, has_null
    message.is_alone, message.has_z = is_alone, has_z
    return message


def _without_delimiters(line: str, charset: str) -> Header | None:
    """Return what an answer needs of an MSH whose separator alone can be used, if it can."""
    field = line[3]
    dialect = _dialect_of(field, USUAL, charset) if field not in USUAL else None
    if dialect is None:
        return None
    f = line.split(field, MSH_18 + 1)
    return Header(dialect, USUAL, f + EMPTY[HEADER_FIELDS])


def _lines(text: str) -> list[str]:
    end_of_line = "\r"
    if "\n" in text:
        if "\r" not in text:
            end_of_line = "\n"
        else:
            text = text.replace("\r\n", "\r").replace("\n", "\r")
    # As ``str.split``, which goes from letter to letter, where ``find`` leaps: lines are long.
    found = []
    at = 0
    end = text.find(end_of_line)
    while end >= 0:
        found.append(text[at:end])
        if not len(found) % BREATH_SEGMENTS:
            sleep(0)
            if len(found) > SEGMENTS_MAX:
                break
        at = end + 1
        end = text.find(end_of_line, at)
    found.append(text[at:])
    return found


def _header(
    dialect: Dialect, encoding: str, fields: list[str], *, strict: bool
) -> tuple[Header, list[Finding]]:
    f = fields if len(fields) >= HEADER_FIELDS else fields + EMPTY[HEADER_FIELDS]
    header = Header(dialect, encoding, f)
    if header.kind and (f[9].strip() or not strict) and not _version_faults(dialect, f[11]):
        return header, []
    return header, _header_faults(header, strict=strict)


def _kind_of(dialect: Dialect, raw: str) -> tuple[str, str]:
    known = _kinds.get(dialect, raw)
    if known is not None:
        return known
    c = dialect.components(raw, 2)
    return _kinds.put(dialect, raw, (c[0].strip().upper(), c[1].strip().upper()))


def _dialect_of(field: str, encoding: str, charset: str) -> Dialect | None:
    works = (field == "|" and encoding == USUAL) or _delimiters_work(field, encoding)
    return dialect_of(field, encoding, charset) if works else None


@lru_cache(maxsize=256)
def _delimiters_work(field: str, encoding: str) -> bool:
    if field.isalnum() or field.isspace() or not 1 <= len(encoding) <= 5:
        return False
    if len(set(encoding)) != len(encoding):
        return False
    return not any(sign.isalnum() or sign.isspace() for sign in encoding)


def _version_faults(dialect: Dialect, raw: str) -> list[Finding]:
    known = _versions.get(dialect, raw)
    return known if known is not None else _versions.put(dialect, raw, _look_at(dialect, raw))


def _look_at(dialect: Dialect, raw: str) -> list[Finding]:
    version = dialect.first(raw).strip()
    if not version:
        return [Finding("error", "MSH-12", "101", "version is empty")]
    parts = version.split(".")
    if parts[0] != "2" or not all(part.isdecimal() for part in parts):
        return [Finding("error", "MSH-12", "203", "version is not 2.x")]
    return []


def _header_faults(header: Header, *, strict: bool) -> list[Finding]:
    faults = []
    if not header.kind:
        faults.append(Finding("error", "MSH-9", "101", "message type is empty"))
    if strict and not header.control_id.strip():
        faults.append(Finding("error", "MSH-10", "101", "control id is empty"))
    return faults + _version_faults(header.dialect, header.version)


def _segments(
    lines: list[str], dialect: Dialect, *, strict: bool
) -> tuple[list[str], list[str], list[Finding], bool, bool]:
    """Return the segments, their names, what is odd of them, ``is_alone`` and ``has_z`` as in
    ``Message``.
    """
    found = lines[1:]
    while found and not found[-1]:
        found.pop()
    field = dialect.field
    names: list[str] = []
    is_alone, has_z = True, False
    for line in found:
        name = line[:3]
        usual = USUAL_SEGMENTS.get(name)
        is_segment = len(line) > 3 and line[3] == field and (usual is not None or name.isalnum())
        if not is_segment or (usual is None and name in BATCH_SEGMENTS):
            found, odd = _checked_segments(found, dialect, strict=strict)
            return found, [segment[:3] for segment in found], odd, False, True
        if usual is not None:
            names.append(usual)
            continue
        if name[0] == "Z":
            has_z = True
        elif name == "MSH":
            is_alone = False
        names.append(name)
    return found, names, [], is_alone, has_z


def _checked_segments(
    lines: list[str], dialect: Dialect, *, strict: bool
) -> tuple[list[str], list[Finding]]:
    found: list[str] = []
    odd: list[Finding] = []
    counts: dict[str, int] = {}
    rest: list[str] = []  # of the segment before: a line break inside a value
    for number, line in enumerate(lines, 1):
        if not number % BREATH_SEGMENTS:
            sleep(0)
        name = line[:3]
        if name.isalnum() and (line[3:4] == dialect.field or len(line) == 3):
            if name in BATCH_SEGMENTS:
                continue
            _join(found, rest)
            found.append(line)
            counts[name] = counts.get(name, 0) + 1
        elif line.strip(BLANKS):
            if len(odd) < ODD_MAX:
                odd.append(_odd_line(found, counts, strict=strict))
            if not strict:
                rest.append(line)
    _join(found, rest)
    return found, odd


def _join(found: list[str], rest: list[str]) -> None:
    if rest and found:
        found[-1] = "\n".join((found[-1], *rest))
    rest.clear()


def _odd_line(found: list[str], counts: dict[str, int], *, strict: bool) -> Finding:
    before = found[-1][:3] if found else "MSH"
    if not strict:
        return Finding("warn", before, "line_joined", "a line break inside a value")
    where = f"{before}[{counts[before]}]" if found else before
    return Finding("error", where, "100", "a line is not a segment")


def _trigger_of_event(header: Header, segments: Sequence[str]) -> str:
    for segment in segments:
        if segment.startswith("EVN"):
            return header.dialect.first(header.dialect.fields(segment)[1]).strip().upper()
    return ""
