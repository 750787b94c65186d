"""Pure: how a Chinese name is written in Latin letters, for the search of notes.

Readings are those of pypinyin (MIT), all of a character: a family name is often a rare one.
"""

from functools import lru_cache
from itertools import islice, product

from pypinyin.pinyin_dict import pinyin_dict

from services.privacy.folding import term

READINGS_MAX = 3  # of one character
WRITINGS_MAX = 12  # of one name
CHARS_MAX = 6  # of one part of a name
# A family name that has a reading of its own (Dictionary of Modern Chinese).
FAMILY_FIRST = {
    "曾": "zeng", "单": "shan", "解": "xie", "仇": "qiu", "查": "zha", "任": "ren", "区": "ou",
    "朴": "piao", "翟": "zhai", "盖": "ge", "尉": "yu", "缪": "miao", "乐": "yue", "召": "shao",
    "华": "hua", "纪": "ji", "那": "na", "宁": "ning", "燕": "yan", "覃": "qin", "葛": "ge",
}  # fmt: skip


@lru_cache(maxsize=4096)
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
        plain = term(reading)
        found.append(plain)
        if "ü" in _without_tone(reading):
            found.append(plain.replace("u", "v"))
            found.append(plain.replace("u", "yu"))
    return tuple(dict.fromkeys(found))


def _without_tone(reading: str) -> str:
    return reading.translate(str.maketrans("ǖǘǚǜ", "üüüü"))
