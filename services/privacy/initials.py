"""Pure: finds the initials of known people: ``J.S.``, ``JS`` as a signature, ``d/w KT``, ``/JMS``.

Two letters are mostly an abbreviation. So with points they count by themselves, unless so written
they are a title or a route; without, only where a person stands; and those that medicine uses too
(``PE``, ``MI``, ``CT``) only behind what nothing but a person follows.
"""

import re
from collections.abc import Collection, Iterator

from contracts.identified import PersonName
from services.privacy.folding import term
from services.privacy.identity import is_han
from services.privacy.pinyin import written_in_latin
from services.privacy.spans import Span
from services.privacy.words import ABBREVIATIONS, SERVICES, TITLE_LETTERS

LETTERS_MAX = 4
BEFORE_CHARS, AFTER_CHARS = 24, 16
CANDIDATE = re.compile(
    r"(?<![A-Za-z0-9.])(?:(?P<pointed>(?:[A-Z]\.(?:[ -](?=[A-Z]\.))?){2,4})|(?P<plain>[A-Z]{2,4}))"
    r"(?![A-Za-z0-9])"
)
# Nothing but a person follows these.
SURE_BEFORE = re.compile(
    r"(?:\b(?:signed|sig|signature|initials?|initialled|co-?signed|witness(?:ed)?|Drs?|Mrs?|Ms|"
    r"Nurse|Sister|RN|SN|HCA|author|(?:dictated|typed|signed|written) by)[ .:]{1,3}"
    r"|签[名字]:? ?|/s/ ?)$",
    re.IGNORECASE,
)
# A service may, too.
ASKED_BEFORE = re.compile(r"\b(?:d/w|(?:reviewed|checked|seen) by) $")
PERSON_BEFORE = re.compile(
    r"(?:\b(?:by|per|from|with|and|c/w|to) |[/(\[~] ?|(?:^|\n)[ \t]*-{0,2} ?|[.;] ?-{1,2} ?)$"
)
PERSON_AFTER = re.compile(
    r"(?:[ \t]*(?:$|\n|[)\]/])|(?:,| is| was) (?:an? )?\d|(?: \([^()\n]{2,14}\))?[.,;]"
    r"| (?:reports|denies|states|reviewed|notified|aware|informed|called|agrees|advised)\b)"
)
SAYS_AFTER = re.compile(
    r",? (?:is|was) an? \d|, ?\d{1,2} ?(?:y|yo|F|M)\b"
    r"| (?:reports|denies|states|reviewed|notified|aware|agrees|advised)\b"
)


def initials_of(name: PersonName) -> set[str]:
    """Return the initials of a name in capitals, both ways round; of a Chinese one its pinyin's."""
    family, given = term(name.family), term(name.given)
    if is_han(family or given):
        lasts = {_first_letters(one) for one in written_in_latin(family)[:1]}
        firsts = {_first_letters(one) for one in written_in_latin(given)[:1]}
        middles = {""}
    else:
        pieces = _pieces(name.family)
        lasts = {pieces[0][0], pieces[-1][0]} if pieces else set()
        given_pieces = _pieces(name.given)
        firsts = {given_pieces[0][0], _first_letters(given_pieces)} if given_pieces else set()
        middles = {"", _first_letters(_pieces(name.middle))}
    found = {
        one
        for last in lasts
        for first in firsts
        for middle in middles
        for one in (first + middle + last, last + first + middle)
    }
    return {one.upper() for one in found if 2 <= len(one) <= LETTERS_MAX}


def find_initials(folded: str, known: Collection[str]) -> Iterator[Span]:
    """Yield where initials among ``known`` stand for a person."""
    if not known:
        return
    for match in CANDIDATE.finditer(folded):
        letters = re.sub(r"[^A-Z]", "", match[0])
        if letters not in known or letters in TITLE_LETTERS:
            continue
        if match["pointed"] or _is_person(folded, letters, *match.span()):
            yield Span(match.start(), match.end(), "NAME")


def _is_person(folded: str, letters: str, start: int, end: int) -> bool:
    before = folded[max(0, start - BEFORE_CHARS) : start]
    after = folded[end : end + AFTER_CHARS]
    if SURE_BEFORE.search(before):
        return True
    if letters in SERVICES:
        return False
    if ASKED_BEFORE.search(before):
        return True
    if letters in ABBREVIATIONS:
        return False
    if SAYS_AFTER.match(after):
        return True
    return bool(PERSON_BEFORE.search(before) and PERSON_AFTER.match(after))


def _pieces(field: str) -> list[str]:
    return [piece for piece in map(term, re.split(r"[\s'’.-]+", field)) if piece]


def _first_letters(pieces: Collection[str]) -> str:
    return "".join(piece[0] for piece in pieces)
