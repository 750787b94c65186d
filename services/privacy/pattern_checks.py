"""Pure: what a match of a form must also be, to be taken for an identifier."""

import re

from services.privacy.words import NOT_NAMES, words

YEAR = r"(?:19|20)\d\d"
UNIT_AFTER = re.compile(
    r"\s{0,2}(?:mg|mcg|ug|μg|g|kg|ml|l|dl|iu|units?|u|mmol|mol|meq|mm|cm|%|/min|bpm|mmhg|hz|copies|cells"
    r"|tablets?|tabs?|caps?|drops?|puffs?|单位|毫克|微克|克|毫升|片|粒|万)(?![a-z])",
    re.IGNORECASE,
)
PRESSURE = re.compile(r"\d{2,3}/\d{2,3}")
COUNTRY_DIGITS_MIN = 7
# Before `Clinic` they say of what kind it is.
KINDS_OF_CLINIC = words(
    "breast fracture diabetic diabetes eye dental ear memory pain sleep falls heart chest kidney",
    "renal cardiac stroke antenatal postnatal outpatient day urgent wound sexual minor virtual",
    "hand foot skin allergy asthma vascular orthopaedic orthopedic orthopaedics paediatric",
    "pediatric rehab psychiatric cancer thyroid fertility gynae hypertension lipid tb hiv",
)


def no_unit(match: re.Match[str]) -> bool:
    """Return whether no unit of measurement follows."""
    return UNIT_AFTER.match(match.string, match.end()) is None


def is_named_site(match: re.Match[str]) -> bool:
    """Return whether a clinic's first word is more than of what kind it is."""
    first = match[0].split()[0].casefold()
    return first not in NOT_NAMES and first not in KINDS_OF_CLINIC


def is_ip(match: re.Match[str]) -> bool:
    """Return whether all four parts fit a byte."""
    return all(int(part) <= 255 for part in match[0].split("."))


def is_numeric_date(match: re.Match[str]) -> bool:
    """Return whether day and month fit, in either order."""
    one, two = int(match["a"]), int(match["b"])
    if "apgar" in match.string[max(0, match.start() - 12) : match.start()].casefold():
        return False
    return no_unit(match) and 1 <= min(one, two) <= 12 and max(one, two) <= 31


def is_iso_date(match: re.Match[str]) -> bool:
    """Return whether month and day fit."""
    month, day = int(match["b"]), int(match["c"] or 1)
    return no_unit(match) and 1 <= month <= 12 and 1 <= day <= 31


def is_cued_number(match: re.Match[str]) -> bool:
    """Return whether it has three digits and is no year, dose or pressure."""
    digits = sum(char.isdecimal() for char in match["v"])
    if re.fullmatch(YEAR, match["v"]):
        return False
    return digits >= 3 and no_unit(match) and PRESSURE.fullmatch(match["v"]) is None


def is_cued_phone(match: re.Match[str]) -> bool:
    """Return whether it has four digits and is no dose."""
    return sum(char.isdecimal() for char in match["v"]) >= 4 and no_unit(match)


def is_old(match: re.Match[str]) -> bool:
    """Return whether an age is one that identifies: 90 or more."""
    return 90 <= int(match["years"]) <= 125


def is_person(match: re.Match[str]) -> bool:
    """Return whether the first word may begin a name."""
    words = re.split(r"[\s,.]+", match["name"].strip())
    return bool(words) and words[0].casefold() not in NOT_NAMES


def is_cased_person(match: re.Match[str]) -> bool:
    """Return whether the first word may begin a name and is no abbreviation beside a name."""
    first = match["name"].split()[0]
    return is_person(match) and (not first.isupper() or match["name"].isupper())


def is_bare_number(match: re.Match[str]) -> bool:
    """Return whether a long number is no quantity."""
    after = match.string[match.end() : match.end() + 2]
    return no_unit(match) and not (after[:1] in {".", ","} and after[1:2].isdecimal())


def is_long_number(match: re.Match[str]) -> bool:
    """Return whether a number is as long as a telephone's with its country (E.164): ``+550`` is a
    fluid balance.
    """
    return sum(map(str.isdecimal, match[0])) >= COUNTRY_DIGITS_MIN


def is_town_before(town: str) -> bool:
    """Return whether what stands before a state is no abbreviation (``LAFB, PR``) and no class of
    a fracture (``Winquist III, NV``).
    """
    return len(town) > 3 and not town[-2:].isupper()
