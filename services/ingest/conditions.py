"""Which answers a sender asked for: MSH-15 and MSH-16 (HL7 2.5.1, 2.9.2 and table 0155). Pure.

Both empty is the original mode: one application answer (AA, AE, AR), always. Else it is the
enhanced mode: MSH-15 says when an accept answer (CA, CE, CR) is wanted, MSH-16 when an application
answer is; one left empty wants none. A message that is not accepted gets no application answer
beside its CE or CR, as nobody has yet looked at what it says. An acknowledgement (MSH-9 ACK) gets
none.
"""

from typing import Final, NamedTuple

from services.ingest.charset import header_text
from services.ingest.dialect import NULL
from services.ingest.hl7 import Header

NEVER: Final = "NE"
ON_ERROR: Final = "ER"
ON_SUCCESS: Final = "SU"
ACCEPT_OF: Final = {"AA": "CA", "AE": "CE", "AR": "CR"}
HEADER_BYTES_MAX: Final = 8_192


class Conditions(NamedTuple):
    """MSH-15 and MSH-16 as sent; anything but NE, ER and SU counts as AL."""

    accept: str = ""
    application: str = ""

    @property
    def is_enhanced(self) -> bool:
        """Whether either is valued."""
        return bool(self.accept or self.application)


ORIGINAL: Final = Conditions()
ACKNOWLEDGEMENT: Final = "ACK"  # never acknowledged itself: it would not come to an end
UNANSWERED: Final = Conditions(NEVER, NEVER)


def conditions_of(message: bytes) -> Conditions:
    """Return what the header of one message (bytes, starting with MSH or a BOM) asks for."""
    head = message[:HEADER_BYTES_MAX]
    if b"\x00" in head:
        head = head.replace(b"\x00", b"").lstrip(b"\xff\xfe")  # UTF-16, -32: the header is ASCII
    start = head.find(b"MSH")
    if start < 0:
        return ORIGINAL
    line = head[start:].partition(b"\r")[0].partition(b"\n")[0]
    text = header_text(line)
    fields = text.split(text[3], 17) if len(text) > 3 else []
    if len(fields) > 8 and fields[8][:3] == ACKNOWLEDGEMENT and not fields[8][3:4].isalnum():
        return UNANSWERED
    if len(fields) < 15 or not any(fields[14:16]):
        return ORIGINAL
    accept, application = (*fields, "")[14:16]
    return _conditions(accept, application)


def conditions_in(header: Header) -> Conditions:
    """Return what a header that was read asks for."""
    if header.kind == ACKNOWLEDGEMENT:
        return UNANSWERED
    accept, application = header.accept, header.application_answer
    return _conditions(accept, application) if accept or application else ORIGINAL


def _conditions(accept: str, application: str) -> Conditions:
    accept, application = accept.strip().upper(), application.strip().upper()
    return Conditions("" if accept == NULL else accept, "" if application == NULL else application)


def answers_wanted(asked: Conditions, code: str) -> tuple[str, ...]:
    """Return the codes to answer, in order, where the original mode would answer ``code``."""
    if not asked.is_enhanced:
        return (code,)
    good = code == "AA"
    accept = (ACCEPT_OF[code],) if _wanted(asked.accept, good=good) else ()
    if not good and accept:
        return accept
    return (*accept, code) if _wanted(asked.application, good=good) else accept


def _wanted(condition: str, *, good: bool) -> bool:
    if condition in ("", NEVER):
        return False
    if condition == ON_ERROR:
        return not good
    return good if condition == ON_SUCCESS else True
