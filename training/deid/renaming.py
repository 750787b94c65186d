"""Pure: other values of the same shape for what is marked in a note, the same for one note.

A family name that stood alone and in a whole name is the same again afterwards; a town stays a
town, a number keeps its letters, blanks and length. What has no shape that is known stays.
"""

import random
import re
from collections.abc import Callable

from services.privacy.words import DOUBLE_SURNAMES, SURNAMES, words
from training.deid.chinese_names import ChineseNames
from training.deid.dates import MONTHS, date_en, date_zh
from training.deid.english import FAMILIES, TOWNS, People
from training.deid.numbers import CAPITALS, phone_zh, record_number
from training.deid.texts import is_han

# ruff: noqa: E501  (lists are read more easily unbroken)
WORD = re.compile(r"[^\W\d_]+")
HAN_PLACE = re.compile(
    r"(?P<body>[\u4e00-\u9fff]{1,6}?)(?P<end>自治州|自治县|自治区|街道|大道|胡同|小区|花园|新村|家园|公寓|社区|省|市|区|县|旗|镇|乡|村|屯|庄|路|街|巷|弄|苑|里|桥|湾|沟|坡|组)"
)
KEPT_IN_NAMES = words(
    "van von de der den la le del di da dos el al bin ibn binti ap jr sr ii iii mc mac st née nee"
)
KEPT_IN_PLACES = words(
    "street st road rd lane ln close avenue ave drive dr way court ct place pl terrace square sq crescent gardens",
    "hospital infirmary clinic surgery hospice medical centre center health care home nursing house lodge court general",
    "royal university community regional memorial children's practice primary school college high academy church park",
    "the of and at in on by near ward unit room flat apt apartment floor suite box po south north east west new old upper",
    "lower great little saint mount san santa los las el la le county city town village farm green hill road station airport",
    "us usa uk nhs gp ed s st's district trust department pharmacy library bridge river lake bay beach island valley",
)
SHORT_MONTHS = tuple(month[:3] for month in MONTHS)
KEEP_SHARE = 0.15


class Renaming:
    """The other values of one note; every value is asked for by ``other``."""

    def __init__(self, rng: random.Random, lang: str, people: People, names: ChineseNames) -> None:
        """Keep what draws names; nothing is drawn yet."""
        self._rng, self._lang, self._people, self._names = rng, lang, people, names
        self._of: dict[tuple[str, str], str] = {}
        self._parts: dict[tuple[str, str], str] = {}
        self._write: dict[str, Callable[[str], str]] = {
            "NAME": self._name,
            "LOC": self._place,
            "DATE": self._date,
            "PHONE": self._phone,
            "ID": self._number,
            "EMAIL": self._address,
            "URL": self._digits,
            "AGE": lambda value: re.sub(r"\d+", str(rng.randrange(90, 104)), value),
        }

    def other(self, label: str, value: str) -> str:
        """Return what stands in the place of ``value``, the same each time."""
        write = self._write.get(label)
        if write is None:
            return value
        key = label, value
        if key not in self._of:
            self._of[key] = write(value)
        return self._of[key]

    def prepare(self, names: list[str]) -> None:
        """Rename the longest names first, so that their parts follow them."""
        for name in sorted(names, key=len, reverse=True):
            self.other("NAME", name)

    def _part(self, kind: str, value: str, draw: Callable[[], str]) -> str:
        key = kind, value.casefold()
        if key not in self._parts:
            self._parts[key] = draw()
        return self._parts[key]

    def _name(self, value: str) -> str:
        if any(char in value for char in "某XⅩ*×○"):
            return value
        if is_han(value.replace("·", "").replace("•", "")):
            return self._han_name(value)
        found = WORD.findall(value)
        is_reversed = "," in value
        last = found[0 if is_reversed else -1] if found else ""

        def renamed(match: re.Match[str]) -> str:
            word = match[0]
            if is_han(word):
                return self._han_name(word)
            if word.casefold() in KEPT_IN_NAMES:
                return word
            if len(word) == 1:
                return (
                    word
                    if value[match.end() : match.end() + 1] in "'’"
                    else self._part("initial", word, lambda: self._rng.choice(CAPITALS))
                )
            if len(word) <= 3 and word.isupper() and len(found) == 1:
                return self._part(
                    "initials", word, lambda: "".join(self._rng.choice(CAPITALS) for _ in word)
                )
            draw = (
                self._people.last
                if word == last and (len(found) > 1 or self._rng.random() < 0.5)
                else self._people.first
            )
            return _like(word, self._part("word", word, lambda: draw(self._rng).split()[-1]))

        return WORD.sub(renamed, value)

    def _han_name(self, value: str) -> str:
        rng = self._rng
        given = {key[1]: new for key, new in self._parts.items() if key[0] == "given"}
        if value in given:
            return given[value]
        if len(value) == 1:
            return self._part("family", value, lambda: self._names.surname(rng)[:1])
        if "·" in value or len(value) > 4:
            return "·".join(
                self._part("part", part, lambda: self._names.foreign_part(rng))
                for part in re.split("[·•]", value)
            )
        size = 2 if value[:2] in DOUBLE_SURNAMES.split() else 1
        if value[0] not in SURNAMES and size == 1:
            return self._part(
                "part", value, lambda: rng.choice((self._names.foreign_part, self._names.full))(rng)
            )
        family = self._part("family", value[:size], lambda: self._names.surname(rng))
        rest = value[size:]
        return family + (
            self._part("given", rest, lambda: self._names.given(rng, len(rest))) if rest else ""
        )

    def _place(self, value: str) -> str:
        rng = self._rng
        if rng.random() < KEEP_SHARE:
            return value
        if is_han(value[:1]) or self._lang == "zh":
            changed = HAN_PLACE.sub(
                lambda m: (
                    self._part(
                        "place", m["body"], lambda: self._names.place_body(rng, len(m["body"]))
                    )
                    + m["end"]
                ),
                value,
            )
            if changed == value and is_han(value) and rng.random() < 0.6:
                tail = re.search(
                    r"(?:[^\u4e00]?[一二三四五六七八九]?(?:附属|人民|中心|中|妇幼)?医院|[一二三四五]?院|大学|中学|小学|学校|厂)$",
                    value,
                )
                end = tail[0] if tail else ""
                body = value[: len(value) - len(end)]
                changed = (
                    self._part("place", body, lambda: self._names.listed(rng)) if body else ""
                ) + end
            return self._digits(changed)

        def moved(match: re.Match[str]) -> str:
            word = match[0]
            if word.casefold() in KEPT_IN_PLACES or not word[0].isupper() or len(word) == 1:
                return word
            if len(word) <= 4 and word.isupper():
                return self._part(
                    "letters", word, lambda: "".join(rng.choice(CAPITALS) for _ in word)
                )
            return _like(
                word,
                self._part(
                    "town", word, lambda: rng.choice(TOWNS if rng.random() < 0.75 else FAMILIES)
                ),
            )

        if any(char.isdecimal() for char in value) and re.fullmatch(r"[A-Z0-9 ]{4,8}", value):
            return self._number(value)
        return self._digits(WORD.sub(moved, value))

    def _date(self, value: str) -> str:
        rng = self._rng
        if rng.random() < KEEP_SHARE:
            return (date_zh if self._lang == "zh" else date_en)(rng)
        numbers = re.sub(r"\d+", lambda match: _other_number(match, rng), value)
        return WORD.sub(lambda match: _other_month(match[0], rng), numbers)

    def _phone(self, value: str) -> str:
        rng = self._rng
        if self._lang == "zh" and rng.random() < KEEP_SHARE:
            return phone_zh(rng)
        kept = 2 if value[:1] in "01+(" else 0
        return value[:kept] + self._digits(value[kept:])

    def _number(self, value: str) -> str:
        rng = self._rng
        if rng.random() < KEEP_SHARE:
            return record_number(rng)
        is_changed = rng.random() < 0.5
        return "".join(
            rng.choice(CAPITALS) if is_changed and "A" <= char <= "Z" else self._digits(char)
            for char in value
        )

    def _address(self, value: str) -> str:
        local, at, rest = value.partition("@")
        if not at:
            return self._digits(value)
        return (
            WORD.sub(lambda _: self._people.first(self._rng).lower(), self._digits(local))
            + at
            + rest
        )

    def _digits(self, value: str) -> str:
        return "".join(
            self._rng.choice("0123456789") if char.isdecimal() and char.isascii() else char
            for char in value
        )


def _like(word: str, other: str) -> str:
    """``other`` in the case of ``word``."""
    if word.isupper() and len(word) > 1:
        return other.upper()
    return other.lower() if word.islower() else other


def _other_number(match: re.Match[str], rng: random.Random) -> str:
    """Another year, month or day in the place of one in a date."""
    digits = match[0]
    after = match.string[match.end() : match.end() + 2].lstrip()
    if len(digits) == 4:
        is_late = digits > "1999"
        return str(rng.randrange(2012, 2027)) if is_late else str(rng.randrange(1925, 2000))
    if len(digits) > 4:
        return digits
    number = int(digits)
    is_month = number <= 12 or after.startswith("月")
    new = rng.randrange(1, 13) if is_month else rng.randrange(13, 29)
    if number > 31:
        new = rng.randrange(32, 100)
    return f"{new:0{len(digits)}}"


def _other_month(word: str, rng: random.Random) -> str:
    for names in (MONTHS, SHORT_MONTHS):
        if word.capitalize() in names:
            return _like(word, rng.choice(names))
    return word
