"""Pure: numbers of things and cases in several pieces, beside a cue: plates, lots, exhibits, pumps."""

import re

# ruff: noqa: E501  (an expression that is broken into lines cannot be read)
from services.privacy.pattern_checks import YEAR
from services.privacy.patterns import form

THINGS = (
    r"(?:plate(?: \d)?(?: is)?|rego?|registration|exhibit|call ?sign|barcode|s/?n|serial(?: no)?|lots?(?: no| number)?|passport(?: no)?|(?:walker|auto|bike|car|taxi|van|bus|lorry|cab|PM|PRF|pol|policy|claim|receipt|"
    r"control|exhibit|crime|log|bag|tag|unit|ref|auth|batch|cert|case|file|form|tube|pack|donor|group|hosp|box|locker|seal|badge|warrant|shoulder|collar|permit|visa|student|staff|employee|roll|token|slip|voucher) ?(?:no|nos|number|#)|script|PSC|CIN|NIN|BVN|IC|NRIC|FIN|Emirates ID|QID|Aadhaar|PAN|ABHA|UHID|IP no|OP no|OPD no|MRNO|MRD(?: no)?|CR no)"
)
CHUNK = r"(?:[A-Z]{1,6}[-/]?\d[\dA-Z]*|\d[\dA-Z]*|[A-Z]{1,4}(?=[ -]\d))"


def _is_mark(match: re.Match[str]) -> bool:
    """Three digits, and no year."""
    value = match["v"]
    digits = sum(char.isdecimal() for char in value)
    return digits >= 3 and re.fullmatch(YEAR, value) is None


MARKS_EN = (
    form("ID", rf"\b(?i:{THINGS})\.?(?: is)?[:.]? {{0,2}}(?P<v>{CHUNK}(?:[ /-]{{1,3}}{CHUNK}){{0,4}}(?:[ -][A-Z]{{1,3}}\b)?)(?! ?(?:mg|ml|mcg|%))", _is_mark, "v"),
    form("ID", r"\b(?i:(?:lot|hospital|chart|record|policy|phone|case) (?:number|no))\.?:? (?P<v>(?:(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|double|[A-Z])[ ,]{1,2}){3,14}(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|[A-Z]))\b", of="v"),
    form("ID", r"\b(?i:no|number|mrn|nhs|nhs no|id|ref)\.?:? (?P<v>(?:[A-Z] )?(?:\d ){4,12}\d)\b", of="v"),
    form("ID", r"\b[A-Z]{2} \d{2} ?[A-Z]{1,2} \d{4}\b"),
    form("ID", r"\b(?i:reg|rego|plate|car|van|taxi|bike)\.? (?P<v>[A-Z]{2} ?\d{2} [A-Z]{3})\b", of="v"),
    form("PHONE", r"\b(?i:ext|extn|extension|x|bleep|bleeps?|pager|pgr|pg|dect|vocera)\.? ?#?(?P<v>\d{3,6}|\d-\d{4})\b", of="v"),
    form("PHONE", r"(?<=\d{3}) (?:x ?|ext\.? ?)(?P<v>\d{2,6})\b(?! ?(?:mm|cm|min|x\b|/))", of="v"),
)  # fmt: skip
