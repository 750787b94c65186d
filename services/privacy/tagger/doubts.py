"""Pure: words of which it is doubtful that they name somebody, whatever stands around them.

An ordinary or medical word that is no name and no place by the lists, an abbreviation of medicine,
and a person after whom a sign, score or device is called: the tagger must be surer of these.
"""

import re

from plumbing.remembering import remembered
from services.privacy.tagger.hints import (
    FAMILY,
    GIVEN,
    LISTS,
    MEDICAL,
    ORDINARY,
    PLACE,
    UNLISTED,
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
# Languages and who comes from where: neither a place nor a person.
LANGUAGES = words((LISTS / "languages.txt").read_text(encoding="ascii"))
# How drugs (stems of INN), diseases, operations and specialties end.
MEDICAL_END = re.compile(
    r"(?:olog(?:y|ist|ists|ic|ical)|pa?edics?|iatr(?:y|ics|ic|ist)|aemia|(?<!h)emia|itis|osis|ectomy|otomy|ostomy|plasty|oscopy|ography|opathy|algia"
    r"|penia|rrho?ea|plegia|paresis|cillin|mycin|micin|floxacin|azole|sartan|dipine|olol|statin|gliptin|gliflozin|xaban|parin|[tzlu]i?mab|umab|[tl]inib|[fn]enib|anib|parib"
    r"|ciclib|setron|triptan|tidine|[aio]vir|zepam|zolam|barbital|[dv]ocaine|curium|curonium|azepine|oxetine|triptyline|peridol|[lit]apine|ridone|piprazole|lukast"
    r"|terol|tropium|asone|isone|solone|onide|dronate|glutide|glargine|formin|thiazide|semide|lactone|cycline|prazole|poetin|grastim)$"
)
MEDICAL_CHARS_MIN = 7


def is_medical_by_form(lowered: str) -> bool:
    """Return whether a word that no list has ends as drugs, diseases and operations do."""
    return len(lowered) >= MEDICAL_CHARS_MIN and MEDICAL_END.search(lowered) is not None


def is_only_said(lowered: str) -> bool:
    """Return whether the lists have a word as an ordinary or medical one, no name and no place."""
    hint = hint_of_word(lowered)
    return bool(hint & (ORDINARY | MEDICAL)) and not hint & PROPER


@remembered(65_536)
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
    if hint == UNLISTED:
        return is_medical_by_form(lowered)
    return is_only_said(lowered)


@remembered(4_096)
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
