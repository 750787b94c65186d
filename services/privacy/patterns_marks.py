"""Pure: numbers of things and cases in several pieces, beside a cue: plates, lots, exhibits, pumps."""

import re

# ruff: noqa: E501  (an expression that is broken into lines cannot be read)
from services.privacy.near import is_word
from services.privacy.pattern_checks import YEAR
from services.privacy.patterns import form

THINGS = (
    r"(?:plate(?: \d)?(?: is)?|rego?|registration|exhibit|call ?sign|barcode|s/?n|serial(?: no)?|lots?(?: no| number)?|passport(?: no)?|(?:walker|auto|bike|car|taxi|van|bus|lorry|cab|PM|PRF|pol|policy|claim|receipt|"
    r"control|exhibit|crime|log|bag|tag|unit|ref|auth|batch|cert|case|file|form|tube|pack|donor|group|hosp|box|locker|seal|badge|warrant|shoulder|collar|permit|visa|student|staff|employee|roll|token|slip|voucher) ?(?:no|nos|number|#)|script|PSC|CIN|NIN|BVN|IC|NRIC|FIN|Emirates ID|QID|Aadhaar|PAN|ABHA|UHID|IP no|OP no|OPD no|MRNO|MRD(?: no)?|CR no)"
)
CHUNK = r"(?:[A-Z]{1,6}[-/]?\d[\dA-Z]*|\d[\dA-Z]*|[A-Z]{1,4}(?=[ -]\d))"

VEHICLE = r"(?:cars?|vans?|taxi|cab|trucks?|lorry|bus|vehicles?|moped|scooter|motor ?(?:bike|cycle)s?|bikes?|plates?|rego?|registration)"
CRASH = rf"(?:{VEHICLE}|coach|motorist|driver|driven|registered|hit[ -]and[ -]run|MV[AC]|RT[ACI])"
# Of Britain, California, many other states, France and Italy, Germany, Ireland: nothing in a chart looks so.
PLATE = r"(?:[A-Z]{2}\d{2} ?[A-Z]{3}|\d[A-Z]{3}\d{3}|[A-Z]{3}-\d{3,4}|[A-Z]{2}-?\d{3}-?[A-Z]{2}|[A-Z]{1,3}-[A-Z]{1,2}[ -]?\d{1,4}|\d{2,3}-[A-Z]{1,2}-\d{1,6})"
# Scores and results look so too (``GCS 150``): only right beside the vehicle.
PLATE_BESIDE = (
    r"(?:[A-Z]{2} \d{2} [A-Z]{3}|[A-Z]\d{1,3} ?[A-Z]{3}|[A-Z]{3} ?\d{3,4}|\d{3,4}[ -]?[A-Z]{3})"
)
MARKERS = frozenset(
    {"CD", "IL", "CA", "TH", "KI", "ER", "PR", "HB", "HR", "PH", "FT", "FP"}
)  # CD34 NEG


def _is_plate(match: re.Match[str]) -> bool:
    """Return whether it is no marker of a cell and its letters are no word."""
    letters = re.findall("[A-Z]{3,}", match["v"])
    return match["v"][:2] not in MARKERS and not any(is_word(one.lower()) for one in letters)


def _is_mark(match: re.Match[str]) -> bool:
    """Three digits, and no year."""
    value = match["v"]
    digits = sum(char.isdecimal() for char in value)
    return digits >= 3 and re.fullmatch(YEAR, value) is None


MARKS_EN = (
    form("ID", r"\b(?:collar|badge|[Ll]ast (?:4|four)(?: digits| of| is| SSN){1,3})(?: no\.?)? ?#?(?P<v>\d{4})\b", of="v"),
    form("ID", rf"\b(?i:{THINGS})(?![A-Za-z])\.?(?: is)?[:.]? {{0,2}}(?P<v>{CHUNK}(?:[ /-]{{1,3}}{CHUNK}){{0,4}}(?:[ -][A-Z]{{1,3}}\b)?)(?! ?(?:mg|ml|mcg|%))", _is_mark, "v"),
    form("ID", r"\b(?i:(?:lot|hospital|chart|record|policy|phone|case) (?:number|no))\.?:? (?P<v>(?:(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|double|[A-Z])[ ,]{1,2}){3,14}(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|[A-Z]))\b", of="v"),
    form("ID", r"\b(?i:no|number|mrn|nhs|nhs no|id|ref)\.?:? (?P<v>(?:[A-Z] )?(?:\d ){4,12}\d)\b", of="v"),
    form("ID", r"\b[A-Z]{2} \d{2} ?[A-Z]{1,2} \d{4}\b"),
    form("ID", r"\b(?P<v>[A-Z]{2}\d{2} [A-Z]{3})\b", _is_plate, "v"),
    form("ID", rf"\b(?i:{CRASH})\b[^.;\n]{{0,40}}?(?<![\w.-])(?P<v>{PLATE})(?![\w-])", _is_plate, "v"),
    form("ID", rf"\b(?i:{VEHICLE})[ ,:.]{{1,3}}(?P<v>{PLATE_BESIDE})(?![\w-]| ?(?i:mph|kph|km|hrs?|lbs|kg)\b)", _is_plate, "v"),
    form("PHONE", r"\b(?i:ext|extn|extension|x|bleep|bleeps?|pager|pgr|pg|dect|vocera)\.? ?#?(?P<v>\d{3,6}|\d-\d{4})\b", of="v"),
    form("PHONE", r"(?:(?<=[\d-]\d{3})|(?<=\d{3} \d{3})) (?:x ?|ext\.? ?)(?P<v>\d{2,6})\b(?! ?(?:mm|cm|min|x\b|/))", of="v"),
)  # fmt: skip
