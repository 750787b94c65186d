"""Chinese names and places: common, rare, minority, foreign, of words, of random characters.

They are mixed on purpose: what stands around a name must be learnt, and not the name.
"""

import random
from collections.abc import Callable

from services.privacy.tagger.hints import chinese_places
from services.privacy.words import DOUBLE_SURNAMES, SURNAMES

# ruff: noqa: E501  (lists are read more easily unbroken)
# fmt: off

CYRILLIC = (
    "Дмитрий", "Ольга Иванова", "Сергей", "Наталья Петрова", "Юрий Кузнецов", "Анна", "Айгуль",
    "Нурлан Ахметов", "Владимир", "Екатерина Соколова", "Иван Лебедев", "Светлана",
)  # fmt: skip


class ChineseNames:
    """Draws Chinese names of every kind, and places."""

    def __init__(
        self, words: dict[str, list[str]], latin: Callable[[random.Random], str]
    ) -> None:
        """Keep the lists, and what writes a name in Latin letters."""
        self._latin = latin
        self._words = words
        self._surnames: list[str] = [*SURNAMES, *"王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗" * 3]
        self._places = chinese_places()
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

    def full(self, rng: random.Random) -> str:  # noqa: PLR0911 - a table of kinds
        """Return a whole name."""
        draw = rng.random()
        if draw < 0.11:
            return self._minority(rng)
        if draw < 0.14:
            return self._transcribed(rng)
        if draw < 0.165:
            write: Callable[[random.Random], str] = rng.choice(
                (self._latin, self._latin, lambda r: r.choice(CYRILLIC))
            )
            return write(rng)
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

    def given(self, rng: random.Random, count: int) -> str:
        """Return a given name of ``count`` characters."""
        if count == 2 and rng.random() < 0.15:
            return rng.choice(self._words["zh_given_words"])
        return "".join(rng.choice(self._given) for _ in range(count))

    def foreign_part(self, rng: random.Random) -> str:
        """Return a part of a minority or foreign name."""
        words = self._words["zh_minority" if rng.random() < 0.5 else "zh_foreign"]
        return rng.choice(words) if rng.random() < 0.5 else self._transcribed(rng).split("·")[0]

    def listed(self, rng: random.Random) -> str:
        """Return a real place."""
        return rng.choice(self._places)

    def place_body(self, rng: random.Random, count: int) -> str:
        """Return the name of a place without the word that says what it is."""
        draw = rng.random()
        if draw < 0.4:
            return self._made(rng)
        if draw < 0.7:
            return self.listed(rng).rstrip("省市区县镇乡村路街")
        return "".join(rng.choice(self._place_chars) for _ in range(count))

    def place(self, rng: random.Random) -> str:  # noqa: PLR0911 - a table of kinds
        """Return a place, from a province to a village."""
        draw = rng.random()
        known = rng.choice(self._words["zh_place_a"])
        if draw < 0.18:
            return known
        if draw < 0.38:
            return self.listed(rng)
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
