"""What fills the slots of English templates: names of many countries, addresses, hospitals."""

import random
from collections.abc import Callable

from services.privacy.tagger.hints import COMMON, FAMILY, GIVEN, PLACE, english_words
from training.deid.dates import date_en
from training.deid.filler import Filler
from training.deid.grammar import Slot, from_list, marked
from training.deid.names import Locale, read_words
from training.deid.numbers import (
    CAPITALS,
    account,
    common_slots,
    number_en,
    phone_en,
    record_number,
)

# ruff: noqa: E501  (lists are read more easily unbroken)
# fmt: off

WORDS = read_words()
COMMONS = frozenset(english_words(COMMON))
TOWNS, FAMILIES, GIVENS = (
    [word.capitalize() for word in english_words(bit) if word not in COMMONS]
    for bit in (PLACE, FAMILY, GIVEN)
)
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December", "Jan", "Feb", "Sept", "Oct", "Dec")


def english_slots(
    words: dict[str, list[str]], locales: list[Locale], filler: Filler
) -> dict[str, Slot]:
    """Return the slots of English templates; names come from every locale."""
    english, weights = locales, [6, 4, *[1] * (len(locales) - 2)]

    def locale(rng: random.Random) -> Locale:
        return rng.choices(english, weights)[0]

    people = People(locale)
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
        "country": marked("LOC", lambda r: r.choice(WORDS["en_country"])),
        "nation": lambda r: r.choice(WORDS["en_nation"]),
        "org": marked("ORG", lambda r: r.choice(locale(r).company)),
        "d": marked("DATE", date_en),
        "my": marked("DATE", lambda r: f"{r.choice(MONTHS)} {r.randrange(1960, 2026)}"),
        "month": marked("DATE", lambda r: r.choice(MONTHS)),
        "id": marked("ID", lambda r: record_number(r) if r.random() < 0.7 else number_en(r)),
        "tel": marked("PHONE", lambda r: phone_en(r, locale(r))),
        "mail": marked("EMAIL", lambda r: f"{account(r)}@{account(r)}.{r.choice(('com', 'org', 'nhs.uk'))}"),
        "url": marked("URL", lambda r: f"{r.choice(('https://', 'www.', 'http://www.'))}{account(r)}.{r.choice(('com', 'org/p', 'net', 'de/x?id=4'))}"),
        "ip": marked("IP", lambda r: ".".join(str(r.randrange(1, 255)) for _ in range(4))),
        "age": lambda r: str(r.randrange(1, 90)) if r.random() < 0.95 else f"⟦AGE:{r.randrange(90, 104)}⟧",
        "sex": lambda r: r.choice("MF"),
        "w": filler.english,
        "wc": lambda r: filler.english(r).capitalize(),
        "rx": lambda r: (made_up(r) + r.choice(("mab", "pril", "statin", "cillin", "zole", "tidine", "vir", "azine", "olol", "ide", "ine", "ol"))).lower() if r.random() < 0.6 else made_up(r),
        "hiser": lambda r: r.choice(("his", "her")),
        "lang": lambda r: r.choice(("Polish", "Punjabi", "Spanish", "Cantonese", "Somali", "Arabic", "Urdu")),
    }
    for slot in ("sym", "dx", "drug", "lab", "imgf", "eponym", "op", "job", "dept"):
        slots[slot] = from_list(words[f"en_{slot}"])
    return slots | common_slots("en")


class People:
    """Names as they are written in English notes."""

    def __init__(self, locale: Callable[[random.Random], Locale]) -> None:
        self._locale = locale

    def first(self, rng: random.Random) -> str:
        """Return a given name."""
        name = rng.choice(self._locale(rng).first)
        draw = rng.random()
        return made_up(rng) if draw < 0.06 else rng.choice(GIVENS) if draw < 0.3 else name

    def last(self, rng: random.Random) -> str:
        """Return a family name."""
        draw = rng.random()
        if draw < 0.06:
            return made_up(rng)
        if draw < 0.16:
            return rng.choice(WORDS["en_word_surname"])
        if draw < 0.38:
            return rng.choice(FAMILIES)
        name = rng.choice(self._locale(rng).last)
        return name.upper() if draw > 0.95 else name

    def full(self, rng: random.Random) -> str:  # noqa: PLR0911 - a table of forms
        """Return a whole name, as people write it."""
        locale = self._locale(rng)
        first = rng.choice(locale.first) if rng.random() < 0.93 else made_up(rng)
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
        """Return a name with the family name first."""
        last = self.last(rng)
        return f"{last.upper() if rng.random() < 0.6 else last}{rng.choice((', ', ',', ' '))}{self.first(rng)}"

    def queried(self, rng: random.Random) -> str:
        """Return a name as clinicians put it in a question."""
        return f"{self.first(rng)} {rng.choice(CAPITALS)}." if rng.random() < 0.4 else self.full(rng)

    def doctor(self, rng: random.Random) -> str:
        """Return a doctor's name."""
        return self.last(rng) if rng.random() < 0.5 else self.full(rng)


def address_en(rng: random.Random, locale: Locale) -> str:  # noqa: PLR0911 - a table of forms
    """Return a postal address, on one line or several, whole or in part."""
    address = rng.choice(locale.address)
    draw = rng.random()
    if draw < 0.1:
        return f"{rng.randrange(1, 99999)} {address}"
    if draw < 0.15:
        return address.replace("\n", " ") + rng.choice(("", "\n", ", ", " ")) + rng.choice(WORDS["en_country"])
    if draw < 0.2:
        return f"{address}\n{rng.choice(('Apt.', 'Suite', 'Unit', 'Flat'))} {rng.randrange(1, 999)}\n{rng.choice(locale.city)} {rng.randrange(1000, 99999)}"
    if draw < 0.34:
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
        return rng.choice(WORDS["en_big_place"])
    if draw < 0.4:
        return f"{rng.choice(locale.city)}, {rng.choice(WORDS['en_state'])}"
    if draw < 0.75:
        return rng.choice(TOWNS)
    if draw < 0.5:
        return rng.choice(WORDS["en_country"])
    return rng.choice(locale.city)


def hospital_en(rng: random.Random, locale: Locale, people: People) -> str:
    """Return the name of a hospital, clinic or home."""
    first = rng.choice(
        (rng.choice(locale.city), rng.choice(TOWNS), rng.choice(WORDS["en_big_place"]), people.last(rng), f"St. {people.first(rng)}'s", f"St {people.first(rng)}", rng.choice(WORDS["en_hospital_name"]), f"Royal {rng.choice(locale.city)}", f"Mount {people.last(rng)}")
    )  # fmt: skip
    kind = rng.choice(
        ("Hospital", "General Hospital", "Medical Center", "Clinic", "Infirmary", "Health Centre", "Surgery", "Hospice",
         "Care Home", "Nursing Home", "Memorial Hospital", "University Hospital", "General", "Community Hospital", "Regional", "Practice", "Health", "Children's", "clinic", "office", "Lodge", "Primary School", "Pharmacy", "", "Centre", "Elementary", "Med Ctr", "Medical Practice", "Regional Hospital", "Unit", "Birth Centre", "Rehab")
    )  # fmt: skip
    return f"{first} {kind}".strip() if rng.random() < 0.93 else rng.choice(("UCSF", "MGH", "UCLA", "NYU Langone", "".join(rng.choice(CAPITALS) for _ in range(rng.randrange(2, 5)))))


def made_up(rng: random.Random) -> str:
    """Return a name that nobody has."""
    length = rng.randrange(2, 5)
    return "".join(rng.choice(WORDS["en_syllable"]) for _ in range(length)).capitalize()
