"""Pure: what English words mean, as small frozen vectors: names lie near names, drugs near drugs.

`lists/meanings.npy` has a row for each word of `lists/hints_en.txt`, in its order: what a language
model that was trained on much text says of the word alone, made small
(`training/deid/word_meanings.py`, which names the source). The network reads the row; it learns
what a kind of word is, not each word, so that a town in no text it saw is read as a town.
"""

from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

MEANINGS = Path(__file__).parents[1] / "lists" / "meanings.npy"
MEANING_WIDTH = 32
UNIT = 32.0  # the number that stands for 1

Bytes = npt.NDArray[np.int8]
Meanings = npt.NDArray[np.float32]


def packed(rows: Meanings) -> Bytes:
    """Return vectors ``(words, MEANING_WIDTH)`` as they are stored."""
    stored: Bytes = np.clip(np.rint(rows * UNIT), -127, 127).astype(np.int8)
    return stored


def unpacked(stored: Bytes) -> Meanings:
    """Return stored vectors as the network reads them; row 0, of no word, is put before them."""
    none = np.zeros((1, stored.shape[1]), dtype=np.float32)
    return np.concatenate((none, stored.astype(np.float32) / np.float32(UNIT)))


@lru_cache(maxsize=1)
def word_meanings() -> Meanings:
    """Return the vectors by row, ``(words + 1, MEANING_WIDTH)``; raise ``OSError``."""
    return unpacked(np.load(MEANINGS, allow_pickle=False))
