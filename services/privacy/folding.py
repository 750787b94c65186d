"""Pure: text in the two forms that matching needs, with every offset mapped back.

``folded`` undoes tricks of writing (full width, accents, zero-width and bidi marks, odd dashes and
spaces) and keeps case and separators. ``squeezed`` is its lower case with only letters and digits,
so ``12-34 56`` and ``Smith, Anna`` are found as ``123456`` and ``smithanna``. Chinese characters
are simplified ones in it (``lists/simplified.txt``): ``歐陽`` is ``欧阳``.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

# Latin letters that do not decompose.
LETTERS = {
    "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ł": "l", "Ł": "L", "ß": "ss", "æ": "ae", "Æ": "Ae",
    "œ": "oe", "Œ": "Oe", "þ": "th", "Þ": "Th", "ð": "d", "Ð": "D", "ı": "i",
}  # fmt: skip
# Invisible marks and accents go; every dash and every blank is one.
ONE_FOR_ALL = {"Cf": "", "Mn": "", "Pd": "-", "Zs": " "}
# Letters of other scripts that look like a Latin one (after Unicode's confusables, those that a
# keyboard has); Greek ones that measure (alpha, beta, mu) stay themselves beside Latin letters.
LOOKALIKES = str.maketrans(
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0406\u0408\u0405"
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u0501\u051b\u051d\u04cf\u0432\u043a\u043c"
    "\u043d\u0442\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03bf\u03bd"
    "\u03ba\u03c1\u037f\u03f3\u0251\u0261\u026a\u0280\u029f",
    "ABEKMHOPCTYXIJSaeopcyxijshdqwlbkmhtABEZHIKMNOPTYXovkpJjagIRL",
)
# In squeezed text alone, where nothing is measured.
LOOKALIKES_SQUEEZED = LOOKALIKES | str.maketrans(
    "\u03b1\u03b5\u03b7\u03b9\u03c4\u03c5\u03c9", "aenituw"
)
ALIKE = re.compile(f"[{''.join(map(chr, LOOKALIKES))}]")
WORD = re.compile(r"[^\W\d_]+")
LATIN = re.compile("[A-Za-z]")
# Letters by their category, and nothing to the eye.
BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u2800\u17b4\u17b5")
NOT_ITSELF = re.compile("[^\x00-\x7f\u4e00-\u9fff]")  # all others are folded to themselves
SQUEEZED_KEPT_MAX = 65_536
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
    if ALIKE.search(text):
        text = WORD.sub(_one_script, text)
    chars: list[str] = []
    starts: list[int] = []
    done = 0
    for match in NOT_ITSELF.finditer(text):
        index = match.start()
        replacement = _fold_char(match[0])
        chars += (text[done:index], replacement)
        starts += range(done, index)
        starts += [index] * len(replacement)
        done = index + 1
    starts += range(done, len(text))
    return Folded("".join([*chars, text[done:]]), starts)


def squeeze(folded: str) -> Squeezed:
    """Return folded text squeezed."""
    if folded.isascii():
        kept = np.frombuffer(folded.encode("ascii"), dtype=np.uint8)
        return Squeezed(folded.translate(_SQUEEZED_ASCII), np.flatnonzero(_IS_KEPT[kept]).tolist())
    chars = [_SQUEEZED[char] for char in folded]
    at = [index for index, char in enumerate(chars) if char]
    squeezed = "".join(chars)
    if len(at) != len(squeezed):  # a character became several
        at = [index for index, char in enumerate(chars) for _ in char]
    return Squeezed(squeezed, at)


def term(value: str) -> str:
    """Return a known value as it stands in squeezed text."""
    if value.isascii():
        return value.translate(_SQUEEZED_ASCII)
    return squeeze(fold(value).folded).squeezed


def simplified(text: str) -> str:
    """Return ``text`` with each traditional Chinese character as the simplified one."""
    return text if text.isascii() else text.translate(_SIMPLIFIED)


def _pairs() -> dict[int, str]:
    path = Path(__file__).with_name("lists") / "simplified.txt"
    lines = path.read_text(encoding="utf-8").split()
    plain = {line[0]: line[1] for line in lines}
    return {ord(one): plain.get(other, other) for one, other in plain.items()}


_SIMPLIFIED = _pairs()


@lru_cache(maxsize=16_384)
def _fold_char(char: str) -> str:
    category = unicodedata.category(char)
    if char in BLANK_LETTERS:
        return ""
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


class _SqueezedChars(dict[str, str]):
    """The characters that were squeezed; when there are too many, they are forgotten."""

    def __missing__(self, char: str) -> str:
        if len(self) >= SQUEEZED_KEPT_MAX:
            self.clear()
        squeezed = self[char] = _squeeze_char(char)
        return squeezed


def _squeeze_char(char: str) -> str:
    if char == WALL:
        return char
    alike = char.translate(LOOKALIKES_SQUEEZED)
    return simplified("".join(c for c in alike.casefold() if c.isalnum()))


def _one_script(word: "re.Match[str]") -> str:
    """A word of two scripts is written in Latin letters and their like; as long as it was."""
    return word[0].translate(LOOKALIKES) if LATIN.search(word[0]) else word[0]


# Each character of ASCII is squeezed to one or to none.
_SQUEEZED_ASCII = {code: _squeeze_char(chr(code)) for code in range(128)}
_IS_KEPT = np.array([bool(squeezed) for squeezed in _SQUEEZED_ASCII.values()])
_SQUEEZED = _SqueezedChars()
