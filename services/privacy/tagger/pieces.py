"""Pure: a text's English as the pieces of words that the context layers read.

`lists/pieces.txt` has one piece a line, as all-MiniLM-L6-v2 has them (`##` goes on a word), without
those that no English text needs. Stretches of one line or some hold at most ``PIECES_MAX``; each is
read by itself. Chinese is not read here: `lexical` does.
"""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from safetensors.numpy import load_file
from torch import Tensor

from plumbing.remembering import remembered

PIECES = Path(__file__).parents[1] / "lists" / "pieces.txt"
VECTORS = PIECES.with_suffix(".safetensors")
HALF_BYTE_MAX = 7
PIECES_MAX = 96
NEAR = 16  # pieces from where a stretch would end in which the end of a line or sentence is it
PIECE_CHARS_MAX = 18  # of the longest piece, so that a long word takes no longer than many
LATIN_WORDS_MIN = 3  # between two Han characters: a shorter stretch says little
PAD, UNKNOWN, HIDDEN = 0, 1, 2
STEP = 16
STRETCH = re.compile("[^\u2e80-\uffef]+")
PIECE_WORD = re.compile(r"[^\W_]+|[^\w\s]|_|\n")
LETTERS = re.compile(r"[^\W\d_]{2,}")
ENDS = frozenset(".!?;\n")

Numbers = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]


class Pieces(NamedTuple):
    """The stretches of a text, each the numbers of its pieces; ``at`` ``(characters,)``: which
    piece of all a character stands in, from 1; 0: none.
    """

    stretches: list[list[int]]
    at: Numbers


def part_of(pieces: Pieces, part: slice) -> Pieces:
    """Return the pieces of a part of a text, in the stretches of the whole."""
    at = pieces.at[part]
    told = at[at > 0]
    first, last = (int(told.min()), int(told.max())) if len(told) else (1, 0)
    kept: list[list[int]] = []
    before = count = 0
    for stretch in pieces.stretches:
        begin, count = count + 1, count + len(stretch)
        if count < first:
            before = count
        elif begin <= last:
            kept.append(stretch)
    return Pieces(kept, np.where(at > 0, at - before, 0).astype(np.int32))


def without_repeats(pieces: Pieces) -> Pieces:
    """Return the pieces with each stretch once: what is said of one is said of all like it."""
    first_at: dict[tuple[int, ...], int] = {}
    rows = [np.zeros(1, dtype=np.int32)]
    count = 0
    for stretch in map(tuple, pieces.stretches):
        first = first_at.setdefault(stretch, count)
        count += len(stretch) if first == count else 0
        rows.append(np.arange(first + 1, first + 1 + len(stretch), dtype=np.int32))
    return Pieces([*map(list, first_at)], np.concatenate(rows)[pieces.at])


def repeats_in(at: npt.NDArray[np.integer[Any]]) -> list[int]:
    """Return the characters where ``at`` of pieces without repeats goes back to an earlier stretch,
    or on from there.
    """
    told = np.flatnonzero(at)
    steps = np.diff(at[told])
    found: list[int] = told[1:][(steps < 0) | (steps > 1)].tolist()
    return found


def pieces_of(folded: str) -> Pieces:
    """Return the pieces of a folded text."""
    at = np.zeros(len(folded), dtype=np.int32)
    stretches: list[list[int]] = []
    count = 0
    for part in STRETCH.finditer(folded):
        if len(LETTERS.findall(part[0])) < LATIN_WORDS_MIN:
            continue
        numbers: list[int] = []
        ends: list[int] = []
        for word in PIECE_WORD.finditer(folded, part.start(), part.end()):
            begin = word.start()
            for number, length in () if word[0] == "\n" else word_pieces(word[0]):
                numbers.append(number)
                count += 1
                at[begin : begin + length] = count
                begin += length
            if word[0] in ENDS:
                ends.append(len(numbers))
        stretches += stretches_of(numbers, ends)
    return Pieces(stretches, at)


def stretches_of(numbers: list[int], ends: Sequence[int]) -> Iterator[list[int]]:
    """Yield pieces in stretches of about one length: attention computes all as long as the longest.
    One ends where a line or sentence does (``ends``) that is near.
    """
    start, size = 0, len(numbers)
    while size - start > PIECES_MAX:
        left = size - start
        wanted = start + -(-left // -(-left // (PIECES_MAX - NEAR)))
        near = ends[bisect_left(ends, wanted - NEAR) : bisect_right(ends, wanted + NEAR)]
        end = min(near, key=partial(_apart, wanted)) if near else wanted
        yield numbers[start:end]
        start = end
    if start < size:
        yield numbers[start:]


def _apart(one: int, other: int) -> int:
    return abs(one - other)


def halved(rows: Floats) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float16]]:
    """Return vectors in four bits a number, two in a byte, and each row's scale."""
    scales = (np.abs(rows).max(axis=1, keepdims=True) / HALF_BYTE_MAX).astype(np.float16)
    small = np.rint(rows / scales.astype(np.float32)).clip(-HALF_BYTE_MAX, HALF_BYTE_MAX)
    bits = (small + HALF_BYTE_MAX).astype(np.uint8)
    return bits[:, ::2] << 4 | bits[:, 1::2], scales


def unpacked(stored: Mapping[str, npt.NDArray[np.generic]]) -> Floats:
    """Return the vectors of all pieces, ``(pieces, widths of the model)``."""
    numbers = stored["numbers"].astype(np.uint8)
    bits = np.empty((len(numbers), 2 * numbers.shape[1]), dtype=np.float32)
    bits[:, ::2], bits[:, 1::2] = numbers >> 4, numbers & 15
    small = (bits - HALF_BYTE_MAX) * stored["scales"].astype(np.float32)
    vectors: Floats = small @ stored["axes"].astype(np.float32) + stored["middle"]
    return vectors


def piece_vectors() -> Floats:
    """Return the vectors by piece's number; raise ``OSError``."""
    return unpacked(load_file(VECTORS))


def stacked(stretches: Sequence[Sequence[int]]) -> Tensor:
    """Return stretches as one matrix ``(stretches, pieces)``, ends filled with ``PAD``.

    Its length is a multiple of ``STEP``: few sizes are prepared for but once, and are quicker.
    """
    length = -(-max(map(len, stretches), default=0) // STEP) * STEP
    numbers = torch.zeros(len(stretches), length, dtype=torch.long)
    for row, stretch in enumerate(stretches):
        numbers[row, : len(stretch)] = torch.tensor(stretch)
    return numbers


@remembered(65_536)
def word_pieces(word: str) -> tuple[tuple[int, int], ...]:
    """Return the longest pieces of a word first, each its number and its length in characters."""
    lowered = _plain(word)
    if len(lowered) != len(word):
        return ((UNKNOWN, len(word)),)
    return tuple(longest_first(lowered, _numbers()) or ((UNKNOWN, len(word)),))


def longest_first(word: str, numbers: Mapping[str, int]) -> list[tuple[int, int]] | None:
    """Return the pieces of a word, the longest first, each its number and length; None: a part of
    it is no piece.
    """
    found: list[tuple[int, int]] = []
    start = 0
    while start < len(word):
        mark = "##" if start else ""
        ends = range(min(len(word), start + PIECE_CHARS_MAX), start, -1)
        end = next((end for end in ends if mark + word[start:end] in numbers), None)
        if end is None:
            return None
        found.append((numbers[mark + word[start:end]], end - start))
        start = end
    return found


def _plain(word: str) -> str:
    if word.isascii():
        return word.lower()
    apart = unicodedata.normalize("NFD", word.lower())
    return "".join(char for char in apart if unicodedata.category(char) != "Mn")


@lru_cache(maxsize=1)
def _numbers() -> dict[str, int]:
    lines = PIECES.read_text(encoding="utf-8").splitlines()
    return {piece: number for number, piece in enumerate(lines)}
