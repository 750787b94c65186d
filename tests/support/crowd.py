"""As many patients as asked for, each with identifiers found nowhere else, and a search for all."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, product

import ahocorasick
from pypinyin.pinyin_dict import pinyin_dict

from plumbing.check_digits import mod_11_2
from services.privacy.folding import term
from simulator.people import ZH_FAMILY
from tests.support.planted import EN, ZH, Planted, encodings

SYLLABLES = ("qua", "zor", "vex", "lim", "drun", "fay", "gwen", "hux", "jol", "kiv", "mar", "nox")
GIVEN_ZH = "砚舟翊晟琬珩玥瑄璟骁翰奕宸昀煦澍泓沅湄芷蘅蓁荻菡"
PATIENTS_A_SEARCH = 250  # one automaton for all would need gigabytes
FIRST = 137  # no number is mostly zeros, which stand everywhere
DIGITS_ALONE_MAX = 10  # shorter numbers stand by chance within longer ones


def crowd(count: int) -> list[Planted]:
    """Return ``count`` patients, English and Chinese in turn."""
    latin = ("".join(parts).capitalize() for parts in product(SYLLABLES, repeat=4))
    han = ("".join(pair) for pair in product(GIVEN_ZH, repeat=2))
    found = []
    for number in range(FIRST, FIRST + count):
        if number % 2:
            family, given = ZH_FAMILY[number % len(ZH_FAMILY)], next(han)
            found.append(_planted(ZH, number, (family, given, f"{family}{given[::-1]}钧")))
        else:
            found.append(_planted(EN, number, tuple(islice(latin, 3))))
    return found


def _planted(like: Planted, number: int, names: Sequence[str]) -> Planted:
    family, given, kin = names
    spread = number * 7919 % 1_000_000
    is_zh = like.lang == "zh"
    line = str(7_610_000_000 + number * 104_729 % 100_000_000)
    phone = f"13{line[1:]}" if is_zh else f"({line[:3]}) {line[3:6]}-{line[6:]}"
    day = f"{1930 + number % 75}{1 + number % 12:02}{1 + number % 28:02}"
    street = f"青枫{given[0]}巷{1000 + number}号" if is_zh else f"{1000 + number} {family} Parade"
    return Planted(
        lang=like.lang,
        family=family,
        given=given,
        mrn=f"94{spread:06}{number:04}",
        visit=f"VN93{spread:06}{number:04}",
        birth_date=day,
        phone=phone,
        street=street,
        kin=kin,
        kin_phone=f"15{number % 10}{80_000_000 + spread:08}",
        doctor_id=like.doctor_id,
        doctor=like.doctor,
        email=f"q{spread:06}{number:04}@mailbox.example",
        national_id=_resident(day, number)
        if is_zh
        else f"{900 + number % 99}-{10 + number % 89}-{1000 + number:04}",
        account=f"ACC95{spread:06}{number:04}",
        control=f"CTLX96{spread:06}{number:04}",
        order=f"FILL97{spread:06}{number:04}",
    )


def _resident(day: str, number: int) -> str:
    head = f"99444{number % 10}{day}{number % 1000:03}"
    return head + mod_11_2(head)


def found_of(people: Sequence[Planted], haystacks: Sequence[bytes]) -> list[str]:
    """Return every secret of anybody that stands in ``haystacks``: in clear, reversed order,
    pinyin, base64 at each alignment, hex, escapes and other charsets.
    """
    found: set[str] = set()
    for start in range(0, len(people), PATIENTS_A_SEARCH):
        plain, exact = ahocorasick.Automaton(), ahocorasick.Automaton()
        for needle, secret in _needles(people[start : start + PATIENTS_A_SEARCH]):
            text = needle.decode("latin-1")
            if needle.lower() != needle and _is_exact(needle, secret):
                searched = exact
            else:
                searched, text = plain, needle.lower().decode("latin-1")
            if text not in searched:
                searched.add_word(text, (text, secret))
        plain.make_automaton()
        exact.make_automaton()
        for haystack in haystacks:
            found |= set(_hits(plain, haystack.lower().decode("latin-1")))
            if len(exact):
                found |= set(_hits(exact, haystack.decode("latin-1")))
    return sorted(found)


def _needles(people: Iterable[Planted]) -> Iterator[tuple[bytes, str]]:
    shared = {EN.doctor_id, EN.doctor, ZH.doctor_id, ZH.doctor, "APPLEAK", "FACLEAK"}
    for who in people:
        for secret in (*who.secrets, *_pinyin(who)):
            if secret not in shared:
                yield from ((needle, secret) for needle in encodings(secret))
    for secret in sorted(shared):
        yield from ((needle, secret) for needle in encodings(secret))


def _pinyin(who: Planted) -> Iterator[str]:
    if who.lang != "zh":
        return
    family = term(pinyin_dict[ord(who.family)].split(",")[0])
    given = [term(pinyin_dict[ord(char)].split(",")[0]) for char in who.given]
    for one, two in ((family, "".join(given)), ("".join(given), family)):
        yield from (f"{one} {two}", f"{one}{two}", f"{one.title()} {two.title()}")


def _is_exact(needle: bytes, secret: str) -> bool:
    """Base64 says something else in other capitals; all else is searched without regard to case."""
    return needle.isalnum() and secret.encode().lower() != needle.lower()


def _hits(automaton: ahocorasick.Automaton, haystack: str) -> Iterator[str]:
    for last, (text, secret) in automaton.iter(haystack):
        first = last - len(text) + 1
        if text.isdecimal() and len(text) < DIGITS_ALONE_MAX:
            around = haystack[max(0, first - 1) : first] + haystack[last + 1 : last + 2]
            if any(char.isdecimal() for char in around):
                continue
        yield secret
