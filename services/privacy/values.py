"""Pure: which values of results identify: telephone and record numbers, true dates, ages, births.

A number has no form of its own, so what it can be is told by its digits, its unit and its code.
"""

import math
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import msgspec

from contracts.observation import Code, Observation
from services.privacy.dates import AGE_YEARS_MAX, shift_text
from services.privacy.words import words

IDENTIFYING_NUMBER = "identifying_number"
AGE_CLAMPED = "age_over_89"
DIGITS_MIN = 7  # of a whole number without a unit: from here a telephone, a record number, a date
DIGITS_WITH_UNIT_MIN = 10  # a count of cells or copies has fewer
COUNT_DIGITS = 3  # a count is rounded to as many, a number of somebody is not
LOINC, SNOMED = "LN", "SCT"
AGE_CODES = {
    LOINC: words("30525-0 21611-9 21612-7 29553-5 63900-5"),
    SNOMED: words("397669002 424144002"),
}
BIRTH_CODES = {LOINC: words("21112-8"), SNOMED: words("184099003")}
AGE_TEXT = re.compile(
    r"(?:(?:patient|pt|current|reported|calculated|estimated)'?s? )?age(?: \(?(?:in )?years\)?)?"
    r"|年龄",
    re.IGNORECASE,
)
PER_YEAR = {"": 1.0, "a": 1.0, "mo": 12.0, "wk": 52.2, "d": 365.25, "h": 8766.0}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def is_identifying(value: float | None, unit: str) -> bool:
    """Return whether a number can be a telephone, a record number or a date.

    >>> is_identifying(13998765432.0, ""), is_identifying(1500000.0, "/uL")
    (True, False)
    """
    if value is None or abs(value) < 10 ** (DIGITS_MIN - 1) or not math.isfinite(value):
        return False
    digits = str(abs(int(value)))
    if value != int(value) or len(digits) < (DIGITS_WITH_UNIT_MIN if unit else DIGITS_MIN):
        return False
    return len(digits.rstrip("0")) > COUNT_DIGITS


def clamped_age(found: Observation) -> Observation:
    """Return an age of 90 and over as 90 years, and any other observation as it is."""
    is_young = found.value is not None and found.value < AGE_YEARS_MAX
    if is_young or not _is_age(found.code.system, found.code.code, found.code.text):
        return found
    said = found.value if found.value is not None else _number_of(found.text)
    per_year = PER_YEAR.get(found.unit)
    if said is None or said < AGE_YEARS_MAX * (per_year or 1.0):
        return found
    value = None if found.value is None else AGE_YEARS_MAX * (per_year or 1.0)
    text = str(AGE_YEARS_MAX) if found.kind == "text" else ""
    return msgspec.structs.replace(found, value=value, text=text, finding=AGE_CLAMPED)


def moved_time(found: Observation, occurred_at_ms: int, shift_days: int) -> str:
    """Return a time value moved back by ``shift_days``.

    "" for a date of birth, and for one that tells an age over 89 at the time of the event.
    """
    moved = shift_text(found.text, shift_days)
    if _is_of(found.code, BIRTH_CODES):
        return ""
    if moved[:4].isdecimal() and _year_of(occurred_at_ms) - int(found.text.strip()[:4]) >= (
        AGE_YEARS_MAX
    ):
        return ""
    return moved


@lru_cache(maxsize=4096)
def _is_age(system: str, code: str, text: str) -> bool:
    is_coded = code in AGE_CODES.get(system, frozenset())
    return is_coded or AGE_TEXT.fullmatch(text.strip()) is not None


def _is_of(code: Code, codes: dict[str, frozenset[str]]) -> bool:
    return code.code in codes.get(code.system, frozenset())


def _number_of(text: str) -> float | None:
    match = re.match(r"\s*(\d{1,4})(?:\.\d{1,6})?\s*(?:y|a|岁|$)", text, re.ASCII | re.IGNORECASE)
    return float(match[1]) if match else None


def _year_of(at_ms: int) -> int:
    try:
        return (EPOCH + timedelta(milliseconds=at_ms)).year
    except OverflowError:
        return 9999
