"""Pure: the third layer: places by a list, names by a list of given names and a capital after.

`lists/places.txt` is our own; `lists/given_names.txt` are those of Faker (MIT; US and British
statistics) that are no English word. Small on purpose: a list of rare names finds more words than
names, and the tagger reads what stands around them.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import ahocorasick

from services.privacy.identity import is_han
from services.privacy.spans import Span
from services.privacy.words import NOT_NAMES

LISTS = Path(__file__).with_name("lists")
AFTER_GIVEN = re.compile(r"(?: [A-Z]\.?)? [A-Z][^\W\d_]*(?:['’-][A-Z][^\W\d_]+)?")


def find_listed(folded: str) -> Iterator[Span]:
    """Yield the listed places of folded text, and the names that begin with a listed one."""
    for last, word in _LISTED.iter_long(folded):
        start, end = last - len(word) + 1, last + 1
        if is_han(word):
            yield Span(start, end, "LOC")
        elif _is_whole(folded, start, end):
            if word not in _GIVEN:
                yield Span(start, end, "LOC")
                continue
            family = AFTER_GIVEN.match(folded, end)
            if family and family[0].split()[-1].casefold() not in NOT_NAMES:
                yield Span(start, family.end(), "NAME")


def _is_whole(folded: str, start: int, end: int) -> bool:
    before, after = folded[start - 1 : start], folded[end : end + 1]
    return not (before.isalnum() or after.isalnum()) or is_han(before) or is_han(after)


def _lines(name: str) -> list[str]:
    return (LISTS / name).read_text(encoding="utf-8").split("\n")[:-1]


_GIVEN = frozenset(_lines("given_names.txt"))
_LISTED = ahocorasick.Automaton()
for _word in (*_GIVEN, *_lines("places.txt")):
    _LISTED.add_word(_word, _word)
_LISTED.make_automaton()
