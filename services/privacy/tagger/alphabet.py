"""Pure: folded text to the numbers that the network reads. Training uses the same code.

Each character gives five: its own; that of the word it stands in (letters of an alphabet) or of
itself with the next character (all others); what word lists say of it (`hints`); which row of
`meanings` is of its word; and what the lexical analyser says of it (`lexical`).
"""

import re
from collections.abc import Sequence
from typing import NamedTuple
from zlib import crc32

import numpy as np
import numpy.typing as npt

from plumbing.remembering import remembered
from services.privacy.tagger.hints import add_han_hints, read_hint, row_of_word
from services.privacy.tagger.lexical import Features, lexical_reader
from services.privacy.tagger.pieces import Pieces, pieces_of

PAD, UNKNOWN = 0, 1
ASCII_FIRST = 2
HAN_FIRST, HAN_LAST = 0x4E00, 0x9FFF
HAN_AT = ASCII_FIRST + 128
OTHER_AT = HAN_AT + HAN_LAST - HAN_FIRST + 1
OTHERS = 512
CHARS = OTHER_AT + OTHERS
WORDS = 49_152  # 0: unknown
LATIN_WORD = re.compile(r"[^\W\d_\u2e80-\uffff]+")
MULTIPLIER = np.uint32(2_654_435_761)

Numbers = npt.NDArray[np.int32]
Places = npt.NDArray[np.int64]


class Encoded(NamedTuple):
    """What the network reads of a text, each ``(characters,)``, kinds ``(characters, KINDS)``."""

    chars: Numbers
    words: Numbers
    hints: Numbers
    rows: Numbers
    kinds: Features
    pieces: Pieces


def encode(folded: str) -> Encoded:
    """Return what the network reads of a folded text."""
    return encode_all([folded])[0]


def encode_all(texts: Sequence[str]) -> list[Encoded]:
    """Return what the network reads of each folded text."""
    kinds = lexical_reader().read_all(texts)
    return [_encoded(folded, one) for folded, one in zip(texts, kinds, strict=True)]


def _encoded(folded: str, kinds: Features) -> Encoded:
    points = np.frombuffer(folded.encode("utf-32-le", errors="replace"), dtype=np.uint32)
    return Encoded(_characters(points), *_words(folded, points), kinds, pieces_of(folded))


def _characters(points: npt.NDArray[np.uint32]) -> Numbers:
    chars = OTHER_AT + (points % OTHERS).astype(np.int32)
    ascii_only = points < 128
    chars[ascii_only] = ASCII_FIRST + points[ascii_only].astype(np.int32)
    han = (points >= HAN_FIRST) & (points <= HAN_LAST)
    chars[han] = HAN_AT + (points[han] - HAN_FIRST).astype(np.int32)
    return chars


def _words(folded: str, points: npt.NDArray[np.uint32]) -> tuple[Numbers, Numbers, Numbers]:
    following = np.append(points[1:], np.uint32(0))
    mixed = (points * MULTIPLIER) ^ (following * np.uint32(40_503) + np.uint32(97))
    words = (1 + (mixed * MULTIPLIER >> np.uint32(7)) % np.uint32(WORDS - 1)).astype(np.int32)
    hints, rows = np.zeros_like(words), np.zeros_like(words)
    add_han_hints(folded, hints)
    found = [(*word.span(), *_word(word[0])) for word in LATIN_WORD.finditer(folded)]
    begin, end, *told = np.array(found, dtype=np.int64).reshape(-1, 5).T
    places = places_of(begin, end - begin)
    for numbers, of_words in zip((words, hints, rows), told, strict=True):
        numbers[places] = of_words.repeat(end - begin)
    return words, hints, rows


def places_of(begin: Places, lengths: Places) -> Places:
    """Return the places of all characters of stretches, one after another."""
    ends = lengths.cumsum()
    places: Places = np.arange(lengths.sum()) + (begin - ends + lengths).repeat(lengths)
    return places


@remembered(65_536)
def _word(word: str) -> tuple[int, int, int]:
    lowered = word.lower()
    number = 1 + crc32(lowered.encode("utf-8", errors="replace")) % (WORDS - 1)
    return number, read_hint(lowered), row_of_word(lowered)
