"""Pure: towns, streets, schools, homes and hospitals of English notes that no list has, by the word
before or behind them: ``drove up from Ishpeming``, ``off Hoe Street``, ``Fernside House``.

A word after ``from`` or ``at`` that has a capital and that no list calls a word, a drug, a sign or an
organism is a place, seldom a name: it goes either way. Folded text.
"""

import re

# ruff: noqa: E501  (an expression that is broken into lines cannot be read)
from services.privacy.name_words import NEVER_PROPER
from services.privacy.patterns import WORD, form
from services.privacy.patterns_context import NOT_TOWNS, SPECIALTIES
from services.privacy.tagger.doubts import LANGUAGES, is_medical_by_form
from services.privacy.tagger.hints import (
    COMMON,
    FAMILY,
    GIVEN,
    MEDICAL,
    ORDINARY,
    PLACE,
    UNLISTED,
    hint_of_word,
)
from services.privacy.words import NOT_NAMES

LETTERS = re.compile(r"[^\W\d_]{3,}")
TOWN = r"(?P<town>[A-Z][a-z]{2,20}(?:[- ](?:[A-Z][a-z]{2,15})){0,2})\b(?!['’])"
# Behind these stands a drug, an allergen or a cause.
NO_PLACE_AFTER = re.compile(
    r"\b(?:switched|changed|converted|rotated|transitioned|escalated|narrowed|broadened|stepped down|up|allergic|allergy|resistant|sensitive|intolerant|reaction"
    r"|response|responded|responding|refractory|exposed|exposure|due|secondary|similar|added|titrated|bridged|back|related|benefit|weaned) $"
)
STREETS = r"(?:Street|Road|Rd|Avenue|Ave|Blvd|Boulevard|Highway|Hwy|Parkway|Pkwy|Crescent|Cres)"
STREETS_TOLD = (
    rf"(?:{STREETS}|St|Lane|Ln|Drive|Terrace|Close|Way|Place|Square|Sq|Bridge|Pier|Quay|Row|Mall)"
)
KINDS_OF_SITE = (
    r"(?:Hosp|Hospital|Medical|Manor|House|Court|Villas?|Park|Village|Hill|Heights|Cent(?:er|re)|Nursing|Prison|Jail|Detention|Correctional|Women['’]s|Children['’]s"
    r"|School|Primary|Elementary|Middle|Prep|High|HS|Academy|College|Surgery|Creek|River|Lake|Beach|Bay|Island|Valley|Falls|Springs|Mountain|Ridge|Inn|Diner|Family|Community|County|Parish|Township|Rez|Reservation)"
)
NO_KEEPERS = NOT_NAMES | SPECIALTIES
TITLES = frozenset({"Dr", "Mr", "Mrs", "Ms", "Miss", "Prof", "GP", "PCP", "MD", "RN"})


def is_town_word(word: str) -> bool:
    """Return whether a word with a capital may be a place: no ordinary word, drug, sign or organism."""
    lowered = word.lower()
    if lowered in NEVER_PROPER or lowered in LANGUAGES or lowered in NOT_TOWNS:
        return False
    hint = hint_of_word(lowered)
    if hint == UNLISTED:
        return not is_medical_by_form(lowered)
    return not hint & (COMMON | MEDICAL) and bool(not hint & ORDINARY or hint & PLACE)


def _is_town(match: re.Match[str]) -> bool:
    first = re.split("[ -]", match["town"])[0]
    return is_town_word(first)


def _is_after_to(match: re.Match[str]) -> bool:
    before = match.string[max(0, match.start() - 16) : match.start()]
    return NO_PLACE_AFTER.search(before) is None and _is_town(match)


def _is_kept_apart(match: re.Match[str]) -> bool:
    """Some word before the kind of site is a name, a place or in no list; the first begins no note."""
    said = match["v"].split()
    found = LETTERS.findall(match["v"])[:-1]
    if not found or said[0] in TITLES or found[0].lower() in NO_KEEPERS:
        return False
    hints = [hint_of_word(word.lower()) for word in found]
    return any(
        hint == UNLISTED or (hint & (PLACE | FAMILY | GIVEN) and not hint & (COMMON | MEDICAL))
        for hint in hints
    )


def _is_street(match: re.Match[str]) -> bool:
    hint = hint_of_word(match["v"].split()[0].lower())
    return not hint & (COMMON | ORDINARY | MEDICAL) or bool(hint & (PLACE | FAMILY))


def _is_street_or_site(match: re.Match[str]) -> bool:
    return _is_street(match) if match["street"] else _is_kept_apart(match)


TOWNS_EN = (
    form("LOC", rf"\b(?:from|in|at|near|nr|outside|around|beyond|through|thru) {TOWN}", _is_town, "town"),
    form("LOC", rf"\bto {TOWN}", _is_after_to, "town"),
    form("LOC", rf"\b(?:native|out|outskirts|north|south|east|west|side|town|village|city|area|people|community|diocese|chief|mayor|bishop|University) of {TOWN}", _is_town, "town"),
    form("LOC", r"\b(?:FROM|AT|TO|IN|OUT OF|NEAR|VIA) (?P<town>[A-Z]{5,16}(?: [A-Z]{5,16})?)\b", _is_town, "town"),
    form("LOC", r"\b(?:St\.?|Saint|Ste\.?) (?!Jude\b|Vitus\b)[A-Z][a-z]{3,15}(?:-[A-Z][a-z]+)?(?:['’]s)?\b(?!['’]| (?:wort|encephalitis|dance|fire))"),
    form("LOC", rf"\b(?:on|at|in|off|near|of|from|to|along|down|outside|nr) (?P<v>{WORD}(?: {WORD})? {STREETS_TOLD})\b\.?", _is_street, "v"),
    form("LOC", rf"\b(?P<v>(?:{WORD} ){{1,3}}(?:(?P<street>{STREETS})|{KINDS_OF_SITE}))\b(?!['’])", _is_street_or_site, "v"),
    form("LOC", r"\b(?:the )?U of [A-Z]{1,2}\b|\b(?:Children['’]s|Daughters|Sisters|Ladies|Knights|Brothers|Sons|Hospital|Church|Bank|Isle) of (?:the )?[A-Z][a-z]{3,15}(?: [A-Z][a-z]{3,15})?"),
    form("LOC", r"\bMotel \d{1,2}\b"),
    form("LOC", r"\b(?:on|off|along|near|down|up|via) (?:the )?(?P<v>(?:I|US|Rte|Hwy|SR)-?\d{1,3})\b", of="v"),
)  # fmt: skip
