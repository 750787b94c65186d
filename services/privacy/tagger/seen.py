"""How often a word, and what stands beside one, identified somebody in notes that were marked.

The network keeps of its notes what its weights hold. Here is counted in how many of them a word
was part of what identifies, and in how many it was not; the same of a word with its neighbour, and
of what stands before or behind any word. The second look reads these numbers (decision 0099). Of a
word its check sum is kept: who has a list of names can try them, so a tagger that was taught by
real notes is as confidential as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from services.privacy.tagger.alphabet import Places
from services.privacy.tagger.rare_words import check_sum
from services.privacy.tagger.second_look import Floats, WordSpans

Keys = npt.NDArray[np.uint32]
Counts = npt.NDArray[np.float32]
KEYS, LEVELS = "keys", "levels"  # as the weights call them
# In how many notes: half a byte says which of these is reached.
STEPS = np.array([0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 256], dtype=np.float32)
CASES = ("U", "C", "l")  # all in capitals, begun with one, neither
ASIDE = 0.3  # notes more of each kind, so that what was never seen says nothing
GAP_CHARS = 2
TEXT_BEGINS, TEXT_ENDS = "^", "$"
WORD_KEYS = len(CASES) + 1  # of a word by itself: in each case, then as it is written
PER_WORD = WORD_KEYS + 4  # with the word before, behind; the places behind one, before one
READ = 3 * (1 + PER_WORD - len(CASES))  # numbers of each word: its cases count as one
DIGITS = str.maketrans("123456789", "0" * 9)


@dataclass(frozen=True, eq=False)  # one is itself: a tagger is a key of what is remembered
class Seen:
    """``keys``: check sums, ascending; ``levels``: the steps that are reached by the notes in
    which it identified, times 16, and by those in which it did not.
    """

    keys: Keys
    levels: npt.NDArray[np.uint8]

    def counts(self, keys: Keys) -> Counts:
        """Return in how many notes each of ``keys`` identified and did not, ``(..., 2)``."""
        levels = looked_up(keys, self.keys, self.levels)
        return STEPS[np.stack((levels >> 4, levels & 15), axis=-1)]

    def told(self, folded: str, words: WordSpans, at: Places) -> Floats:
        """Return what is read of the words ``at``, ``(words, READ)``."""
        return told(self.counts(keys_of(folded, words, at)))


def seen_in(state: Mapping[str, npt.NDArray[np.generic]]) -> Seen | None:
    """Return what a tagger's weights hold of it, None where nothing; raise ``ValueError``."""
    keys, levels = state.get(KEYS), state.get(LEVELS)
    if not state:
        return None
    if keys is None or levels is None or len(state) > len((KEYS, LEVELS)):
        raise ValueError("keys and levels, nothing else")
    if keys.ndim != 1 or keys.shape != levels.shape or not keys.size:
        raise ValueError("a level for each key")
    if keys.dtype != np.uint32 or levels.dtype != np.uint8:
        raise ValueError("keys of 32 bits, levels of 8")
    found = Seen(keys.view(np.uint32), levels.view(np.uint8))
    if (found.keys[1:] <= found.keys[:-1]).any():
        raise ValueError("keys ascending")
    return found


def looked_up(keys: Keys, among: Keys, rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return which of ``rows`` belongs to each of ``keys`` by its place ``among`` those, which
    ascend and are some; 0 for a key that is not there.
    """
    at = np.minimum(np.searchsorted(among, keys), len(among) - 1)
    found = rows[at]
    found[among[at] != keys] = 0
    return found


def keys_of(folded: str, words: WordSpans, at: Places) -> Keys:
    """Return the check sums that tell of the words ``at``, ``(words, PER_WORD)``."""
    spans = words.tolist()
    found = [_keys_of(folded, spans, one) for one in at]
    return np.array(found, dtype=np.uint32).reshape(-1, PER_WORD)


def told(counts: Counts) -> Floats:
    """Return the logarithms of ``counts`` ``(words, PER_WORD, 2)``, and of their odds."""
    whole = counts[:, : len(CASES)].sum(axis=1, keepdims=True)
    each = np.concatenate((whole, counts[:, len(CASES) :]), axis=1)
    odds = np.log((each[..., :1] + ASIDE) / (each[..., 1:] + ASIDE))
    found: Floats = np.concatenate((np.log1p(each), odds), axis=2).reshape(len(counts), READ)
    return found


def _keys_of(folded: str, words: list[list[int]], one: int) -> list[int]:
    start, end = words[one]
    written = folded[start:end]
    word = _plain(written)
    before, gap_before = TEXT_BEGINS, TEXT_BEGINS
    if one:
        first, last = words[one - 1]
        before, gap_before = _plain(folded[first:last]), folded[last:start][:GAP_CHARS]
    behind, gap_behind = TEXT_ENDS, TEXT_ENDS
    if one + 1 < len(words):
        first, last = words[one + 1]
        behind, gap_behind = _plain(folded[first:last]), folded[end:first][:GAP_CHARS]
    case = _case(written)
    kind = "0" if written.isdigit() else case if written.isalpha() else "x"
    cases = [_sum("c", word, other) for other in CASES]
    return [
        *cases,
        cases[CASES.index(case)],
        _sum("l", before, word),
        _sum("r", word, behind),
        _sum("b", before, gap_before, kind),
        _sum("a", kind, gap_behind, behind),
    ]


def _sum(*parts: str) -> int:
    return check_sum("\0".join(parts))


def _plain(word: str) -> str:
    return word.lower().translate(DIGITS)


def _case(word: str) -> str:
    if word.isupper():
        return "U"
    return "C" if word[:1].isupper() else "l"
