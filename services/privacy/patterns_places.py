"""Pure: places of English texts by their form or by what is said around them: addresses on lines of
their own, units and roads, hospitals and universities by their letters. Folded text.
"""

import re

# ruff: noqa: E501  (an expression that is broken into lines cannot be read)
from services.privacy.name_words import EPONYMS
from services.privacy.patterns import ANY_CASE, WORD, form
from services.privacy.patterns_context import SPECIALTIES, is_place_word
from services.privacy.tagger.hints import (
    COMMON,
    FAMILY,
    GIVEN,
    MEDICAL,
    ORDINARY,
    PLACE,
    hint_of_word,
)
from services.privacy.words import NOT_NAMES, words

# Hospitals and universities that are known by letters which mean nothing else in a chart.
LETTERED = words(
    "TTSH SGH KKH NUH CGH NTFGH KTPH NHCS NUHS AIIMS PGIMER NIMHANS JIPMER MGH BWH BIDMC UCSF UCLA UCSD CHOP",
    "MSKCC NYPH NYP UPMC OHSU UNC UIHC CWRU JHH VUMC UVA UCI UCD GOSH UCLH QEUH QEHB UHCW UHNM BHRUT SJUH NMGH RBWH RPAH RNSH",
    "POWH RCH RWH TQEH CAMH CHEO LHSC SUNY CUNY PYNEH KWH TMH QMH PWH NUS NTU MIT LSE UCL NYU UBC UNSW UWA ANU UCC UCD NUIG DCU",
)
# After at, to and from: departments and whatever else is no site.
NO_SITES = words(
    "ICU ITU HDU CCU NICU PICU SICU MICU CICU CVICU TICU NSICU SCBU PACU AMU MAU SAU CDU EAU HASU ASU ED ER EM OR OT OPD OP IP GP DSU",
    "CT MRI MRA US USS IR EP ECG EKG EEG EMG BP HR RR AF SR VT VF MAP CVP FIO PEEP CPAP NIV HFNC RA NC NRB BIPAP MDT SNF LTC LTAC IRF RH NH",
    "PICC CVC NG PEG TPN IV PO IM SC PR SL OD BD TDS QDS PRN BID TID QID QHS HS AM PM PT OT SLT SLP SW CM RD RT ENT GI ID NS OBS GYN OBGYN",
    "PCP EMS PTA HOB LLQ RLQ LUQ RUQ LLL RLL LUL RUL RML ICS MCL MIDAX TBSA ROM WNL NAD BKA AKA DVT PE MI CVA TIA UTI COPD CHF CKD ESRD DKA",
    "CSF LP LFT CBC FBC CXR KUB TTE TOE TEE UTD DNR DNAR FULL AAA BPH BRAN DISH DSH FISH BASH RASH MASH NASH LH FSH TSH MSH PTH GH RTH DTH AVH IVH ICH SAH SDH EDH LVH RVH PAH PH BH LOH HLH",
)
ROAD_AROUND = r"(?:nr|near|northbound|southbound|eastbound|westbound|[NSEW]/?B|j(?:n|unction)|J\d|roundabout|slip ?road|bypass|motorway|crash)"


def _is_site(match: re.Match[str]) -> bool:
    found = match["site"]
    hint = hint_of_word(found.lower())
    return found not in NO_SITES and not hint & MEDICAL


def _is_address(match: re.Match[str]) -> bool:
    """What stands after ``address`` has a number or a place in it."""
    said = match["v"]
    return any(char.isdecimal() for char in said) or any(
        is_place_word(word) for word in re.findall(r"[^\W\d_]{3,}", said)
    )


def _begins_ordinary(found: str) -> bool:
    """The first word is an ordinary one: ``Nearest Station``."""
    hint = hint_of_word(re.split("[ -]", found)[0].lower())
    return bool(hint & (COMMON | ORDINARY | MEDICAL)) and not hint & (PLACE | FAMILY)


def _is_called_site(word: str) -> bool:
    """``at the Alfred``, ``to the Brompton``: a name or place that is no ordinary word."""
    hint = hint_of_word(word.lower())
    is_word = bool(hint & (COMMON | MEDICAL)) or (
        bool(hint & ORDINARY) and not hint & (FAMILY | PLACE)
    )
    return not is_word and word.lower() not in EPONYMS and word.lower() not in NOT_NAMES


def _is_named_site(match: re.Match[str]) -> bool:
    """No department: some word is a place or a name by the lists, and the first begins no note."""
    parts = re.split("[ -]", match["site"])
    first = parts[0]
    if first.lower() in NOT_NAMES or first in NO_SITES or first.lower() in SPECIALTIES:
        return False
    hints = [hint_of_word(part.lower()) for part in parts]
    return any(hint & (PLACE | FAMILY | GIVEN) and not hint & (COMMON | MEDICAL) for hint in hints)


PLACES_EN = (
    form("LOC", r"\b(?:home |postal |mailing |current |permanent |his |her |their )?address(?: is|:|=)\s{0,8}(?P<v>[^\n;|]{6,90}?)(?=\s*(?:[\n;|]|\Z|, (?=[a-z]+ )|\b(?:tel|phone|ph|mob|cell|dob|mrn|gp|email)\b|[.] ))", _is_address, "v", ANY_CASE),
    form("LOC", r"\b(?:Apt|Apartment|Suite|Ste|Flat)\.? #?\d{1,5}[A-Z]?\b(?! ?(?:h|hrs?|hours?|days?|min)\b)", flags=ANY_CASE),
    form("LOC", r"\b(?:Unit|PSC|CMR|USNS|USS) (?:\d{2,5} )?Box \d{2,5}\b(?:[\s,\\]{1,4}(?:[DAF]PO),? A[AEP](?: \d{5})?)?", flags=ANY_CASE),
    form("LOC", r"\b[DAF]PO,? A[AEP] \d{5}\b", flags=ANY_CASE),
    form("LOC", r"\b(?:zip(?: ?code)?|post ?code|postal code)(?: is|:)? (?P<v>\d{4,6}(?:-\d{4})?)\b", of="v", flags=ANY_CASE),
    form("LOC", r"\b(?P<site>[A-Z]{2,6})(?= (?:Medical Cent(?:er|re)|Med Cent(?:er|re)|campus|student|Med C(?:en)?t(?:e)?r)\b)", _is_site, "site"),
    form("LOC", r"\b(?:at|from|to|via|@|ex|in) (?P<site>[A-Z]{2,4}H)\b(?!\w|[-/]\w)", _is_site, "site"),
    form("LOC", rf"(?<!R-)\b(?P<site>{'|'.join(sorted(LETTERED))})\b(?![-/]\w| \d)", of="site"),
    form("LOC", rf"(?<![\w-])(?P<v>[AMB]\d{{1,4}}(?:\(M\))?)(?= ?{ROAD_AROUND}\b)", of="v"),
    form("LOC", r"\b(?:RTC|RTA|MVC|MVA|RTI|crash(?:ed)?|collision|accident)(?: on)?(?: the)? (?P<v>[AMB]\d{1,4})\b", of="v"),
    form("LOC", r"\b(?:NH-\d{1,3}|(?:Highway|Hwy|Route|Rte|Interstate)[ -]\d{1,4}|(?:on|off|along|near) (?:the )?(?:I|US|SR|SH|NH)-\d{1,4})\b"),
    form("LOC", rf"\b(?i:hotel|hostel|motel|guest ?house|b&b|dorm(?:itory)?|shelter|kampung|kampong) (?P<v>{WORD}(?: {WORD}){{0,2}})", of="v"),
    form("LOC", rf"\b(?P<v>{WORD}(?: {WORD}){{0,2}} (?:Hotel|Hostel|Motel|Inn|Lodge|Resort|Airport|Station|Beach|Ferry Terminal|Shopping Cent(?:er|re)|Mall|Mosque|Temple|Gurdwara|Cathedral|Church|Parish|Kindergarten|Preschool|Nursery|Estate|Barracks|Prison|HMP))\b", lambda match: not _begins_ordinary(match["v"]), "v"),
    form("LOC", rf"\b(?:at|to|from|in|of) (?P<site>{WORD}(?:[ -]{WORD}){{0,3}} (?:Health(?:care| Care| System| Network)?|Med(?:ical)?\.? (?:Center|Centre|Ctr)|Langone|Presbyterian|Clinic))\b", lambda match: not _begins_ordinary(match["site"]), "site"),
    form("LOC", rf"\b(?:admitted|seen|treated|reviewed|evaluated|transferred|referred|followed|followed up|diagnosed|discharged|consulted|hospitalized|hospitalised) (?:at|to|from) (?P<site>{WORD}(?:[ -]{WORD}){{0,3}})", _is_named_site, "site"),
    form("LOC", r"\b(?:at|to|from|in|via|@|ex) (?P<v>the (?P<town>[A-Z][a-z]{3,}))\b(?! (?:[A-Z]|score|scale|criteria))", lambda match: _is_called_site(match["town"]), "v"),
    form("LOC", r"\bHMP [A-Z][a-z]{3,}\b"),
)  # fmt: skip
