"""Pure: what was found once in a text is found wherever it stands in it.

A name in a heading tells that the same word in the last line is a name, however it stands there.
"""

import re
from collections.abc import Iterable, Iterator

from services.privacy.folding import Squeezed, term
from services.privacy.identity import is_han
from services.privacy.known import KnownTerms
from services.privacy.known_terms import Term
from services.privacy.spans import Span
from services.privacy.tagger.hints import is_han_word
from services.privacy.words import DOUBLE_SURNAMES, NEVER_NAMES, NOT_NAMES, SURNAMES, WORD_NAMES

LATIN_CHARS_MIN = 4
ID_CHARS_MIN = 5
LOC_CHARS_MIN = 4
VALUE_CHARS_MAX = 80  # what is longer is no value that is written twice
PARTS = re.compile(r"[\s,.'’]+")


def find_repeats(folded: str, squeezed: Squeezed, spans: Iterable[Span]) -> list[Span]:
    """Return every place where a name, number or address that ``spans`` hold stands again."""
    # In the order of the spans: of two kinds of one value the first stays, in every process.
    found = dict.fromkeys((folded[span.start : span.end], span.label) for span in spans)
    values = (pair for pair in found if len(pair[0]) <= VALUE_CHARS_MAX)
    terms = KnownTerms(one for value, label in values for one in _terms(value, label))
    return terms.find(folded, squeezed)


def _terms(value: str, label: str) -> Iterator[Term]:
    text = term(value)
    if label == "NAME":
        yield from _name_terms(value, text)
    elif label in {"ID", "PHONE"}:
        if len(text) >= ID_CHARS_MIN:
            yield Term(text, label)
    elif label == "LOC" and len(text) >= LOC_CHARS_MIN:
        yield Term(text, label)


def _name_terms(value: str, whole: str) -> Iterator[Term]:
    if is_han(whole):
        if len(whole) >= 2 and whole not in NEVER_NAMES and whole not in WORD_NAMES:
            yield Term(whole, "NAME")
        cut = 2 if whole[:2] in DOUBLE_SURNAMES.split() else 1
        given, has_family = whole[cut:], cut == 2 or whole[0] in SURNAMES
        if len(given) == 2 and has_family and not is_han_word(given):
            yield Term(given, "NAME", needs_cue=given in WORD_NAMES)
        return
    for part in dict.fromkeys((whole, *map(term, PARTS.split(value)))):
        is_short = len(part) < LATIN_CHARS_MIN
        if len(part) >= 3 and part not in NEVER_NAMES and part not in NOT_NAMES:
            yield Term(part, "NAME", needs_cue=is_short or part in WORD_NAMES)
