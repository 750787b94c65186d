"""Pure: which values of results identify: telephone and record numbers, true dates, ages, births.

A number has no form of its own, so what it can be is told by its digits, its unit and its code.
"""

import math
import re
from datetime import timedelta

import msgspec

from contracts.observation import Code, Observation
from plumbing.remembering import remembered
from services.privacy.dates import AGE_YEARS_MAX, EPOCH, shift_text
from services.privacy.life_names import Age, age_of, is_birth

IDENTIFYING_NUMBER = "identifying_number"
AGE_CLAMPED = "age_over_89"
BIRTH_DATE = "birth_date"
DIGITS_MIN = 7  # of a whole number without a unit: from here a telephone, a record number, a date
DIGITS_WITH_UNIT_MIN = 10  # a count of cells or copies has fewer
UNIT_CHARS_MAX = 20
# What is counted or weighed, and in what, in UCUM or as senders write it. In any other words, which
# may be a sender's own, a number of somebody has no unit.
COUNT_UNIT = re.compile(
    r"(?:k?iu|u|units?|copies|copy|cop|cps?|cells?|cfu|pfu|geq?|genomes?|拷贝数?|个|国际单位|单位"
    r"|\[(?:iu|cfu|pfu)\]|\{(?:copies|cells?|cfu|geq)\}|10[*^]\d{1,2}|[mnpuµμ]?g|[mnpfuµμ]?mol)?"
    r" ?/ ?(?:[mdcunfpµμ]?l|[kmuµμ]?g|[cm]m[\^*]?3|毫升|微升|升|千克|克)",
    re.IGNORECASE,
)
KNOWN_DIGITS_MIN = 5  # of a whole number that is looked up among what is known of the patient
COUNT_DIGITS = 3  # a count is rounded to as many, a number of somebody is not
AGE_YEARS_OLDEST = 130  # of a name that is not sure: more years are no age
AGE_CHARS_MAX = 40  # of a text under such a name: longer ones are searched as notes are
PER_YEAR = {"a": 1.0, "mo": 12.0, "wk": 52.2, "d": 365.25, "h": 8766.0}
# How senders write units of time; one that is not among them counts as years.
TIME_UNITS = (
    ("a", re.compile(r"a|y|(?:yrs?\.?|years?)(?: old)?|y\.?/?o\.?|周?岁|年", re.IGNORECASE)),
    ("mo", re.compile(r"mos?|mths?|mons?|months?|个?月", re.IGNORECASE)),
    ("wk", re.compile(r"wks?|weeks?|周", re.IGNORECASE)),
    ("d", re.compile(r"d|days?|天|日", re.IGNORECASE)),
    ("h", re.compile(r"h|hrs?|hours?|小?时", re.IGNORECASE)),
)
# A number of years in a text: not one of months, weeks, days or hours.
YEARS_SAID = re.compile(
    r"(?<![\d.])(\d{2,3})(?:\.\d{1,6})?+(?!\d)\s*+(?!m|w|d|h|个?月|周|天|日|小?时)",
    re.ASCII | re.IGNORECASE,
)
# A number of years and nothing else, for where the name of the result is not sure.
YEARS_ALONE = re.compile(
    r"(?<![\w.])(\d{2,3})(?:\.\d{1,6})?+(?!\d)\s*+(?=y|a\b|周?岁|[-+,;)(~–至到]|$)",
    re.ASCII | re.IGNORECASE,
)
OLD_IN_WORDS = re.compile(
    r"ninet(?:y|ies)|hundred|nonagenarian|centenarian|[九玖]十|百", re.IGNORECASE
)
OLD_FIRST = re.compile(
    r"\W*(?:(?:an?|one) )?(?:ninet(?:y|ies)|hundred|nonagenarian|centenarian"
    r"|[九玖]十|一?百(?=[零一二三四五六七八九十岁]|$))",
    re.IGNORECASE,
)


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


def counted_in(found: Observation) -> str:
    """Return the unit of a number that may be a count, in UCUM or as sent; "" of any other."""
    sent = found.unit or found.unit_sent
    return sent if len(sent) <= UNIT_CHARS_MAX and COUNT_UNIT.fullmatch(sent) else ""


def digits_of(value: float | None) -> str:
    """Return the digits of a whole number that may be one of the patient's own, "" of others.

    >>> digits_of(100456.0), digits_of(7.4), digits_of(120.0)
    ('100456', '', '')
    """
    if value is None or abs(value) < 10 ** (KNOWN_DIGITS_MIN - 1) or not math.isfinite(value):
        return ""
    return str(abs(int(value))) if value == int(value) else ""


def clamped_age(found: Observation) -> Observation:
    """Return an age of 90 and over as 90 years, and any other observation as it is.

    An age is known by its code or name, a sure one whatever it says. Of whatever else, 90 years
    and more tell as much.
    """
    age = age_of(found)
    if found.value is not None:
        return _clamped_number(found, age)
    if age is None:
        return found
    if found.kind == "text" and _tells_old(found.text, age):
        return msgspec.structs.replace(found, text=str(AGE_YEARS_MAX), finding=AGE_CLAMPED)
    if any(_tells_old(one.text, age) or _tells_old(one.code, age) for one in found.answers):
        told = Code("", str(AGE_YEARS_MAX))
        return msgspec.structs.replace(
            found, answer=told, further_answers=(), text="", finding=AGE_CLAMPED
        )
    return found


def _clamped_number(found: Observation, age: Age | None) -> Observation:
    sent = found.unit or found.unit_sent
    unit = _unit_of_time(sent)
    is_sure = unit == "a" or (age is not None and age.is_sure)
    if found.value is None or not (is_sure or (age and _may_be_time(found, unit))):
        return found
    per_year = PER_YEAR[unit or (age.unit if age and not sent else "a")]
    most = AGE_YEARS_MAX * per_year
    if found.value < most or (not is_sure and found.value > AGE_YEARS_OLDEST * per_year):
        return found
    return msgspec.structs.replace(found, value=most, text="", finding=AGE_CLAMPED)


def _may_be_time(found: Observation, unit: str) -> bool:
    """Return whether a unit is one of time, or not one of something else."""
    return bool(unit) or not (found.unit or "/" in found.unit_sent or "%" in found.unit_sent)


def tells_birth(found: Observation) -> bool:
    """Return whether a result that is no time says when the patient was born: the year may tell an
    age over 89, and who needs the age has it.
    """
    return found.kind in {"quantity", "text", "coded"} and is_birth(found)


def moved_time(found: Observation, occurred_at_ms: int, shift_days: int) -> str:
    """Return a time value moved back by ``shift_days``.

    "" for a date of birth, and for one that tells an age over 89 at the time of the event.
    """
    moved = shift_text(found.text, shift_days)
    if is_birth(found):
        return ""
    if moved[:4].isdecimal() and _year_of(occurred_at_ms) - int(found.text.strip()[:4]) >= (
        AGE_YEARS_MAX
    ):
        return ""
    return moved


@remembered(4_096)
def _unit_of_time(unit: str) -> str:
    return next((name for name, form in TIME_UNITS if form.fullmatch(unit.strip())), "")


def _tells_old(text: str, age: Age) -> bool:
    if age.is_sure:
        years = (int(one[1]) for one in YEARS_SAID.finditer(text))
        return any(one >= AGE_YEARS_MAX for one in years) or OLD_IN_WORDS.search(text) is not None
    if age.unit != "a" or len(text) > AGE_CHARS_MAX:
        return False
    years = (int(one[1]) for one in YEARS_ALONE.finditer(text))
    return any(AGE_YEARS_MAX <= one <= AGE_YEARS_OLDEST for one in years) or (
        OLD_FIRST.match(text) is not None
    )


def _year_of(at_ms: int) -> int:
    try:
        return (EPOCH + timedelta(milliseconds=at_ms)).year
    except OverflowError:
        return 9999
