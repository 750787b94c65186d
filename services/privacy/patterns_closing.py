"""Pure: who closed a note, typed it, did what it tells: the name alone in the last line, before a degree,
behind a day or an operation, before where they work; a typist's letters beside the days of typing.

Folded text.
"""

import re

# ruff: noqa: E501  (an expression that is broken into lines cannot be read)
from services.privacy.name_words import VOWEL, is_rare_name_word, may_be_name
from services.privacy.patterns import MONTH, form
from services.privacy.patterns_people import LETTERS, PART
from services.privacy.patterns_signed import NOT_TYPED, is_sign
from services.privacy.tagger.doubts import CHART_WORDS
from services.privacy.tagger.hints import COMMON, MEDICAL, hint_of_word
from services.privacy.words import NOT_NAMES

NAME = rf"(?P<v>{PART}(?:-{PART})?)"
DEGREE = (
    r"(?:RN|MD|NP|PA-C|CRNA|CRNP|DO|PhD|PharmD|RPh|RD|LCSW|LMSW|MSW|PT|DPT|OT|OTR|SLP|PGY-?\d|F[12]|FY\d|ST\d|CT\d|SHO|SpR|CNM|CNS|ARNP|APRN|RRT|RVT|RDMS|FRCS|FRCP|FRCPC|MRCP|FACS|FACC"
    r"|LPN|EMT(?:-P)?|NRP|MSN|BSN|DDS|DMD|DPM|JD|CCLS|CDCES|OCN|ACNP|FNP)"
)
DONE = (
    r"(?:laser|op|repair|biopsy|bx|EGD|colonoscopy|ERCP|EUS|cath|CABG|PCI|ablation|PEG|trach|transplant|resection|TKR|THR|TKA|THA|ORIF|cholecystectomy|appendectomy|salpingectomy"
    r"|hysterectomy|c-section|LP)"
)
TYPED = r"(?:[Tt]yped|[Tt]ranscr(?:ibed)?|[Ss]cribe|[Tt]x to typist|by typist)"


def _is_rare(match: re.Match[str]) -> bool:
    """A typist's letters after a stroke are not asked."""
    name = match["v"].partition("/")[0]
    return all(is_rare_name_word(word) for word in LETTERS.findall(name))


def _is_name(match: re.Match[str]) -> bool:
    return all(map(may_be_name, LETTERS.findall(match["v"])))


def _is_letters(match: re.Match[str]) -> bool:
    return match["v"].lower() not in NOT_TYPED


def _is_initials(match: re.Match[str]) -> bool:
    return is_sign(match["v"].replace(".", ""))


def _is_short_name(match: re.Match[str]) -> bool:
    """``MBz``, ``Mo``: nothing that charts are full of."""
    lowered = match["v"].lower()
    is_said = lowered in NOT_TYPED or lowered in CHART_WORDS
    if match["v"].istitle() and VOWEL.search(lowered) is None:
        return False  # ``Vtx``
    return not is_said and not hint_of_word(lowered) & (MEDICAL | COMMON)


CLOSING_EN = (
    form("NAME", rf"(?:\n|[.;!?] )[-–—/ ]{{0,3}}{NAME}\.?\s*\Z", _is_name, "v"),
    form("NAME", rf"\n[-–—/ ]{{0,3}}(?P<v>{PART}(?:-{PART})? ?/ ?[a-z]{{2,4}})(?= ?[–—-]|\s*\n|\s*\Z|  )", _is_rare, "v"),
    form("NAME", r"(?:\n|[.;] )[-–— ]{0,3}(?P<v>[A-Z]{1,2}[a-z]{1,2}[A-Z]?[a-z]?|[a-z]{1,2}[A-Z]{1,2})\s*\Z", _is_short_name, "v"),
    form("NAME", r"(?:\n|[.;] )(?P<v>Ma?c[A-Z][a-z]{0,2})(?= (?:F[12]|ST\d|CT\d|SHO|SpR|RN|reg)\b)", of="v"),
    form("NAME", r"\b[Ss]igned:? (?P<v>[A-Z][a-z]{1,15} [a-z]{1,3}[A-Z][a-z]{0,12})\b", of="v"),
    form("NAME", r"(?:[A-Za-z]{2}|[.A-Z]) ?/ ?(?P<v>[a-z]{2,3})(?=[ \n]{1,4}[DdTt][.: ]{0,2}\d{1,2}[/-])", _is_letters, "v"),
    form("NAME", r"\b[Dd]ict(?:ated)?\.?:? (?:by )?(?P<v>[A-Z]{2,3}|[A-Z]\.[A-Z]\.)(?=[\s.,;/)]|\Z)", _is_initials, "v"),
    form("NAME", rf"\b{TYPED}(?: by)?[:.]? (?P<v>[a-z]{{2,3}})(?=[\s.,;]|\Z)", _is_letters, "v"),
    form("NAME", r"\b(?:marked|initial(?:l?ed)?) (?P<v>[A-Z]{2,3})(?=[\s.,;)]|\Z)", _is_initials, "v"),
    form("NAME", rf"\b{NAME},? {DEGREE}\b", _is_rare, "v"),
    form("NAME", rf"\b{NAME} (?:at|@) (?:the )?(?=[A-Z])", _is_rare, "v"),
    form("NAME", rf"(?<!\d)\d{{1,2}}/\d{{1,2}}(?:/\d{{2,4}})? \(?{NAME}\b(?=[).,;/]| at\b)", _is_rare, "v"),
    form("NAME", rf"\b{MONTH} \d{{1,2}} \({NAME}[),]", _is_rare, "v"),
    form("NAME", rf"\b{DONE} {NAME}(?= at\b|[.,;)]|\s*\n)", _is_rare, "v"),
    form("NAME", rf"\bby {PART}, (?P<v>{PART}(?:, {PART}){{0,3}}(?:,? (?:and|&) {PART})?)\b", _is_name, "v"),
    form("NAME", r"\b(?:OFFICERS|NURSES|DRS|SISTERS|SONS|DAUGHTERS|BROTHERS) [A-Z]{3,}(?:,| AND| &) (?P<v>[A-Z]{3,15})\b", lambda match: match["v"].lower() not in NOT_NAMES, "v"),
)  # fmt: skip
