"""Words that identify nobody, to stand between identifiers: two free word lists, at random.

Chinese: the dictionary of jieba (MIT), without its names, places and institutions. English: the
word frequencies of pyspellchecker (MIT), without what is a name somewhere. Both are needed to
train, not to run.
"""

import gzip
import hashlib
import importlib.util
import json
import random
from collections.abc import Iterable
from itertools import accumulate
from pathlib import Path

NAME_TAGS = ("nr", "ns", "nt", "nz", "eng", "m", "x", "o", "y", "e")
ZH_CHARS_MAX = 4
EN_WORDS = 45_000


class Filler:
    """Draws words, the common ones more often."""

    def __init__(self, names: Iterable[str]) -> None:
        """Read both lists; ``names`` are words that shall not count as ordinary English."""
        zh, en = _resource("jieba", "dict.txt"), _resource("spellchecker", "resources/en.json.gz")
        self.sha256 = hashlib.sha256(zh.read_bytes() + en.read_bytes()).hexdigest()
        self._zh, self._zh_weights = _weighted(_chinese(zh))
        self._en, self._en_weights = _weighted(_english(en, {name.lower() for name in names}))

    def chinese(self, rng: random.Random) -> str:
        """Return a word of one to four characters."""
        return rng.choices(self._zh, cum_weights=self._zh_weights)[0]

    def english(self, rng: random.Random) -> str:
        """Return a word in lower case."""
        return rng.choices(self._en, cum_weights=self._en_weights)[0]


def _resource(package: str, name: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"{package}: pip install 'auscult[training]'")
    return Path(spec.origin).parent / name


def _chinese(path: Path) -> dict[str, float]:
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        word, count, tag = line.split(" ")
        is_han = all("\u4e00" <= char <= "\u9fff" for char in word)
        if is_han and len(word) <= ZH_CHARS_MAX and not tag.startswith(NAME_TAGS) and len(word) > 1:
            found[word] = float(count) ** 0.5
    return found


def _english(path: Path, names: set[str]) -> dict[str, float]:
    counts = json.loads(gzip.decompress(path.read_bytes()))
    common = sorted(counts, key=lambda word: (-counts[word], word))[:EN_WORDS]
    return {
        word: float(counts[word]) ** 0.5
        for word in common
        if word.isalpha() and len(word) > 1 and word not in names
    }


def _weighted(words: dict[str, float]) -> tuple[list[str], list[float]]:
    ordered = sorted(words)
    return ordered, list(accumulate(words[word] for word in ordered))
