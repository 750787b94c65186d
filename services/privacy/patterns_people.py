"""Pure: people of English notes by who they are or what they do: a service or a post before a name
(``ENT Pate``, ``deckhand Buck``), several at once, a bed, an age or a verb beside it, nicknames.

After a post or a relation a name may be a word too (``officer Dance``) if lists know it as a name
and medicine does not use it. Folded text.
"""

import re

# ruff: noqa: E501  (an expression that is broken into lines cannot be read)
from services.privacy.name_words import (
    SAID_IN_CHARTS,
    is_rare_name_word,
    is_word_and_name,
    may_be_name,
)
from services.privacy.patterns import form
from services.privacy.tagger.hints import FAMILY, GIVEN, MEDICAL, UNLISTED, hint_of_word

LETTERS = re.compile(r"[^\W\d_]{3,}")
PART = r"(?:[A-Z][a-z]{2,15}|(?:O'|Mc|Mac|De|Di|Le|La|Van|Fitz)[A-Z][a-z]{2,15})"
NAME = rf"(?P<name>{PART}(?:[-' ]{PART})?)"
ONE = rf"(?P<name>{PART}(?:-{PART})?)"
SERVICE = (
    r"(?:ENT|IR|ID|RD|RT|PT|OT|APS|PM&?R|[PNMS]ICU|CCU|NSGY|GI|GU|OB|GYN|OMFS|MSW|SW|CM|SLP|SLT|PHN|PC|DC|EP|perf|cards|cardiology|nephro|nephrology|renal|hep"
    r"|hepatology|pulm|neuro|neurology|psych|ortho|vascular|gynae?|gyne|uro|urology|derm|heme|haem|onco?|rad ?onc|palliative|pall|endo|rheum|surg|surgery|dental|tox|micro|path"
    r"|plastics|trauma|peds|paeds|gastro|oph?tho?|ophth|optom|retina|orthotics|prosthetics|anesthesia|anaes|radiology|radiologist|cardiologist|oncologist|neurologist|nephrologist"
    r"|intensivist|hospitalist|pathologist|urologist|attending|assistant|volunteer|deckhand|care coordinator|navigator|liaison|perfusionist|scrub|circulator|typist|trainer|coach"
    r"|teacher|head|landlord|landlady|boss|manager|pastor|priest|imam|rabbi|lawyer|solicitor|attorney|atty|judge|deputy|officer|ofc|constable|mayor)"
)
MANY = (
    r"(?:children|kids|sons|daughters|brothers|sisters|parents|siblings|twins|boys|girls|grandkids|grandchildren|nieces|nephews|moms|mums|cousins|friends|officers|deputies"
    r"|nurses|fellows|residents|registrars|carers|PCs)"
)
DOES = (
    r"(?:sent|said|says|agrees?|aware|attending|to see|will see|saw|placed|notified|informed|updated|at bedside|denie[sd]|supports|thinks|wants|asked|phoned|rang|visited|confirmed"
    r"|recommends?|advised|drove|drives|will call|brought|assisted|scrubbed|extracted|supervised|translat(?:ing|ed)|interpret(?:ing|ed)|consented|pronounced|accept(?:s|ed)|is aware|will follow)"
)
ADDRESSED = r"(?:per|by|d/w|dw|discussed with|spoke (?:with|to)|s/w|seen by|reviewed by|referred by|told|tell|ask|asked|let|cc|copied|attn|hi|hello|dear|thanks|thank you|cheers|signed|regards|sincerely)"
CALLED = r"(?:known as|goes by|nickname|alias|aka|a/k/a|called|answers to|prefers(?: to be called)?|likes to be called|n[ée]e|formerly|maiden name|named|pet name)"
SPELT = r"(?i:Alpha|Alfa|Bravo|Charlie|Delta|Echo|Foxtrot|Golf|Hotel|India|Juliett?|Kilo|Lima|Mike|November|Oscar|Papa|Quebec|Romeo|Sierra|Tango|Uniform|Victor|Whiskey|X-?ray|Yankee|Zulu)"


def _is_rare(match: re.Match[str]) -> bool:
    found = LETTERS.findall(match["name"])
    return bool(found) and all(is_rare_name_word(word) for word in found)


def _is_name(match: re.Match[str]) -> bool:
    """Of rare names, or one name that is a word too."""
    if _is_rare(match):
        return True
    return " " not in match["name"] and all(
        is_word_and_name(word) for word in LETTERS.findall(match["name"])
    )


def _is_short(match: re.Match[str]) -> bool:
    """``volunteer Mo``: two letters that charts do not use."""
    lowered = match["name"].lower()
    return lowered not in SAID_IN_CHARTS and not hint_of_word(lowered) & MEDICAL


def _is_listed(match: re.Match[str]) -> bool:
    """In brackets stand brands too: only listed names."""
    return hint_of_word(match["name"].lower()) != UNLISTED and _is_rare(match)


def _is_nicknamed(match: re.Match[str]) -> bool:
    """What stands before and behind the nickname are names."""
    found = LETTERS.findall(match["name"])
    return all(map(may_be_name, (found[0], found[-1])))


def _is_called(match: re.Match[str]) -> bool:
    """Somebody is called by any word but one of medicine; help is called too."""
    first = match["name"].split()[0]
    lowered = first.lower()
    if match[0].lower().startswith("called") and not is_word_and_name(first):
        return is_rare_name_word(first)
    hint = hint_of_word(lowered)
    is_medical = hint & MEDICAL and not hint & (GIVEN | FAMILY)
    return lowered not in SAID_IN_CHARTS and not is_medical


PEOPLE_EN = (
    form("NAME", rf"\b(?i:{SERVICE}) {NAME}\b", _is_name, "name"),
    form("NAME", rf"\b(?i:{MANY}):? [(]?{ONE}\b", _is_name, "name"),
    form("NAME", rf"\b(?i:{MANY}):? [(]?{PART}(?:,| and| &|/) ?(?:{PART} ?(?:and|&) )?{ONE}\b", _is_name, "name"),
    form("NAME", rf"\b{NAME} (?={DOES}\b)", _is_rare, "name"),
    form("NAME", rf"\b(?i:{ADDRESSED}),?:? {NAME}\b(?!['’])", _is_rare, "name"),
    form("NAME", rf"(?:\A|[\n.:;,-] ?){ONE},? (?=\d{{1,3}} ?(?:[MF]\b|y/?o\b|yrs?\b|y\b|mo\b|m/12|mths?\b))", _is_rare, "name"),
    form("NAME", rf"\b(?i:bed|cot|bay|room|rm|chair|crib|isolette|pod|side ?room) [A-Z]?\d{{1,3}}[A-Z]?[:,.]? ?(?:[–—-] ?)?{ONE}\b", _is_name, "name"),
    form("NAME", r"\b(?:RN|SN|[Nn]urse|[Vv]olunteer|[Ss]ister|HCA|[Ww]ife|[Hh]usband|[Ss]on|[Dd]aughter|[Bb]rother|[Mm]idwife|[Tt]ech|[Ii]ntern|SHO|[Rr]eg|cousin|friend|uncle|aunt|partner) (?P<name>[A-Z][a-z])\b(?!['’.])", _is_short, "name"),
    form("NAME", rf"(?:\d|[A-Z]{{2}}|surgery|repair|anesthesia|ventilation|placed|done|out|biopsy|clinic) \((?P<name>{PART})[),]", _is_listed, "name"),
    form("NAME", rf"\b(?i:{CALLED}) [\"“'‘]?(?P<name>(?!(?:Dr|Mr|Mrs|Ms|Miss)\b)[A-Z][A-Za-z'-]{{1,15}}(?: [A-Z][a-z]{{2,15}})?)\b", _is_called, "name"),
    form("NAME", r"\b(?P<name>[A-Z][a-z]{2,15} [\"“'‘(][A-Z][A-Za-z -]{1,14}[\"”'’)] [A-Z][a-z]{2,15})\b", _is_nicknamed, "name"),
    form("NAME", rf"\b(?P<name>(?i:Unknown|Trauma|Unidentified|Unk|Disaster)(?:,? (?:Male|Female|M|F))?,? {SPELT}(?: [A-Z][a-z]{{1,9}}| \d{{1,4}})?)\b", of="name"),
)  # fmt: skip
