"""Which answers a sender asked for: MSH-15 and MSH-16 (HL7 2.5.1, 2.9.2 and table 0155). Pure.

Both empty is the original mode: one application answer (AA, AE, AR), always. Else it is the
enhanced mode: MSH-15 says when an accept answer (CA, CE, CR) is wanted, MSH-16 when an application
answer is; one left empty wants none. A message that is not accepted gets no application answer
beside its CE or CR, as nobody has yet looked at what it says. An acknowledgement (MSH-9 ACK) gets
none.
"""

from typing import NamedTuple

from services.ingest.charset import header_text

ALWAYS, NEVER, ON_ERROR, ON_SUCCESS = "AL", "NE", "ER", "SU"
ACCEPT_OF = {"AA": "CA", "AE": "CE", "AR": "CR"}
HEADER_BYTES_MAX = 8_192


class Conditions(NamedTuple):
    """MSH-15 and MSH-16 as sent; anything but NE, ER and SU counts as AL."""

    accept: str = ""
    application: str = ""

    @property
    def is_enhanced(self) -> bool:
        """Whether either is valued."""
        return bool(self.accept or self.application)


ORIGINAL = Conditions()
ACKNOWLEDGEMENT = "ACK"  # is never acknowledged itself: two systems would not come to an end
UNANSWERED = Conditions(NEVER, NEVER)


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
    accept, application = (one.strip().upper() for one in (*fields, "")[14:16])
    return Conditions(*("" if one == '""' else one for one in (accept, application)))


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
