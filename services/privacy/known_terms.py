"""Pure: from who is known to the terms that a note is searched for, in squeezed form."""

import re
from calendar import month_name
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import NamedTuple

from contracts.identified import PersonName, Staff
from services.privacy.folding import fold, term
from services.privacy.identity import KnownIdentity, is_han
from services.privacy.initials import initials_of
from services.privacy.pinyin import is_pinyin, written_in_latin
from services.privacy.words import DOUBLE_SURNAMES, NEVER_NAMES, WORD_NAMES

STRONG_ID_CHARS = 5
NUMBER = "NUMBER"  # of what one event is about; no kind that is kept (``identity.KINDS``)
STRONG_NAME_CHARS = 6
PHONE_DIGITS = 7
LOC_CHARS_MIN = 5
MONTHS = tuple(name.lower() for name in month_name[1:])
STREETS = (
    "street st str", "road rd", "avenue ave av", "lane ln", "drive dr", "court ct",
    "boulevard blvd", "place pl", "square sq", "terrace ter terr", "highway hwy", "parkway pkwy",
    "circle cir", "crescent cres", "way wy", "close cl", "gardens gdns", "grove gr",
)  # fmt: skip
ALONE_CHARS_MIN = 3  # of the kind of a street whose house is not told: ``high ST``, ``head CT``
WRITTEN_AS = {one: every.split() for every in STREETS for one in every.split()}
STREET = re.compile(
    r"(?P<before>\d{1,6}[A-Za-z]?(?:[-/]\d{1,6})?[ ,]+)?"
    r"(?P<name>(?:[^\W\d_][\w'’-]{0,30}\.? +){1,4})(?P<kind>[A-Za-z]{2,9})\b"
    r"(?P<after>[., ]{1,3}\d)?"
)
ROAD_CHARS_MIN = 3
ROAD_ZH = re.compile("[^省市区县镇乡村州盟旗\\W\\d]{1,6}?(?:大道|胡同|路|街|巷|弄)(?:\\d{1,5}号)?")
HAN_DIGITS = "〇一二三四五六七八九"


class Term(NamedTuple):
    """One string of squeezed text. ``is_strong``: it alone names the person. ``is_embedded``: it
    counts inside a longer word. ``needs_cue``: it is also an ordinary word. ``is_initials``: two to
    four capitals, which ``initials.py`` looks for. ``is_spelt``: family and given name in pinyin,
    a blank between them, which ``near.py`` looks for in Chinese characters.
    """

    text: str
    label: str
    is_strong: bool = False
    is_embedded: bool = False
    needs_cue: bool = False
    is_initials: bool = False
    is_spelt: bool = False


def terms_of(
    known: KnownIdentity, staff: Iterable[Staff] = (), visit_number: str = ""
) -> Iterator[Term]:
    """Return all terms of a patient, the people around them, and the event's staff and visit."""
    yield from _id_terms(visit_number)
    for name in known.names:
        yield from _name_terms(name)
    for person in staff:
        yield from _name_terms(person.name)
        yield from _id_terms(person.id)
    for identifier in known.ids:
        yield from _id_terms(identifier.value)
    for date_of_birth in known.birth_dates:
        yield from _date_terms(date_of_birth)
    for kind, values in known.others.items():
        for value in values:
            yield from _TERMS_OF_KIND[kind](value)


def _name_terms(name: PersonName) -> Iterator[Term]:
    family, given = term(name.family), term(name.given)
    for text in _whole_forms(name) - NEVER_NAMES:
        if len(text) >= 2:
            is_filler = {family, given} <= NEVER_NAMES  # ``of`` and ``the`` together are no name
            is_strong = is_full(text) and bool(family and given) and not is_filler
            needs_cue = is_filler or text in WORD_NAMES or (not is_han(text) and len(text) == 2)
            yield Term(text, "NAME", is_strong=is_strong, needs_cue=needs_cue)
    yield from _part_terms(name)
    yield from (Term(text, "NAME", is_initials=True) for text in initials_of(name))
    if is_han(family or given):
        yield from _latin_terms(family, given)
    else:
        yield from _spelt_terms(family, given + term(name.middle))


def _spelt_terms(family: str, given: str) -> Iterator[Term]:
    if is_pinyin(family, given):
        yield Term(f"{family} {given}", "NAME", is_spelt=True)


def _latin_terms(family: str, given: str) -> Iterator[Term]:
    """The name in pinyin: whole in both orders, with initials, and the parts by a capital."""
    for last in written_in_latin(family) or ((),):
        for first in written_in_latin(given) or ((),):
            one, two = "".join(last), "".join(first)
            initials = "".join(syllable[0] for syllable in first)
            if one and two:
                for text in (one + two, two + one):
                    yield Term(text, "NAME", is_strong=is_full(text))
                for text in (one + initials, initials + one):
                    yield Term(text, "NAME", needs_cue=True)
            for text, syllables in ((one, last), (two, first)):
                if len(text) >= 2 and text not in NEVER_NAMES:
                    yield Term(text, "NAME", needs_cue=len(syllables) < 2 or len(text) < 6)


def _whole_forms(name: PersonName) -> set[str]:
    family, given, middle = term(name.family), term(name.given), term(name.middle)
    if not (family and given):
        return {family or given}
    whole = {family + given, given + family}
    if middle:
        whole |= {given + middle + family, family + given + middle, family + middle + given}
    if not is_han(family):
        whole |= {given[:1] + family, family + given[:1], given[:1] + middle[:1] + family}
    return whole


def is_full(text: str) -> bool:
    """Return whether a squeezed name is long enough to name somebody wherever it stands."""
    return len(text) >= (2 if is_han(text) else STRONG_NAME_CHARS)


def _part_terms(name: PersonName) -> Iterator[Term]:
    for field in (name.family, name.given, name.middle):
        pieces = {term(field), *(term(piece) for piece in re.split(r"[\s'’-]+", field))}
        for piece in pieces - NEVER_NAMES:
            if len(piece) >= 2:
                needs_cue = piece in WORD_NAMES or (not is_han(piece) and len(piece) == 2)
                yield Term(piece, "NAME", needs_cue=needs_cue)


def _parse(text: str) -> PersonName:
    """A name that came as one string: ``Doe, Jane``, ``Jane Doe``, ``DOE^JANE``, ``王小明``."""
    text = fold(text).folded.strip()
    if is_han(text) and len(text) <= 5 and " " not in text:
        cut = 2 if text[:2] in DOUBLE_SURNAMES.split() else 1
        return PersonName(family=text[:cut], given=text[cut:])
    pieces = [piece for piece in re.split(r"[\s,^]+", text) if piece]
    if len(pieces) < 2:
        return PersonName(family=text)
    return PersonName(family=pieces[0], given=pieces[1], middle=" ".join(pieces[2:]))


def _written_name_terms(value: str) -> Iterator[Term]:
    """Terms of a name that came as one string; its last word may be the family name."""
    name = _parse(value)
    yield from _name_terms(name)
    yield from _spelt_terms(term(name.given), term(name.family))  # Xiaoming Ouyang
    pieces = [piece for piece in (term(one) for one in value.split()) if piece]
    if len(pieces) > 1 and "," not in value and not is_han(pieces[0]):
        yield Term(pieces[0][:1] + pieces[-1], "NAME")  # R. Graves


def _staff_terms(value: str) -> Iterator[Term]:
    """Terms of staff of an earlier event. Their number is no reason for the guard to stop one."""
    number, caret, name = value.partition("^")
    if not caret:
        yield from _written_name_terms(value)
        return
    family, given, middle = (*name.split("^"), "", "")[:3]
    yield from _name_terms(PersonName(family, given, middle))
    yield from (one._replace(is_strong=False) for one in _id_terms(number))


def _id_terms(value: str) -> Iterator[Term]:
    text = term(value)
    if len(text) < 3 or text in NEVER_NAMES or not any(char.isdecimal() for char in text):
        return
    is_strong = len(text) >= STRONG_ID_CHARS
    yield Term(text, "ID", is_strong=is_strong)
    bare = text.lstrip("0")
    if len(bare) >= STRONG_ID_CHARS:
        yield Term(bare, "ID", is_strong=True)


def number_terms(value: str) -> Iterator[Term]:
    """Terms of an order, specimen or document of the event: alone it is no reason to hold a note
    back, and a short one is a count.
    """
    if len(term(value)) >= STRONG_ID_CHARS:
        yield from (one._replace(is_strong=False) for one in _id_terms(value))


def _phone_terms(value: str) -> Iterator[Term]:
    digits = "".join(char for char in term(value) if char.isdecimal())
    if len(digits) >= PHONE_DIGITS:
        yield Term(digits, "PHONE", is_strong=True)
        yield Term(digits[-PHONE_DIGITS:], "PHONE", is_strong=True, is_embedded=True)


def _date_terms(value: str) -> Iterator[Term]:
    digits = "".join(char for char in value if char.isdecimal())[:8]
    if len(digits) != 8:
        return
    try:
        day = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return
    year, two, month, number = f"{day.year:04}", f"{day.year % 100:02}", day.month, day.day
    name = MONTHS[month - 1]
    forms = {f"{year}{month:02}{number:02}", f"{month:02}{number:02}{year}"}
    forms |= {f"{number:02}{month:02}{year}", f"{year}年{month}月{number}日"}
    forms |= {
        f"{two}{month:02}{number:02}",
        f"{year}年{month:02}月{number:02}日",
        f"{_han_year(year)}年",
    }
    forms |= {f"born{year}", f"bornin{year}", f"dob{year}", f"{year}年生", f"{year}年出生"}
    for called in (name, name[:3]):
        forms |= {f"{number}{called}{year}", f"{called}{number}{year}"}
        forms |= {f"{number:02}{called}{year}", f"{called}{number:02}{year}"}
        forms |= {f"{number}{called}{two}", f"{number}th{called}{year}"}
        forms |= {f"{called}{number}th{year}"}
    for text in forms:
        yield Term(text, "DATE", is_strong=len(text) == 8 and text.isdecimal())


def _han_year(year: str) -> str:
    return "".join(HAN_DIGITS[int(digit)] for digit in year)


def _place_terms(value: str) -> Iterator[Term]:
    whole = term(value)
    if len(whole) >= LOC_CHARS_MIN:
        yield Term(whole, "LOC", is_strong=len(whole) >= 10)
    for piece in re.split(r"[,;^\n]+", value):
        text = term(piece)
        is_long = len(text) >= (3 if is_han(text) else LOC_CHARS_MIN)
        if is_long and text not in WORD_NAMES and text not in NEVER_NAMES:
            yield Term(text, "LOC")
        yield from _street_terms(piece)


def _street_terms(piece: str) -> Iterator[Term]:
    """A street with the number of a house and without, long and short: ``12 Elm Rd``, ``Elm Road``.

    Of a Chinese address the road, with its number too.
    """
    for road in ROAD_ZH.findall(piece):
        for form in {road, re.sub(r"\d.*", "", road)}:
            if len(form) >= ROAD_CHARS_MIN:
                yield Term(term(form), "LOC")
    found = STREET.match(piece.strip())
    if found is None or not (found["before"] or found["after"]):
        return
    number, name = term(found["before"] or ""), term(found["name"])
    for kind in WRITTEN_AS.get(found["kind"].lower(), ()):
        if number:
            yield Term(number + name + kind, "LOC")
        if len(kind) >= ALONE_CHARS_MIN or kind == "rd":
            yield Term(name + kind, "LOC")


def _email_terms(value: str) -> Iterator[Term]:
    if len(term(value)) >= STRONG_NAME_CHARS:
        yield Term(term(value), "EMAIL", is_strong=True)
    local = term(value.partition("@")[0])
    if len(local) >= STRONG_NAME_CHARS:
        yield Term(local, "EMAIL")


_TERMS_OF_KIND: dict[str, Callable[[str], Iterator[Term]]] = {
    "NAME": _written_name_terms,
    "STAFF": _staff_terms,
    "ID": _id_terms,
    NUMBER: number_terms,
    "PHONE": _phone_terms,
    "DATE": _date_terms,
    "LOC": _place_terms,
    "EMAIL": _email_terms,
}
