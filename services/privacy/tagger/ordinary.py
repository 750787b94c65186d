"""Pure: what a tagger may take for an identifier and identifies nobody, by its form."""

import re

from services.privacy.spans import Span
from services.privacy.tagger.doubts import is_shorthand

YEAR = re.compile(r"(?:19|20)\d\d年?", re.ASCII)
YOUNG = re.compile(r"[1-8]\d(?:岁|周岁)?", re.ASCII)  # ages under 90 stay
MONTHS, DAYS = 12, 31
PAIR = re.compile(r"(\d{1,3})[/.](\d{1,3})", re.ASCII)
NO_DAY = re.compile(
    r"(?:this |last |next )?(?:Mon|Tues?|Wed(?:nes)?|Thu(?:rs?)?|Fri|Sat(?:ur)?|Sun)(?:day)?s?"
    r"|week-?ends?|day ?\d{0,3}|week ?\d{0,2}|wk ?\d{0,2}|\d{1,2}[时点]|第\d{1,3}[日天]",
    re.IGNORECASE | re.ASCII,
)
UNITS = frozenset(
    [
        "L",
        "l",
        "dL",
        "dl",
        "mL",
        "ml",
        "uL",
        "μL",
        "min",
        "kg",
        "g",
        "mg",
        "h",
        "hr",
        "d",
        "HP",
        "HPF",
        "LP",
        "mm",
        "m2",
        "s",
        "wk",
    ]
)


BOUND = re.compile(r"(?<![-=–>])[<>≤≥]=? ?\Z")
NUMBER = re.compile(r"\d{1,3}(?:\.\d{1,3})?", re.ASCII)
AGED = re.compile(r"\b(?:aged?|y/?o|years?|yrs?)\b|[岁龄]", re.IGNORECASE)
AROUND = 12  # characters


def is_ordinary(folded: str, span: Span) -> bool:
    """A unit of a quantity (``10^9/L``), a year, an age under 90, a weekday or a day of the stay,
    two numbers that are no day, what a result is above or below (``K < 3.5``).
    """
    found = folded[span.start : span.end]
    if YEAR.fullmatch(found):
        return True
    if span.label in {"NAME", "LOC"} and is_shorthand(found):
        return True
    if span.label == "AGE" and YOUNG.fullmatch(found):
        return True
    if span.label == "DATE" and (NO_DAY.fullmatch(found) or _is_no_pair(found)):
        return True
    before = folded[max(0, span.start - AROUND) : span.start]
    if span.label in {"DATE", "AGE"} and BOUND.search(before) and NUMBER.fullmatch(found):
        return AGED.search(before + folded[span.start : span.end + AROUND]) is None
    return found in UNITS and before.endswith("/") and any(char.isdecimal() for char in before)


def _is_no_pair(found: str) -> bool:
    """``14/16``, ``101.2``: neither number can be a month, or one no day."""
    pair = PAIR.fullmatch(found)
    if pair is None:
        return False
    least, most = sorted((int(pair[1]), int(pair[2])))
    return not (1 <= least <= MONTHS and most <= DAYS)
