"""What fills the templates' slots, each identifier within its mark."""

import random
from collections.abc import Callable
from datetime import date, timedelta

from training.deid.dates import date_en, date_zh
from training.deid.grammar import Slot
from training.deid.names import ChineseNames, Locale

Made = Callable[[random.Random], str]


def marked(label: str, make: Made) -> Slot:
    """Return a slot whose text is marked as an identifier of a kind."""
    return lambda rng: f"⟦{label}:{make(rng)}⟧"


def chinese_slots(words: dict[str, list[str]]) -> dict[str, Slot]:
    """Return the slots of Chinese templates."""
    names = ChineseNames(words)
    slots: dict[str, Slot] = {
        "name": marked("NAME", names.full),
        "pt": marked("NAME", names.full),
        "kname": marked("NAME", names.full),
        "dr": marked("NAME", lambda r: names.full(r) if r.random() < 0.6 else names.surname(r)),
        "sn": marked("NAME", names.surname),
        "nick": marked("NAME", names.nickname),
        "place": marked("LOC", names.place),
        "addr": marked("LOC", names.address),
        "hosp": marked("LOC", names.hospital),
        "nation": marked("LOC", lambda r: r.choice(words["zh_place_foreign"])),
        "zip": marked("LOC", lambda r: str(r.randrange(100_000, 860_000))),
        "d": marked("DATE", date_zh),
        "id": marked("ID", record_number),
        "cid": marked("ID", resident_id),
        "tel": marked("PHONE", phone_zh),
        "wx": marked("ID", account),
        "mail": marked("EMAIL", lambda r: f"{account(r)}@{r.choice(('qq.com', '163.com', 'hosp.cn'))}"),
        "org": marked("ORG", lambda r: r.choice(words["zh_org"])),
        "rel": lambda r: r.choice(RELATIVES),
        "age": lambda r: (
            f"{r.randrange(1, 90)}{r.choice(('岁', '岁', 'y', ''))}"
            if r.random() < 0.95
            else f"⟦AGE:{r.randrange(90, 104)}⟧岁"
        ),
        "dur": lambda r: f"{r.choice(('半', '1', '2', '3', '5', '10', '余'))}{r.choice(('天', '周', '月', '年', '小时', '日'))}",
    }
    for slot, group in (
        ("sym", "sym"), ("dx", "dx"), ("drug", "drug"), ("exam", "exam"), ("op", "op"), ("lab", "lab"),
        ("img_find", "img"), ("eponym", "eponym"), ("job", "job"), ("nat", "nat"),
    ):  # fmt: skip
        slots[slot] = _from(words[f"zh_{group}"])
    return slots | common_slots("zh")


def english_slots(words: dict[str, list[str]], locales: list[Locale]) -> dict[str, Slot]:
    """Return the slots of English templates; names come from every locale."""
    english, weights = locales, [6, 4, *[1] * (len(locales) - 2)]

    def locale(rng: random.Random) -> Locale:
        return rng.choices(english, weights)[0]

    people = _People(locale)
    slots: dict[str, Slot] = {
        "name": marked("NAME", people.full),
        "pt": marked("NAME", people.full),
        "ptlast": marked("NAME", people.last_first),
        "qname": marked("NAME", people.queried),
        "first": marked("NAME", people.first),
        "last": marked("NAME", people.last),
        "nick": marked("NAME", lambda r: people.first(r)[: r.choice((3, 4, 5))] + r.choice(("", "y", "ie"))),
        "initial": lambda r: f"⟦NAME:{r.choice(CAPITALS)}⟧",
        "initials": marked("NAME", lambda r: r.choice(CAPITALS) + r.choice(CAPITALS)),
        "initialsdot": marked("NAME", lambda r: f"{r.choice(CAPITALS)}.{r.choice(CAPITALS)}."),
        "dr": lambda r: r.choice(("Dr ", "Dr. ", "", "Mr ")) + f"⟦NAME:{people.doctor(r)}⟧",
        "place": marked("LOC", lambda r: _place(r, locale(r))),
        "addr": marked("LOC", lambda r: address_en(r, locale(r))),
        "hosp": marked("LOC", lambda r: hospital_en(r, locale(r), people)),
        "country": marked("LOC", lambda r: r.choice(COUNTRIES)),
        "nation": lambda r: r.choice(NATIONS),
        "org": marked("ORG", lambda r: r.choice(locale(r).company)),
        "d": marked("DATE", date_en),
        "my": marked("DATE", lambda r: f"{r.choice(MONTHS)} {r.randrange(1960, 2026)}"),
        "month": lambda r: r.choice(MONTHS),
        "id": marked("ID", lambda r: record_number(r) if r.random() < 0.7 else number_en(r)),
        "tel": marked("PHONE", lambda r: phone_en(r, locale(r))),
        "mail": marked("EMAIL", lambda r: f"{account(r)}@{account(r)}.{r.choice(('com', 'org', 'nhs.uk'))}"),
        "url": marked("URL", lambda r: f"{r.choice(('https://', 'www.', 'http://www.'))}{account(r)}.{r.choice(('com', 'org/p', 'net', 'de/x?id=4'))}"),
        "ip": marked("IP", lambda r: ".".join(str(r.randrange(1, 255)) for _ in range(4))),
        "age": lambda r: str(r.randrange(1, 90)) if r.random() < 0.95 else f"⟦AGE:{r.randrange(90, 104)}⟧",
        "sex": lambda r: r.choice("MF"),
        "hiser": lambda r: r.choice(("his", "her")),
        "lang": lambda r: r.choice(("Polish", "Punjabi", "Spanish", "Cantonese", "Somali", "Arabic", "Urdu")),
    }
    for slot in ("sym", "dx", "drug", "lab", "imgf", "eponym", "op", "job", "dept"):
        slots[slot] = _from(words[f"en_{slot}"])
    return slots | common_slots("en")


def common_slots(lang: str) -> dict[str, Slot]:
    """Return the slots of numbers that identify nobody."""
    times = ("qd", "bid", "tid", "q12h", "每日1次", "每晚1次", "st") if lang == "zh" else ("od", "bd")
    return {
        "n": lambda r: str(r.randrange(1, 99)),
        "bed": lambda r: f"{r.randrange(1, 60):02}" if r.random() < 0.7 else f"+{r.randrange(1, 9)}",
        "temp": lambda r: f"{r.uniform(35.5, 40.5):.1f}",
        "bp": lambda r: f"{r.randrange(80, 210)}/{r.randrange(40, 120)}",
        "dose": lambda r: f"{r.choice(('0.5', '1', '2.5', '5', '10', '20', '40', '75', '100', '500'))}{r.choice(('mg', 'g', ' mg', 'ml', 'mcg', 'IU', 'U'))}",
        "freq": lambda r: r.choice(times),
        "clock": lambda r: f"{r.randrange(24):02}:{r.randrange(60):02}",
    }


class _People:
    """Names as they are written in English notes."""

    def __init__(self, locale: Callable[[random.Random], Locale]) -> None:
        self._locale = locale

    def first(self, rng: random.Random) -> str:
        name = rng.choice(self._locale(rng).first)
        return _made_up(rng) if rng.random() < 0.06 else name

    def last(self, rng: random.Random) -> str:
        draw = rng.random()
        if draw < 0.06:
            return _made_up(rng)
        if draw < 0.16:
            return rng.choice(WORD_SURNAMES)
        name = rng.choice(self._locale(rng).last)
        return name.upper() if draw > 0.95 else name

    def full(self, rng: random.Random) -> str:
        locale = self._locale(rng)
        first = rng.choice(locale.first) if rng.random() < 0.93 else _made_up(rng)
        last = rng.choice(locale.last) if rng.random() < 0.7 else self.last(rng)
        middle = rng.choice(("", "", "", "", f" {rng.choice(CAPITALS)}.", f" {rng.choice(CAPITALS)}", f" {self.first(rng)}"))
        draw = rng.random()
        if draw < 0.06:
            return f"{first[0]} {last}"
        if draw < 0.12:
            return f"{first[0]}. {last}"
        if draw < 0.18:
            return f"{last.upper()}, {first}"
        if draw < 0.2:
            return f"{first} {last}".lower()
        if draw < 0.24:
            return f"{first} {last}".upper()
        if draw < 0.27:
            return f"{first} {last}-{self.last(rng)}"
        return f"{first}{middle} {last}"

    def last_first(self, rng: random.Random) -> str:
        last = self.last(rng)
        return f"{last.upper() if rng.random() < 0.6 else last}{rng.choice((', ', ',', ' '))}{self.first(rng)}"

    def queried(self, rng: random.Random) -> str:
        return f"{self.first(rng)} {rng.choice(CAPITALS)}." if rng.random() < 0.4 else self.full(rng)

    def doctor(self, rng: random.Random) -> str:
        return self.last(rng) if rng.random() < 0.5 else self.full(rng)


def record_number(rng: random.Random) -> str:
    """Return a number of a record, sample, device or card."""
    digits = "".join(rng.choice("0123456789") for _ in range(rng.randrange(4, 12)))
    cut = rng.randrange(2, len(digits) - 1)
    letters = "".join(rng.choice(CAPITALS) for _ in range(rng.randrange(1, 4)))
    return rng.choice(
        (digits, digits, f"{letters}{digits}", f"{letters}-{digits}", f"{digits[:cut]}-{digits[cut:]}",
         f"{letters}{digits[:cut]}-{digits[cut:]}", f"{digits}{letters[:1]}", f"{letters}{digits[:4]}-{digits[-4:]}-{digits[:2]}",
         f"{letters} {digits}", f"{letters[:1].lower()}{letters}{digits[:2]}-{digits}", f"{digits[:4]}/{digits[-4:]}")
    )  # fmt: skip


def number_en(rng: random.Random) -> str:
    """Return a number as English-speaking countries write them: social security, NHS, IBAN."""
    def run(count: int) -> str:
        return "".join(rng.choice("0123456789") for _ in range(count))

    return rng.choice(
        (f"{run(3)}-{run(2)}-{run(4)}", f"{run(3)} {run(3)} {run(4)}", run(16), f"{run(4)} {run(4)} {run(4)} {run(4)}",
         f"GB{run(2)}ABCD{run(14)}", f"{rng.choice(CAPITALS)}{run(8)}", run(9), f"{run(2)}-{run(7)}", f"{rng.choice(CAPITALS)}{rng.choice(CAPITALS)}{run(2)} {rng.choice(CAPITALS)}{rng.choice(CAPITALS)}{rng.choice(CAPITALS)}")
    )  # fmt: skip


def resident_id(rng: random.Random) -> str:
    """Return a number with the form of a resident identity card."""
    born = date(1930, 1, 1) + timedelta(days=rng.randrange(33_000))
    number = f"{rng.randrange(110_000, 660_000)}{born:%Y%m%d}{rng.randrange(1000):03}{rng.choice('0123456789Xx')}"
    return number if rng.random() < 0.85 else f"{number[:6]} {number[6:14]} {number[14:]}"


def phone_zh(rng: random.Random) -> str:
    """Return a Chinese telephone number."""
    mobile = f"1{rng.randrange(3, 10)}{rng.randrange(10**9):09}"
    line = f"{rng.choice(('010', '021', '0512', '0991', '0471', '0877'))}{rng.choice(('-', '', ' '))}{rng.randrange(2_000_000, 89_999_999)}"
    return rng.choice((mobile, mobile, f"{mobile[:3]} {mobile[3:7]} {mobile[7:]}", f"{mobile[:3]}-{mobile[3:7]}-{mobile[7:]}", line, line + f"转{rng.randrange(100, 9999)}", f"+86 {mobile}"))


def phone_en(rng: random.Random, locale: Locale) -> str:
    """Return a telephone number of some country, or an extension."""
    a, b, c = rng.randrange(201, 990), rng.randrange(200, 999), rng.randrange(10_000)
    return rng.choice(
        (rng.choice(locale.phone), rng.choice(locale.phone), f"({a}) {b}-{c:04}", f"{a}-{b}-{c:04}", f"{a}.{b}.{c:04}",
         f"0{rng.randrange(1000, 8000)} {rng.randrange(100_000, 999_999)}", f"07{rng.randrange(100, 999)} {rng.randrange(100_000, 999_999)}", f"ext {c:04}", f"+44 20 {rng.randrange(7000, 8999)} {c:04}")
    )  # fmt: skip


def account(rng: random.Random) -> str:
    """Return the name of an account."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    word = "".join(rng.choice(letters) for _ in range(rng.randrange(3, 9)))
    return rng.choice((word, f"{word}{rng.randrange(1000)}", f"{word}_{rng.choice(letters)}{rng.randrange(99)}", f"{word}-{word[::-1]}"))


def address_en(rng: random.Random, locale: Locale) -> str:
    """Return a postal address, on one line or several, whole or in part."""
    address = rng.choice(locale.address)
    draw = rng.random()
    if draw < 0.3:
        return address
    if draw < 0.65:
        return address.replace("\n", ", ")
    if draw < 0.8:
        return address.split("\n")[0]
    street = rng.choice(("Street", "St", "Road", "Rd", "Lane", "Avenue", "Close", "Drive", "Way", "Court", "Gardens"))
    return f"{rng.randrange(1, 300)}{rng.choice(('', '', 'A', 'b'))} {rng.choice(locale.last)} {street}{rng.choice(('', f', {rng.choice(locale.city)}'))}"


def _place(rng: random.Random, locale: Locale) -> str:
    draw = rng.random()
    if draw < 0.3:
        return rng.choice(BIG_PLACES)
    if draw < 0.4:
        return f"{rng.choice(locale.city)}, {rng.choice(STATES)}"
    if draw < 0.5:
        return rng.choice(COUNTRIES)
    return rng.choice(locale.city)


def hospital_en(rng: random.Random, locale: Locale, people: _People) -> str:
    """Return the name of a hospital, clinic or home."""
    first = rng.choice(
        (rng.choice(locale.city), rng.choice(BIG_PLACES), people.last(rng), f"St. {people.first(rng)}'s", f"St {people.first(rng)}", rng.choice(TREES), f"Royal {rng.choice(locale.city)}", f"Mount {people.last(rng)}")
    )  # fmt: skip
    kind = rng.choice(
        ("Hospital", "General Hospital", "Medical Center", "Clinic", "Infirmary", "Health Centre", "Surgery", "Hospice",
         "Care Home", "Nursing Home", "Memorial Hospital", "University Hospital", "General", "Community Hospital", "Regional", "Practice", "Health", "Children's", "clinic", "office", "Lodge", "Primary School", "Pharmacy", "")
    )  # fmt: skip
    return f"{first} {kind}".strip() if rng.random() < 0.95 else rng.choice(("UCSF", "MGH", "RVI", "UCLA", "NYU Langone", "VA"))


def _made_up(rng: random.Random) -> str:
    length = rng.randrange(2, 5)
    return "".join(rng.choice(SYLLABLES) for _ in range(length)).capitalize()


def _from(items: list[str]) -> Slot:
    return lambda rng: rng.choice(items)


CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December", "Jan", "Feb", "Sept", "Oct", "Dec")
SYLLABLES = ("ba", "chu", "dae", "el", "fio", "gwen", "hu", "ik", "jo", "kwa", "li", "mbe", "nko", "ola", "pra", "quin", "ros", "shi", "tor", "u", "vik", "wu", "xia", "ya", "zo", "ng", "an", "ish", "ek", "or", "ie", "ann", "der", "sen", "ski", "ova")
RELATIVES = ("父亲", "母亲", "父", "母", "丈夫", "妻子", "妻", "夫", "儿子", "女儿", "子", "女", "长子", "次子", "哥哥", "弟弟", "姐姐", "妹妹", "兄", "妹", "老伴", "爱人", "孙子", "孙女", "外甥", "外甥女", "侄子", "儿媳", "女婿", "姑姑", "叔叔", "舅舅", "奶奶", "爷爷", "外婆", "表弟", "堂姐", "岳父", "婆婆", "嫂子", "男友", "女友", "监护人")
WORD_SURNAMES = ("Will", "Hope", "May", "Young", "Stone", "Gray", "Brown", "Long", "Short", "Black", "White", "Rose", "Grant", "Price", "Bell", "Wood", "Hill", "King", "Park", "Day", "Cook", "Page", "Rich", "Sharp", "Strong", "Church", "Love", "Field", "Frost", "Winter", "Snow", "Head", "Hand", "Pain", "Burns", "Cross", "Major", "Miles", "Reed", "Fisher", "Mason", "Walker", "Hunter", "Parkinson", "Graves", "Wilson", "Bishop", "Foley", "Case", "Power", "Best", "Little", "Good", "Moody", "Savage", "Gently", "Payne", "Leech", "Blood", "Bone", "Legg", "Foot", "Tooth", "Stent", "Ward", "Nurse", "Doctor", "Sister", "Summer", "June", "April", "Drinkwater", "Loveday")
TREES = ("Elm", "Oak", "Cedar", "Maple", "Willow", "Pine", "Lakeside", "Riverside", "Sunnyvale", "Valley", "Meadow", "Northside", "Hillcrest", "Greenfield", "Sacred Heart", "Mercy", "Good Samaritan", "Providence", "City", "County", "Downtown", "The Beeches")
BIG_PLACES = ("New York", "Chicago", "Boston", "Miami", "Los Angeles", "San Francisco", "Houston", "Dallas", "Seattle", "Denver", "Atlanta", "Phoenix", "London", "Manchester", "Leeds", "Dublin", "Glasgow", "Toronto", "Vancouver", "Sydney", "Melbourne", "Paris", "Berlin", "Madrid", "Rome", "Lagos", "Mumbai", "Delhi", "Beijing", "Shanghai", "Tokyo", "Cairo", "Texas", "California", "Florida", "Ohio", "Kent", "Cornwall", "Bavaria", "Queens", "Brooklyn", "Portland", "Austin", "Nairobi", "Karachi", "Warsaw", "Istanbul")
STATES = ("CA", "NY", "TX", "FL", "MA", "IL", "OH", "WA", "GA", "Kent", "Texas", "Ontario", "ON", "NSW", "Spain", "France", "UK", "USA", "Germany")
COUNTRIES = ("United States", "USA", "UK", "United Kingdom", "England", "Scotland", "Ireland", "France", "Germany", "Italy", "Spain", "Portugal", "Poland", "Sweden", "Norway", "Finland", "Denmark", "Netherlands", "Belgium", "Austria", "Switzerland", "Greece", "Turkey", "Russia", "India", "Pakistan", "China", "Japan", "Vietnam", "Nigeria", "Ghana", "Kenya", "Egypt", "Brazil", "Mexico", "Canada", "Australia", "New Zealand", "South Africa", "Iceland", "Hungary", "Croatia", "Slovenia", "Tunisia", "Cyprus", "Uruguay", "Greenland")
NATIONS = ("American", "British", "French", "German", "Polish", "Nigerian", "Indian", "Chinese", "Japanese", "Brazilian", "Irish", "Danish", "Turkish", "Swedish")
