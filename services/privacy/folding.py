"""Pure: text in the two forms that matching needs, with every offset mapped back.

``folded`` undoes tricks of writing (full width, accents, zero-width and bidi marks, odd dashes and
spaces) and keeps case and separators. ``squeezed`` is its lower case with only letters and digits,
so ``12-34 56`` and ``Smith, Anna`` are found as ``123456`` and ``smithanna``.
"""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

# Latin letters that do not decompose.
LETTERS = {
    "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ł": "l", "Ł": "L", "ß": "ss", "æ": "ae", "Æ": "Ae",
    "œ": "oe", "Œ": "Oe", "þ": "th", "Þ": "Th", "ð": "d", "Ð": "D", "ı": "i",
}  # fmt: skip
# Invisible marks and accents go; every dash and every blank is one.
ONE_FOR_ALL = {"Cf": "", "Mn": "", "Pd": "-", "Zs": " "}
WALL = "\x1f"  # stands in squeezed text where a mark was: nothing matches across it


@dataclass(frozen=True, slots=True)
class Folded:
    """A text, folded. ``starts[i]`` is the original index of ``folded[i]``; None: the same."""

    folded: str
    starts: list[int] | None

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Return the original span of ``folded[start:end]`` (not empty)."""
        if self.starts is None:
            return start, end
        return self.starts[start], self.starts[end - 1] + 1


@dataclass(frozen=True, slots=True)
class Squeezed:
    """A folded text, squeezed. ``at[i]`` is the folded index of ``squeezed[i]``."""

    squeezed: str
    at: list[int]


def fold(text: str) -> Folded:
    """Return ``text`` folded."""
    if text.isascii():
        return Folded(text, None)
    chars: list[str] = []
    starts: list[int] = []
    for index, char in enumerate(text):
        replacement = _fold_char(char)
        chars.append(replacement)
        starts.extend([index] * len(replacement))
    return Folded("".join(chars), starts)


def squeeze(folded: str) -> Squeezed:
    """Return folded text squeezed."""
    chars: list[str] = []
    at: list[int] = []
    for index, char in enumerate(folded):
        replacement = _squeeze_char(char)
        if replacement:
            chars.append(replacement)
            at.extend([index] * len(replacement))
    return Squeezed("".join(chars), at)


def term(value: str) -> str:
    """Return a known value as it stands in squeezed text."""
    return squeeze(fold(value).folded).squeezed


@lru_cache(maxsize=16_384)
def _fold_char(char: str) -> str:
    category = unicodedata.category(char)
    if category in ONE_FOR_ALL:
        return ONE_FOR_ALL[category]
    if category == "Nd":
        return str(unicodedata.decimal(char))
    if char in LETTERS:
        return LETTERS[char]
    if char < "\u0250" or "\u1e00" <= char <= "\u1eff":
        decomposed = unicodedata.normalize("NFKD", char)
        return "".join(c for c in decomposed if unicodedata.category(c) != "Mn")
    return unicodedata.normalize("NFKC", char)


@lru_cache(maxsize=16_384)
def _squeeze_char(char: str) -> str:
    if char == WALL:
        return char
    return "".join(c for c in char.casefold() if c.isalnum())
