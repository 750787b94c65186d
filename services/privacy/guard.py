"""Pure: the last look at a record before it is produced. It should never find anything.

It looks for what the event tells of its patient, and for whatever is somebody's number by its own
check: a resident id, a mobile telephone of China, a social security number, a card, an e-mail.
"""

import re
from collections import OrderedDict

from plumbing.check_digits import is_luhn, mod_11_2
from plumbing.remembering import remembered
from services.privacy.chance import strong_in
from services.privacy.code_systems import is_of_system
from services.privacy.folding import Squeezed, simplified
from services.privacy.known import KnownTerms

# What privacy made itself (pixels too, in base64), or a number that is a time: random letters and
# digits, no one's number.
OWN = re.compile(
    rb'"(?:event_id|token|other|encounter|study|series|staff|inputs_digest|png)":"[^"]*"'
    rb'|"\w+_ms":-?\d+'
)
# Names of fields, numbers, and drugs in NDC, which may look like telephones: no text of a sender.
NO_TEXT = re.compile(r'"system":"ndc","code":"[^"]*"|"\w+":[\d.e+-]*')
# ruff: noqa: E501  (an expression that is broken into lines cannot be read)
VALIDATED = re.compile(
    r"(?<![\w.])(?:(?P<resident>[1-9]\d{5}(?:18|19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dx])"
    r"|(?P<mobile>(?:\+?86[ -]?)?1[3-9]\d(?P<gap>[ -]?)\d{4}(?P=gap)\d{4})"
    r"|(?P<ssn>(?!000|666|9)\d{3}-(?!00)\d\d-(?!0000)\d{4}|(?:ssn|social security)[^\d]{0,20}\d{3}-?\d\d-?\d{4})"
    r"|(?P<card>(?:4\d{3}|5[1-5]\d\d|2[2-7]\d\d|6011|65\d\d|62\d\d|35\d\d)(?P<by>[ -]?)\d{4}(?P=by)\d{4}(?P=by)\d{4}"
    r"|3[47]\d{13})"
    r"|(?P<email>[a-z0-9._%+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*\.[a-z]{2,24}))(?!\w)"
)  # of casefolded text
ZEROS = bytes(ord("0") if chr(byte) in "0123456789" else byte for byte in range(256))
HINTS = (b"0" * 11, b"000-00-0", b"000-0000", b"000 0000", b"@", b"ssn", b"social security")
SEPARATORS = re.compile(r"[\W_]+")
ESCAPES = re.compile(r"\\[bfnrt]")  # as long as what stands in their place
NUMBER_CHARS_MIN = 6
PATIENTS_MIN = 3
SOURCES_MAX = 1_000


class GuardWatch:
    """Which sources had hits, and of how many patients.

    One patient with an odd name or number may hit at each event, and a sender can see to that. So a
    hit counts against its source only once several of its patients had one.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self._patients: OrderedDict[str, set[str]] = OrderedDict()

    def hit(self, source: str, patient: str) -> bool:
        """Remember a hit; say whether it counts against the source."""
        patients = self._patients.pop(source, set())
        self._patients[source] = patients
        if len(self._patients) > SOURCES_MAX:
            self._patients.popitem(last=False)
        if len(patients) < PATIENTS_MIN:
            patients.add(patient)
        return len(patients) >= PATIENTS_MIN


def shows_identity(record: bytes, known: KnownTerms) -> bool:
    """Return whether the texts of an encoded record hold a record number, a whole name or a
    telephone that is known, or anybody's number that is valid by its own check.

    Known numbers count only whole and as written: within a longer number they are a coincidence.
    """
    theirs = OWN.sub(b"", record)
    text = theirs.decode().casefold()
    if _may_validate(theirs) and any(map(_is_valid, VALIDATED.finditer(NO_TEXT.sub("", text)))):
        return True
    if known.is_empty:
        return False
    text = simplified(text)
    if not known.holds_strong(SEPARATORS.sub("", text)):
        return False
    text = NO_TEXT.sub("", text)
    return any(
        term.label == "NAME"
        or (len(term.text) >= NUMBER_CHARS_MIN and _whole(term.text).search(text) is not None)
        for term in strong_in(known, *_squeezed(text))
    )


def _squeezed(text: str) -> tuple[str, Squeezed]:
    """Return a text without what JSON writes for ends of lines, and that text squeezed."""
    at = [place for place, char in enumerate(text) if char.isalnum()]
    return ESCAPES.sub("  ", text), Squeezed("".join(text[place] for place in at), at)


def _may_validate(record: bytes) -> bool:
    """Say in a few microseconds that a record has no such number, as nearly all have none."""
    shape = record.lower().translate(ZEROS)
    return any(hint in shape for hint in HINTS)


def _is_valid(match: re.Match[str]) -> bool:
    if resident := match["resident"]:
        return resident[-1] == mod_11_2(resident[:-1]).lower()  # GB 11643
    digits = re.sub(r"\D", "", match[0])
    if match["card"]:
        return is_luhn(digits) and not is_of_system(digits, "SCT")
    return not match["mobile"] or not is_of_system(digits, "SCT")


@remembered(4096)
def _whole(term: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![0-9a-z]){re.escape(term)}(?![0-9a-z])")
