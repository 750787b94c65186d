"""HL7 acknowledgements: MSH, MSA, ERR; a batch of them for a batch."""

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime

from contracts.clinical import Finding
from services.ingest.hl7 import Header

# HL7 table 0357.
ERROR_TEXTS = {
    "100": "Segment sequence error",
    "101": "Required field missing",
    "102": "Data type error",
    "200": "Unsupported message type",
    "203": "Unsupported version id",
    "207": "Application internal error",
}
NOT_STORED = Finding("error", "", "207", "not stored in time, send again")
NOT_READ = Finding("error", "", "207", "could not be read")
TOO_LARGE = Finding("error", "MSH", "207", "message is too large")
ERRORS_MAX = 10
DEFAULT_FIELD, DEFAULT_ENCODING = "|", "^~\\&"
DEFAULT_VERSION = "2.5.1"


class Acknowledger:
    """Builds answers; ``prefix`` (12 characters at most) makes their control ids ours alone."""

    def __init__(self, prefix: str) -> None:
        """Start counting."""
        self._prefix = prefix
        self._numbers = itertools.count(1)

    def answer(
        self, header: Header | None, code: str, findings: Sequence[Finding], now_ms: int
    ) -> str:
        """Return MSH, MSA and an ERR for each error, in the sender's delimiters."""
        field, encoding = _delimiters(header)
        component = encoding[0]
        number = f"{self._prefix}{next(self._numbers)}"
        segments = [
            _msh(header, number, now_ms),
            field.join(("MSA", code, header.control_id if header else "")),
        ]
        if code != "AA":
            errors = [one for one in findings if one.level == "error"][:ERRORS_MAX]
            segments += [_err(one, field, component) for one in errors]
        return "\r".join(segments) + "\r"

    def batch(self, first: Header | None, answers: Sequence[str], now_ms: int) -> str:
        """Return the answers to the messages of one batch, as a batch."""
        field, encoding = _delimiters(first)
        opening = field.join(("BHS", encoding, *_parties(first), _now(now_ms)))
        closing = field.join(("BTS", str(len(answers))))
        return f"{opening}\r{''.join(answers)}{closing}\r"


def _msh(header: Header | None, number: str, now_ms: int) -> str:
    field, encoding = _delimiters(header)
    component = encoding[0]
    trigger = header.trigger if header else ""
    kind = component.join(("ACK", trigger, "ACK")) if trigger else "ACK"
    version = header.version if header else ""
    return field.join(
        (
            "MSH",
            encoding,
            *_parties(header),
            _now(now_ms),
            "",
            kind,
            number,
            (header.processing_id if header else "") or "P",
            version if version.startswith("2") else DEFAULT_VERSION,
        )
    )


def _err(finding: Finding, field: str, component: str) -> str:
    segment, _, number = finding.where.partition("-")
    location = component.join((segment, "1", number)) if number else segment
    code = component.join((finding.code, ERROR_TEXTS.get(finding.code, ""), "HL70357"))
    return field.join(("ERR", "", location, code, "E", "", "", "", finding.text))


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
    return datetime.fromtimestamp(now_ms // 1000, UTC).strftime("%Y%m%d%H%M%S+0000")
