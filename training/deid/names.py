"""Names and places to fill templates with: own lists, and pools that Faker writes once.

Names are mixed on purpose: common, rare, minority, foreign, of words, and of letters drawn at
random, so that what stands around a name must be learnt and not the name.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from faker import Faker

from services.privacy.words import DOUBLE_SURNAMES, SURNAMES
from training.deid.grammar import read_groups

WORDS = Path(__file__).with_name("templates") / "words.txt"
LATIN_LOCALES = (
    "en_US", "en_GB", "en_IE", "en_IN", "en_NZ", "en_CA", "en_AU", "de_DE", "fr_FR", "es_ES",
    "es_MX", "it_IT", "pt_BR", "pt_PT", "nl_NL", "sv_SE", "da_DK", "no_NO", "fi_FI", "is_IS" if False else "et_EE",
    "pl_PL", "cs_CZ", "sk_SK" if False else "sl_SI", "hr_HR", "hu_HU", "ro_RO", "tr_TR", "id_ID", "fil_PH", "de_CH", "fr_CH",
    "de_AT", "vi_VN", "lt_LT",
)  # fmt: skip
POOL = 260
FIRST_TRIES_PERCENT = 70


@dataclass(frozen=True)
class Locale:
    """What one locale's names and addresses look like."""

    first: tuple[str, ...]
    last: tuple[str, ...]
    address: tuple[str, ...]
    city: tuple[str, ...]
    phone: tuple[str, ...]
    company: tuple[str, ...]


def read_words(path: Path = WORDS) -> dict[str, list[str]]:
    """Return the word lists: a line holds items between bars, or between blanks."""
    found: dict[str, list[str]] = {}
    for name, lines in read_groups(path).items():
        items: list[str] = []
        for line in lines:
            items += line.split("|") if "|" in line else line.split()
        found[name] = items
    return found


def latin_locales(seed: int) -> list[Locale]:
    """Return the pools of all locales; the same seed gives the same."""
    return [_locale(name, seed) for name in LATIN_LOCALES]


def _locale(name: str, seed: int) -> Locale:
    fake = Faker(name)
    fake.seed_instance(seed)
    draws = range(POOL)
    return Locale(
        first=_latin(fake.first_name() for _ in draws),
        last=_latin(fake.last_name() for _ in draws),
        address=tuple(fake.address() for _ in draws),
        city=_latin(fake.city() for _ in draws),
        phone=tuple(fake.phone_number() for _ in draws),
        company=_latin(fake.company() for _ in range(POOL // 2)),
    )


def _latin(names: "Sequence[str] | object") -> tuple[str, ...]:
    unique = dict.fromkeys(name.strip() for name in names)  # type: ignore[attr-defined]  # any iterable
    return tuple(name for name in unique if name and name[0].upper() < "\u0250")


class ChineseNames:
    """Draws Chinese names of every kind, and places."""

    def __init__(self, words: dict[str, list[str]]) -> None:
        """Keep the lists."""
        self._words = words
        self._surnames = [*SURNAMES, *"王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗" * 3]
        self._rare = list(words["zh_surnames_rare"][0])
        self._double = DOUBLE_SURNAMES.split()
        self._given = list(words["zh_given_chars"][0])
        self._foreign_chars = list(words["zh_fchars"][0])
        self._place_chars = list(words["zh_place_chars"][0])

    def surname(self, rng: random.Random) -> str:
        """Return a family name."""
        draw = rng.random()
        if draw < 0.62:
            return rng.choice(self._surnames)
        if draw < 0.93:
            return rng.choice(self._rare)
        if draw < 0.97:
            return rng.choice(self._double)
        return _any_han(rng)

    def full(self, rng: random.Random) -> str:
        """Return a whole name."""
        draw = rng.random()
        if draw < 0.11:
            return self._minority(rng)
        if draw < 0.15:
            return self._transcribed(rng)
        if draw < 0.24:
            return self.surname(rng) + rng.choice(self._words["zh_given_words"])
        if draw < 0.27:
            return rng.choice(self._words["zh_given_words"])
        if draw < 0.29:
            return self.surname(rng) + rng.choice(("某", "某某", "某", "X", "××", "XX"))
        if draw < 0.30:
            return _spaced(self._common(rng))
        return self._common(rng)

    def nickname(self, rng: random.Random) -> str:
        """Return what somebody is called at home or at work."""
        one = rng.choice(self._given) if rng.random() < 0.6 else self.surname(rng)
        form = rng.choice(("小{}", "老{}", "阿{}", "{}哥", "{}姐", "{0}{0}", "大{}", "{}总", "{}儿", "{}婶"))
        return form.format(one)

    def place(self, rng: random.Random) -> str:
        """Return a place, from a province to a village."""
        draw = rng.random()
        known = rng.choice(self._words["zh_place_a"])
        if draw < 0.35:
            return known
        if draw < 0.45:
            return known + rng.choice(("市", "县", "区", "州", "省"))
        if draw < 0.6:
            return known + rng.choice(("", "市")) + self._made(rng) + rng.choice("区县镇乡村")
        if draw < 0.7:
            return rng.choice(self._words["zh_place_foreign"])
        if draw < 0.8:
            return known + self._made(rng) + rng.choice(
                ("沟", "山", "村", "滑雪场", "码头", "工业园", "学院", "农场", "敬老院", "小区", "大学", "监狱", "中学")
            )
        return self._made(rng) + rng.choice(("市", "县", "区", "镇", "乡", "村", "街道", "屯", "庄", "寨", "", "旗"))

    def address(self, rng: random.Random) -> str:
        """Return a street address."""
        made = self._made
        head = rng.choice(self._words["zh_place_a"]) if rng.random() < 0.75 else ""
        head += rng.choice(("", "", "市", "省", "县"))
        if rng.random() < 0.6:
            head += made(rng) + rng.choice(("区", "县", "市", "旗"))
        if rng.random() < 0.35:
            head += made(rng) + rng.choice(("镇", "乡", "街道", "村", "团"))
        tail = made(rng) + rng.choice(("路", "街", "大道", "巷", "里", "新村", "小区", "花园", "胡同", "苑", "家园", "东里"))
        number = str(rng.randrange(1, 900))
        end = rng.choice(("号", "号楼", "弄", "栋", "-2-3", "号院", "组", "", "幢", "号附1号"))
        more = rng.choice(("", "", f"{rng.randrange(1, 40)}单元{rng.randrange(101, 2900)}", f"{rng.randrange(1, 30)}栋{rng.randrange(101, 999)}室", f" {rng.choice('abcdnwzABCD')}座", f"{rng.randrange(101, 2900)}室"))
        zip_code = f" {rng.randrange(100_000, 860_000)}" if rng.random() < 0.08 else ""
        return head + tail + number + end + more + zip_code

    def hospital(self, rng: random.Random) -> str:
        """Return the name of a hospital."""
        where = rng.choice(
            (self.place(rng), rng.choice(self._words["zh_place_a"]), rng.choice(self._words["zh_place_a"]) + "市", self._made(rng))
        )
        kind = rng.choice(
            ("人民医院", "第一人民医院", "中医院", "中心医院", "大学附属医院", "医科大学第二附属医院", "妇幼保健院", "卫生院",
             "社区卫生服务中心", "儿童医院", "肿瘤医院", "精神卫生中心", "医院", "卫生所", "职业病防治院", "总医院", "诊所", "一院", "三院", "卫生站", "急救中心", "疾控中心", "骨科医院", "敬老院", "康复医院")
        )  # fmt: skip
        return where + kind

    def _made(self, rng: random.Random) -> str:
        pool = self._place_chars if rng.random() < 0.7 else self._given
        return "".join(rng.choice(pool) for _ in range(rng.choice((2, 2, 2, 3))))

    def _common(self, rng: random.Random) -> str:
        draw = rng.random()
        count = 1 if draw < 0.24 else 2
        if draw > 0.92:
            given = "".join(_any_han(rng) for _ in range(count))
        else:
            given = "".join(rng.choice(self._given) for _ in range(count))
        return self.surname(rng) + given

    def _minority(self, rng: random.Random) -> str:
        words = self._words["zh_minority"]
        draw = rng.random()
        if draw < 0.35:
            return rng.choice(words)
        if draw < 0.6:
            return rng.choice(words) + rng.choice(("·", "·", "", ".", "•")) + rng.choice(words)
        if draw < 0.8:
            return rng.choice(self._words["zh_foreign"]) + rng.choice(("", "·" + rng.choice(words)))
        return self._transcribed(rng)

    def _transcribed(self, rng: random.Random) -> str:
        parts = rng.choice((1, 1, 2))
        return rng.choice(("·", "·", "")).join(
            "".join(rng.choice(self._foreign_chars) for _ in range(rng.choice((2, 3, 3, 4))))
            for _ in range(parts)
        )


def _any_han(rng: random.Random) -> str:
    return chr(rng.randrange(0x4E00, 0x9F00))


def _spaced(name: str) -> str:
    return " ".join(name)
