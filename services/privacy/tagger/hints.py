"""Pure: what word lists say of each character, as numbers more for the network to read.

A hint removes nothing: that `Reading` is a town, a name and a word is told, what it is here must be
read from around it. `lists/hints_en.txt` holds words with the sum of the bits below, `hints_zh.txt`
Chinese words and places; both are made by `training/deid/word_lists.py`, which names their sources.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import ahocorasick
import numpy as np
import numpy.typing as npt

from services.privacy.tagger.lexical import LEXICAL
from services.privacy.tagger.meanings import MEANINGS
from services.privacy.tagger.pieces import PIECES, VECTORS
from services.privacy.tagger.rare_words import NAMES, PLACES, fingerprint, rare_words

LISTS = Path(__file__).parents[1] / "lists"
COMMON, ORDINARY, GIVEN, FAMILY, PLACE, MEDICAL = 1, 2, 4, 8, 16, 32
UNLISTED = 64  # a word of an alphabet that no list has
ZH_WORD, ZH_PLACE = 65, 67  # the first character of one; each other is one more
RARE_NAME, RARE_PLACE = 1, 2  # more than ``RARE``: on a long list of names, of places, or both
RARE = 68
HINTS = 72  # 0: nothing is said

HAN = re.compile("[\u4e00-\u9fff]")
FILES = ("hints_en.txt", "hints_zh.txt")

Numbers = npt.NDArray[np.int32]


def lists_bytes() -> bytes:
    """Return the content of all that the network reads beside its weights."""
    read = (*FILES, MEANINGS.name, LEXICAL.name, PIECES.name, VECTORS.name, NAMES.name, PLACES.name)
    return b"".join((LISTS / name).read_bytes() for name in read)


def hint_of_word(lowered: str) -> int:
    """Return what the short lists say of a word of an alphabet in lower case, accents folded."""
    return _ENGLISH.get(lowered, (UNLISTED, 0))[0]


def read_hint(lowered: str) -> int:
    """Return the hint of a word as the network reads it: the long lists count too."""
    hint = hint_of_word(lowered)
    if hint != UNLISTED:
        return hint
    names, places = rare_words()
    number = fingerprint(lowered)
    rare = RARE_NAME * (number in names) + RARE_PLACE * (number in places)
    return RARE + rare if rare else UNLISTED


def row_of_word(lowered: str) -> int:
    """Return which row of ``meanings.word_meanings`` is of this word; 0: none."""
    return _ENGLISH.get(lowered, (UNLISTED, 0))[1]


def is_han_word(text: str) -> bool:
    """Return whether Han characters are an ordinary word."""
    return bool(_CHINESE.get(text, (0, 0))[1] == ZH_WORD)


def han_places(folded: str) -> Iterator[tuple[int, int]]:
    """Yield where the Chinese places of the list stand, each ``(start, end)``."""
    for start, end, kind in _han_words(folded):
        if kind == ZH_PLACE:
            yield start, end


def english_words(bit: int) -> list[str]:
    """Return the words of a kind, in lower case (to write texts with)."""
    return [word for word, (bits, _) in _ENGLISH.items() if bits & bit]


def chinese_places() -> list[str]:
    """Return the Chinese places (to write texts with)."""
    return [word for word, kind in _pairs(FILES[1]) if kind == ZH_PLACE]


def add_han_hints(folded: str, hints: Numbers) -> None:
    """Write the hints of Chinese words and places; the longest word counts."""
    for start, end, kind in _han_words(folded):
        hints[start] = kind
        hints[start + 1 : end] = kind + 1


@lru_cache(maxsize=2)
def _han_words(folded: str) -> Sequence[tuple[int, int, int]]:
    """Read once for the hints, once for the places."""
    if HAN.search(folded) is None:
        return ()  # sooner than the automaton sees it
    found = _CHINESE.iter_long(folded)
    return [(last - size + 1, last + 1, kind) for last, (size, kind) in found]


def _pairs(name: str) -> list[tuple[str, int]]:
    lines = (LISTS / name).read_text(encoding="utf-8").splitlines()
    return [(word, int(kind)) for word, _, kind in (line.partition(" ") for line in lines)]


_ENGLISH: dict[str, tuple[int, int]] = {}  # bits and row
_CHINESE = ahocorasick.Automaton()


def _load() -> None:
    english, chinese = map(_pairs, FILES)
    _ENGLISH.update((word, (bits, row)) for row, (word, bits) in enumerate(english, start=1))
    for word, kind in chinese:
        _CHINESE.add_word(word, (len(word), kind))
    _CHINESE.make_automaton()


_load()
