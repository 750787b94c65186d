"""Pure: words of which it is doubtful that they name somebody, whatever stands around them.

An ordinary or medical word that is no name and no place by the lists, an abbreviation of medicine,
and a person after whom a sign, score or device is called: the tagger must be surer of these.
"""

import re
from functools import lru_cache

from services.privacy.tagger.hints import (
    FAMILY,
    GIVEN,
    LISTS,
    MEDICAL,
    ORDINARY,
    PLACE,
    hint_of_word,
)
from services.privacy.words import ABBREVIATIONS, TITLE_LETTERS, words

PROPER = GIVEN | FAMILY | PLACE
ABBREVIATION_CHARS_MAX = 6
INITIALS = 2  # so short an abbreviation may be somebody's initials
LATIN = re.compile(r"[^\W\d_]+")
# Our own list: abbreviations and shorthand of charts, brands of drugs, devices and services.
CHART_WORDS = words((LISTS / "chart_words.txt").read_text(encoding="ascii"))
# Our own list: after whom signs, scores, classes, devices, organisms and operations are called.
EPONYMS = words((LISTS / "eponyms.txt").read_text(encoding="ascii"))


@lru_cache(maxsize=65_536)
def is_doubtful(word: str, *, is_cased: bool) -> bool:
    """Return whether a word of an alphabet is more likely an ordinary one; ``is_cased``: whether
    the text has capitals at all.
    """
    lowered = word.lower()
    hint = hint_of_word(lowered)
    if lowered in EPONYMS and (word[:1].isupper() or not is_cased):
        return True
    if lowered in CHART_WORDS and not hint & (GIVEN | PLACE):
        return True
    if word.isupper() and 1 < len(word) <= ABBREVIATION_CHARS_MAX and hint & MEDICAL:
        return True
    return bool(hint & (ORDINARY | MEDICAL)) and not hint & PROPER


@lru_cache(maxsize=4_096)
def is_shorthand(found: str) -> bool:
    """Return whether all words that a tagger took for a name or a place are shorthand of charts,
    brands, degrees or abbreviations, and none of them is a name or a place by the lists.
    """
    found_words = LATIN.findall(found)
    return bool(found_words) and all(_is_shorthand(word) for word in found_words)


def _is_shorthand(word: str) -> bool:
    lowered = word.lower()
    hint = hint_of_word(lowered)
    if lowered in CHART_WORDS:
        return not hint & (GIVEN | PLACE | FAMILY)
    return (
        word.isupper() and (word in TITLE_LETTERS or word in ABBREVIATIONS) and len(word) > INITIALS
    )
