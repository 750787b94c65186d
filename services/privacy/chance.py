"""Pure: short names that stand within ordinary words by chance: `Ting Li` in `Tingling`, and in
`starting lisinopril`.

What names somebody is looked for in squeezed text without regard to words, so that nothing hides
it. There a short name is found in what everybody writes, and a patient called so would lose their
notes. It is chance only where all words that it touches are in the lists as ordinary or medical
ones and as nobody's name, and where it does not begin and end with a word: in letters that are no
words it still counts, and so does a name as it is written.
"""

import re
from collections.abc import Iterator

from services.privacy.folding import Squeezed
from services.privacy.known import KnownTerms
from services.privacy.known_terms import Term
from services.privacy.tagger.doubts import is_only_said
from services.privacy.tagger.hints import COMMON, hint_of_word

NAME_CHARS_MAX = 9  # longer names stand in no words by chance
WORD_CHARS_MAX = 24
CHANCES_MAX = 500  # in one text: more are made up to keep us busy
WORD = re.compile(r"[^\W_]+")


def holds_strong(known: KnownTerms, folded: str, squeezed: Squeezed) -> bool:
    """Return whether a record number, whole name or telephone stands in a text, but by chance."""
    return any(True for _ in strong_in(known, folded, squeezed))


def strong_in(known: KnownTerms, folded: str, squeezed: Squeezed) -> Iterator[Term]:
    """Yield the strong terms of a text, without regard to words, but those there by chance."""
    at, chances = squeezed.at, 0
    for last, term in known.strong_at(squeezed.squeezed):
        start, end = at[last - len(term.text) + 1], at[last] + 1
        if chances < CHANCES_MAX and _is_chance(term, folded, start, end):
            chances += 1
        else:
            yield term


def _is_chance(term: Term, folded: str, start: int, end: int) -> bool:
    is_short = len(term.text) <= NAME_CHARS_MAX and term.text.isascii() and term.text.isalpha()
    if term.label != "NAME" or not is_short:
        return False
    first, last = start, end
    while first and folded[first - 1].isalnum() and start - first < WORD_CHARS_MAX:
        first -= 1
    while last < len(folded) and folded[last].isalnum() and last - end < WORD_CHARS_MAX:
        last += 1
    if (first, last) == (start, end):
        return False
    return all(map(_is_only_said, WORD.findall(folded[first:last])))


def _is_only_said(word: str) -> bool:
    """Return whether a word is an ordinary or a medical one, written as one, and no name."""
    if len(word) > WORD_CHARS_MAX or not (word[1:].islower() or word.isupper()):
        return False
    lowered = word.lower()
    return bool(hint_of_word(lowered) & COMMON) or is_only_said(lowered)
