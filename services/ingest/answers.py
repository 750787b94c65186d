"""HL7 acknowledgements: MSH, MSA, ERR; a batch of them for a batch. Pure but for its counter."""

import itertools
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache

from contracts.clinical import Finding
from services.ingest.batches import Envelope
from services.ingest.hl7 import Header

# HL7 table 0357.
ERROR_TEXTS = {
    "100": "Segment sequence error",
    "101": "Required field missing",
    "102": "Data type error",
    "103": "Table value not found",
    "200": "Unsupported message type",
    "201": "Unsupported event code",
    "202": "Unsupported processing id",
    "203": "Unsupported version id",
    "204": "Unknown key identifier",
    "205": "Duplicate key identifier",
    "206": "Application record locked",
    "207": "Application internal error",
}
OTHER_ERROR = "207"
NOT_STORED = Finding("error", "", "207", "not stored in time, send again")
# No code of table 0357 says so; 207 would ask to send it again.
REUSED_ONCE = Finding("error", "Bundle", "conflict", "this id came with other content")
TOO_LARGE = Finding("error", "MSH", "102", "message is too large")
NOT_TAKEN = Finding("error", "MSH-9", "200", "this listener does not take this message type")
NOT_THIS_PROCESSING = Finding(
    "error", "MSH-11", "202", "this listener does not take this processing id (table 0103)"
)
ERRORS_MAX = 10
DEFAULT_FIELD, DEFAULT_ENCODING = "|", "^~\\&"
DEFAULT_VERSION = "2.5.1"
GOOD = frozenset({"AA", "CA"})
# Where a finding is: segment, which of them, field, its repetition, its component.
WHERE = re.compile(r"([A-Z][A-Z0-9]{2})(?:\[(\d+)\])?(?:-(\d+))?(?:\[(\d+)\])?(?:\.(\d+))?")


class Acknowledger:
    """Builds answers; ``prefix`` (12 characters at most) makes their control ids ours alone."""

    def __init__(self, prefix: str) -> None:
        """Start counting."""
        self._prefix = prefix
        self._numbers = itertools.count(1)

    def answer(
        self,
        header: Header | None,
        code: str,
        findings: Sequence[Finding],
        now_ms: int,
        *,
        enhanced: bool = False,
    ) -> str:
        """Return MSH, MSA and an ERR for each error, in the sender's delimiters.

        ``code`` is AA, AE or AR, or CA, CE or CR. ``enhanced``: the answer asks for none itself.
        """
        field, encoding = _delimiters(header)
        number = f"{self._prefix}{next(self._numbers)}"
        errors = [] if code in GOOD else [one for one in findings if one.level == "error"]
        msa = ["MSA", code, header.control_id if header else ""]
        if errors:
            msa.append(errors[0].text)  # MSA-3: all that is read by senders older than ERR-2
        segments = [_msh(header, number, now_ms, enhanced=enhanced), field.join(msa)]
        segments += [_err(one, field, encoding) for one in errors[:ERRORS_MAX]]
        return "\r".join(segments) + "\r"

    def batch(
        self, first: Header | None, count: int, envelope: Envelope, now_ms: int
    ) -> tuple[str, str]:
        """Return what stands before and behind the ``count`` answers to one batch.

        BHS-12 repeats the batch's BHS-11; one that came in a file (FHS) is answered in one.
        """
        field, encoding = _delimiters(first)
        started = (encoding, *_parties(first), _now(now_ms), "", "", "")
        number = f"{self._prefix}{next(self._numbers)}"
        opening = field.join(("BHS", *started, number, envelope.batch_id or ""))
        opening, closing = opening.rstrip(field) + "\r", f"BTS{field}{count}\r"
        if envelope.file_id is None:
            return opening, closing
        head = field.join(("FHS", *started, number, envelope.file_id)).rstrip(field)
        return f"{head}\r{opening}", f"{closing}FTS{field}1\r"


def _msh(header: Header | None, number: str, now_ms: int, *, enhanced: bool) -> str:
    field, encoding = _delimiters(header)
    component = encoding[0]
    trigger = header.trigger if header else ""
    kind = component.join(("ACK", trigger, "ACK")) if trigger else "ACK"
    version = header.version if header else ""
    fields = [
        "MSH",
        encoding,
        *_parties(header),
        _now(now_ms),
        "",
        kind,
        number,
        (header.processing_id if header else "") or "P",
        version if version.startswith("2") else DEFAULT_VERSION,
    ]
    if enhanced:
        fields += ["", "", "NE", "NE"]
    return field.join(fields)


def _err(finding: Finding, field: str, encoding: str) -> str:
    """Return ERR-2 (segment, which, field, repetition, component), ERR-3, ERR-4, ERR-8.

    A code of our own (not of table 0357) stands in ERR-5, with 207 in ERR-3.
    """
    component = encoding[0]
    known = finding.code in ERROR_TEXTS
    code = finding.code if known else OTHER_ERROR
    coded = component.join((code, ERROR_TEXTS[code], "HL70357"))
    own = "" if known else finding.code
    location = _location(finding.where, component)
    return field.join(("ERR", "", location, coded, "E", own, "", "", finding.text))


def _location(where: str, component: str) -> str:
    found = WHERE.fullmatch(where)
    if found is None:
        return ""
    segment, which, number, repetition, part = found.groups()
    if number is None:
        return component.join((segment, which)) if which else segment
    parts = [segment, which or "1", number, repetition or "", part or ""]
    while not parts[-1]:
        parts.pop()
    if part and not repetition:
        parts[3] = "1"
    return component.join(parts)


def _delimiters(header: Header | None) -> tuple[str, str]:
    if header is None:
        return DEFAULT_FIELD, DEFAULT_ENCODING
    return header.dialect.field, header.encoding


def _parties(header: Header | None) -> tuple[str, str, str, str]:
    if header is None:
        return "", "", "", ""
    return (
        header.receiver_application,
        header.receiver_facility,
        header.application,
        header.facility,
    )


def _now(now_ms: int) -> str:
    return _second(now_ms // 1000)


@lru_cache(maxsize=4)
def _second(now_s: int) -> str:
    return datetime.fromtimestamp(now_s, UTC).strftime("%Y%m%d%H%M%S+0000")
