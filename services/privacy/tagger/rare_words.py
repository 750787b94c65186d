"""Names and places too many to list in full: three bytes of each word's check sum.

One word in a hundred that is on neither list is taken for one of them: a hint removes nothing by
itself. `training/deid/rare_words.py` writes them, and names their sources.
"""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from zlib import crc32

import numpy as np

NAMES = Path(__file__).parents[1] / "lists" / "rare_names.bin"
PLACES = NAMES.with_name("rare_places.bin")
MASK = 0xFF_FFFF


def check_sum(text: str) -> int:
    """Return the number of a text, of 32 bits."""
    return crc32(text.encode("utf-8", errors="replace"))


def fingerprint(word: str) -> int:
    """Return the number of a word in lower case, of 24 bits."""
    return check_sum(word) & MASK


def packed(words: Iterable[str]) -> bytes:
    """Return the fingerprints, each in three bytes."""
    numbers = np.array(sorted(set(map(fingerprint, words))), dtype="<u4")
    return numbers.view(np.uint8).reshape(-1, 4)[:, :3].tobytes()


def unpacked(stored: bytes) -> frozenset[int]:
    """Return the fingerprints."""
    numbers = np.frombuffer(stored, dtype=np.uint8).reshape(-1, 3).astype(np.uint32)
    return frozenset((numbers @ np.array([1, 1 << 8, 1 << 16], dtype=np.uint32)).tolist())


@lru_cache(maxsize=1)
def rare_words() -> tuple[frozenset[int], frozenset[int]]:
    """Return names and places; raise ``OSError``."""
    return unpacked(NAMES.read_bytes()), unpacked(PLACES.read_bytes())
