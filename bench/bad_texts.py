"""How long the scrub takes with texts that were made to be slow: a piece, over and over.

Seconds of one core's time per 100 KB, by rules only and with all layers; two names are known. Two
seconds are asked (decision 0087 says where that is not kept).
"""

from collections.abc import Callable
from random import Random
from string import ascii_lowercase
from time import process_time
from typing import Any

from bench.deid import layers, one_core, terms
from services.privacy.free_text import TextCleaner
from services.privacy.spans import ManyFinder
from training.deid.texts import Marked

# Each was slow once, or is what a form, a name or an encoding begins with.
PIECES = (
    "a.", "1-1-", "@", "@@a.", "<b>", "<", "<a href='", "{\\rtf1 \\'41", "1-\n", "1\n", "(1\n",
    "\u0430", "A\u043d ", "&#65;", "%41", "\\u0041", "QUJD", "4142", "🙂", "农历", "闰", "2024年",
    "九十", "in her nineties ", "VickersAnna", "Anna Vickers ", "12/2", "ACGT", "x\u0301", "\u3164",
)  # fmt: skip
BYTES = 50_000
TRIES = 3
SLOWEST = 8  # that are told
KNOWN = {"NAME": ("Vickers^Anna", "张伟"), "PHONE": ("13812345678",), "ID": ("10045678",)}


def repeated(piece: str, size: int = BYTES) -> str:
    """Return the piece as often as it goes into ``size`` bytes."""
    return piece * (size // len(piece.encode()))


def one_word(size: int = BYTES) -> str:
    """Return a word of so many letters, of which no piece comes again and again."""
    letters = Random(1)
    return "".join(letters.choices(ascii_lowercase, k=size))


def run(tagger: ManyFinder | None = None) -> dict[str, Any]:
    """Return the seconds per 100 KB of the slowest pieces, by the layers that look."""
    known = terms(Marked("bad", "en", "bad", "", (), KNOWN))
    with one_core():
        return {
            name: slowest(TextCleaner(known, one).clean) for name, one in layers(tagger).items()
        }


def slowest(clean: Callable[[str], object]) -> dict[str, float]:
    """Return the seconds per 100 KB of the slowest pieces, the slowest first, and of a word."""
    found = {repr(piece): _seconds_per_100_kb(clean, repeated(piece)) for piece in PIECES}
    found["one word"] = _seconds_per_100_kb(clean, one_word())
    return dict(sorted(found.items(), key=lambda pair: -pair[1])[:SLOWEST])


def _seconds_per_100_kb(clean: Callable[[str], object], text: str) -> float:
    taken = []
    for _ in range(TRIES):
        begun = process_time()
        clean(text)
        taken.append(process_time() - begun)
    return round(min(taken) * 100_000 / len(text.encode()), 2)
