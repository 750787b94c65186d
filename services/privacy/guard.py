"""Pure: the last look at a record before it is produced. It should never find anything."""

import re
from collections import OrderedDict
from functools import lru_cache

from services.privacy.folding import simplified
from services.privacy.known import KnownTerms

# What privacy made itself (pixels too, in base64), or a number that is a time: random letters and
# digits, no one's number.
OWN = re.compile(
    rb'"(?:event_id|token|other|encounter|study|series|staff|inputs_digest|png)":"[^"]*"'
    rb'|"\w+_ms":-?\d+'
)
SEPARATORS = re.compile(r"[\W_]+")
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
    """Return whether an encoded record holds a record number, a whole name or a telephone.

    Numbers count only whole and as written: within a longer number they are a coincidence.
    """
    if known.is_empty:
        return False
    text = OWN.sub(b"", record).decode().casefold()
    for term in known.strong_in(simplified(SEPARATORS.sub("", text))):
        if term.label == "NAME":
            return True
        if len(term.text) >= NUMBER_CHARS_MIN and _whole(term.text).search(text):
            return True
    return False


@lru_cache(maxsize=4096)
def _whole(term: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![0-9a-z]){re.escape(term)}(?![0-9a-z])")
