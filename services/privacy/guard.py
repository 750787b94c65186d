"""Pure: the last look at a record before it is produced. It should never find anything."""

import re
from functools import lru_cache

from services.privacy.known import KnownTerms

# What privacy made itself, or a number that is a time: random letters and digits, no one's number.
OWN = re.compile(
    rb'"(?:event_id|token|other|encounter|series|staff|inputs_digest)":"[^"]*"|"\w+_ms":-?\d+'
)
SEPARATORS = re.compile(r"[\W_]+")
NUMBER_CHARS_MIN = 6


def shows_identity(record: bytes, known: KnownTerms) -> bool:
    """Return whether an encoded record holds a record number, a whole name or a telephone.

    Numbers count only whole and as written: within a longer number they are a coincidence.
    """
    if known.is_empty:
        return False
    text = OWN.sub(b"", record).decode().casefold()
    for term in known.strong_in(SEPARATORS.sub("", text)):
        if term.label == "NAME":
            return True
        if len(term.text) >= NUMBER_CHARS_MIN and _whole(term.text).search(text):
            return True
    return False


@lru_cache(maxsize=4096)
def _whole(term: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![0-9a-z]){re.escape(term)}(?![0-9a-z])")
