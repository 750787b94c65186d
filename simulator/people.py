"""Invented patients and staff. Names are common ones put together at random; nobody is real."""

import random
from dataclasses import dataclass

from plumbing.check_digits import mod_11_2

EN_FAMILY = [
    "Abbott",
    "Barnes",
    "Calloway",
    "Dempsey",
    "Everett",
    "Fairfax",
    "Garland",
    "Hollis",
    "Iverson",
    "Jarvis",
    "Kendrick",
    "Lockhart",
    "Merritt",
    "Norwood",
    "Ogden",
    "Prescott",
    "Quimby",
    "Radcliffe",
    "Sewell",
    "Thornton",
    "Underhill",
    "Vickers",
    "Whitaker",
    "Yardley",
    "Okafor",
    "Petrov",
    "Nakamura",
    "Haddad",
    "Lindqvist",
    "Moreau",
    "O'Leary",
    "Castellano",
]
EN_GIVEN_F = [
    "Alice",
    "Beatrice",
    "Clara",
    "Dorothy",
    "Edith",
    "Frances",
    "Grace",
    "Helen",
    "Irene",
    "Joan",
    "Mabel",
    "Ruth",
]
EN_GIVEN_M = [
    "Albert",
    "Bernard",
    "Clement",
    "Donald",
    "Edgar",
    "Francis",
    "Gilbert",
    "Harold",
    "Leonard",
    "Walter",
]
ZH_FAMILY = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧".strip()
ZH_GIVEN_F = [
    "秀英",
    "桂兰",
    "玉梅",
    "淑珍",
    "丽华",
    "慧敏",
    "雪琴",
    "春燕",
    "佳怡",
    "雨婷",
    "思涵",
    "若曦",
]
ZH_GIVEN_M = [
    "建国",
    "志强",
    "伟明",
    "永康",
    "文斌",
    "国栋",
    "海涛",
    "家豪",
    "子轩",
    "浩然",
    "德胜",
    "振华",
]
PINYIN = dict(
    zip(
        ZH_FAMILY,
        [
            "Wang",
            "Li",
            "Zhang",
            "Liu",
            "Chen",
            "Yang",
            "Zhao",
            "Huang",
            "Zhou",
            "Wu",
            "Xu",
            "Sun",
            "Hu",
            "Zhu",
            "Gao",
            "Lin",
            "He",
            "Guo",
            "Ma",
            "Luo",
            "Liang",
            "Song",
            "Zheng",
            "Xie",
            "Han",
            "Tang",
            "Feng",
            "Yu",
            "Dong",
            "Xiao",
        ],
        strict=True,
    )
)
STREETS_EN = ("Alder Lane", "Mill Road", "Harbour Street", "Kingsway", "Orchard Close")
STREETS_ZH = ("解放路", "人民大道", "青松街", "滨江东路", "长寿巷")
DOCTORS = (
    ("D1001", "Lin", "Meihua"),
    ("D1002", "Osborne", "Kate"),
    ("D1003", "Zhao", "Qiang"),
    ("D1004", "Farrell", "Simon"),
    ("D1005", "Sato", "Yuki"),
)


@dataclass(frozen=True)
class Person:
    """One invented patient, with everything a registration desk would write down."""

    mrn: str
    family: str
    given: str
    sex: str
    birth_date: str
    lang: str
    phone: str
    street: str
    city: str
    postcode: str
    national_id: str
    kin_family: str
    kin_given: str
    kin_phone: str

    @property
    def spoken(self) -> str:
        """The name as it stands in a note."""
        if self.lang == "zh":
            return f"{self.family}{self.given}"
        return f"{self.given} {self.family}"


def a_person(rng: random.Random, number: int, today_year: int) -> Person:
    """Return patient ``number``; the same generator state gives the same person."""
    lang = "zh" if rng.random() < 0.5 else "en"
    sex = rng.choice("FM")
    year = today_year - rng.choices((rng.randint(18, 49), rng.randint(50, 94)), (0.25, 0.75))[0]
    birth_date = f"{year:04d}{rng.randint(1, 12):02d}{rng.randint(1, 28):02d}"
    family, given, kin_family, kin_given = _names(rng, lang, sex)
    chinese = lang == "zh"
    phone = f"1{rng.choice('3578')}{rng.randint(10**8, 10**9 - 1)}" if chinese else _phone(rng)
    return Person(
        mrn=f"{60_000_000 + number * 137 + rng.randint(0, 99):08d}",
        family=family,
        given=given,
        sex=sex,
        birth_date=birth_date,
        lang=lang,
        phone=phone,
        street=f"{rng.choice(STREETS_ZH)}{rng.randint(1, 300)}号"
        if chinese
        else f"{rng.randint(1, 300)} {rng.choice(STREETS_EN)}",
        city="江城市" if chinese else "Westbrook",
        postcode=f"{rng.randint(100000, 699999)}" if chinese else f"0{rng.randint(1000, 9899)}",
        national_id=resident_id(rng, birth_date, sex) if chinese else _social_security(rng),
        kin_family=kin_family,
        kin_given=kin_given,
        kin_phone=f"1{rng.choice('3578')}{rng.randint(10**8, 10**9 - 1)}"
        if chinese
        else _phone(rng),
    )


def resident_id(rng: random.Random, birth_date: str, sex: str) -> str:
    """Return an 18-digit number built like a resident id (GB 11643), check digit included."""
    order = rng.randint(0, 499) * 2 + (1 if sex == "M" else 0)
    body = f"99{rng.randint(0, 9999):04d}{birth_date}{order:03d}"  # no region starts with 99
    return body + mod_11_2(body)


def _names(rng: random.Random, lang: str, sex: str) -> tuple[str, str, str, str]:
    if lang == "zh":
        family = rng.choice(ZH_FAMILY)
        given = rng.choice(ZH_GIVEN_F if sex == "F" else ZH_GIVEN_M)
        return family, given, rng.choice(ZH_FAMILY), rng.choice(ZH_GIVEN_F + ZH_GIVEN_M)
    family = rng.choice(EN_FAMILY)
    given = rng.choice(EN_GIVEN_F if sex == "F" else EN_GIVEN_M)
    return family, given, family, rng.choice(EN_GIVEN_F + EN_GIVEN_M)


def _phone(rng: random.Random) -> str:
    return f"({rng.randint(201, 989)}) 555-{rng.randint(100, 199):04d}"  # 555-01xx is for fiction


def _social_security(rng: random.Random) -> str:
    return f"9{rng.randint(0, 99):02d}-{rng.randint(10, 99)}-{rng.randint(1000, 9999)}"  # unissued
