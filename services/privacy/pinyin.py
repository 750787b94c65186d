"""Pure: how a Chinese name is written in Latin letters, and what one so written sounds like.

Readings are those of pypinyin (MIT), all of a character: a family name is often a rare one.
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import islice, product
from typing import NamedTuple

from pypinyin.pinyin_dict import pinyin_dict

from plumbing.remembering import remembered
from services.privacy.folding import term
from services.privacy.identity import HAN_FIRST, HAN_LAST

READINGS_MAX = 3  # of one character
WRITINGS_MAX = 12  # of one name
CHARS_MAX = 6  # of one part of a name
SYLLABLES_MAX = 2  # of one part of a name
SYLLABLE_LETTERS_MAX = 6
# A family name that has a reading of its own (Dictionary of Modern Chinese).
FAMILY_FIRST = {
    "曾": "zeng", "单": "shan", "解": "xie", "仇": "qiu", "查": "zha", "任": "ren", "区": "ou",
    "朴": "piao", "翟": "zhai", "盖": "ge", "尉": "yu", "缪": "miao", "乐": "yue", "召": "shao",
    "华": "hua", "纪": "ji", "那": "na", "宁": "ning", "燕": "yan", "覃": "qin", "葛": "ge",
}  # fmt: skip


@remembered(4096)
def written_in_latin(part: str) -> tuple[tuple[str, ...], ...]:
    """Return the syllables of a part of a name, once for each way of reading it; () if it is not
    all Chinese.
    """
    if not 0 < len(part) <= CHARS_MAX or any(ord(char) not in pinyin_dict for char in part):
        return ()
    syllables = [readings_of(char) for char in part]
    return tuple(islice(product(*syllables), WRITINGS_MAX))


@lru_cache(maxsize=4096)
def readings_of(char: str) -> tuple[str, ...]:
    """Return the readings of a character that pypinyin has, without tones, as a name first."""
    found = [FAMILY_FIRST[char]] if char in FAMILY_FIRST else []
    for reading in pinyin_dict[ord(char)].split(",")[:READINGS_MAX]:
        plain = _plain(reading)
        found.append(plain)
        if "ü" in _without_tone(reading):
            found.append(plain.replace("u", "v"))
            found.append(plain.replace("u", "yu"))
    return tuple(dict.fromkeys(found))


@lru_cache(maxsize=4096)
def _plain(reading: str) -> str:
    return term(reading)


def _without_tone(reading: str) -> str:
    return reading.translate(str.maketrans("ǖǘǚǜ", "üüüü"))


class Sounds(NamedTuple):
    """Each Chinese character (code point), and each syllable, as the first character that has this
    (first) reading, without tone.
    """

    of_char: dict[int, str]
    of_syllable: dict[str, str]


def _all_sounds() -> Sounds:
    found = Sounds({}, {})
    for code in range(ord(HAN_FIRST), ord(HAN_LAST) + 1):
        if code in pinyin_dict:
            char = chr(code)
            found.of_char[code] = found.of_syllable.setdefault(readings_of(char)[0], char)
    return found


SOUNDS = _all_sounds()  # of import, 0.1 s: no note waits for it


def is_pinyin(family: str, given: str) -> bool:
    """Return whether a name in squeezed Latin letters may be a Chinese one in pinyin."""
    return bool(family and given and _cut(family) and _cut(given))


def spelt_sounds(family: str, given: str) -> set[str]:
    """Return what a name in pinyin sounds like, in the characters of ``SOUNDS``, however its
    letters are cut into syllables; empty where it is no Chinese name.
    """
    both = product(_cut(family), _cut(given))
    return {"".join((*last, *first)) for last, first in islice(both, WRITINGS_MAX)}


def _cut(part: str) -> list[tuple[str, ...]]:
    """Return the ways to cut letters into syllables; of what is longer than these there is none."""
    if len(part) > SYLLABLES_MAX * SYLLABLE_LETTERS_MAX:
        return []
    plain = part.replace("v", "u").replace("lyu", "lu").replace("nyu", "nu")
    return list(islice(_cuts(plain, SYLLABLES_MAX), WRITINGS_MAX))


def _cuts(rest: str, most: int) -> Iterator[tuple[str, ...]]:
    if not rest:
        yield ()
        return
    for size in range(1, SYLLABLE_LETTERS_MAX + 1) if most else ():
        sound = SOUNDS.of_syllable.get(rest[:size]) if size <= len(rest) else None
        if sound:
            yield from ((sound, *others) for others in _cuts(rest[size:], most - 1))
