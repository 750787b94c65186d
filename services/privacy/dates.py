"""Pure: ages made before shifting, and the times inside text values moved with the rest."""

import re
from datetime import UTC, date, datetime, timedelta

from contracts.deidentified import Age

AGE_YEARS_MAX = 90
DAYS_SAID_BELOW_YEARS = 2
TIME_TEXT = re.compile(
    r"(?P<y>\d{4})(?P<dash>-?)(?P<m>\d{2})(?P=dash)(?P<d>\d{2})"
    r"(?P<rest>[T ]?(?:\d{2}:?\d{2}(?::?\d{2}(?:\.\d{1,4})?)?)?(?:Z|[+-]\d{2}:?\d{2})?)"
)
CLOCK_TEXT = re.compile(r"\d{2}:\d{2}(?::\d{2})?")


def age_at(birth_date: str, at_ms: int) -> Age | None:
    """Return the age at ``at_ms`` from ``YYYY[-MM[-DD]]``; None when unknown or impossible.

    Days are given under 2 years and only from a whole date; 90 stands for 90 and over.
    """
    parts = _parts(birth_date)
    if parts is None:
        return None
    year, month, day = parts
    try:
        at = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)).date()
    except OverflowError:  # a zone may carry the last day of 9999 beyond it
        return None
    years = at.year - year - ((at.month, at.day) < (month or 1, day or 1))
    if years < 0:
        return None
    if years < DAYS_SAID_BELOW_YEARS and month and day:
        return Age(years=years, days=(at - date(year, month, day)).days)
    return Age(years=min(years, AGE_YEARS_MAX))


def shift_text(text: str, shift_days: int) -> str:
    """Return a date or date-time value moved back, in the form it had; "" when it is neither."""
    if CLOCK_TEXT.fullmatch(text):
        return text
    match = TIME_TEXT.fullmatch(text.strip())
    if match is None:
        return ""
    try:
        moved = date(int(match["y"]), int(match["m"]), int(match["d"])) - timedelta(shift_days)
    except (ValueError, OverflowError):
        return ""
    dash = match["dash"]
    return f"{moved:%Y}{dash}{moved:%m}{dash}{moved:%d}{match['rest']}"


def _parts(birth_date: str) -> tuple[int, int, int] | None:
    pieces = birth_date.split("-")
    if not birth_date or len(pieces) > 3 or not all(piece.isdecimal() for piece in pieces):
        return None
    year, month, day = (*(int(piece) for piece in pieces), 0, 0)[:3]
    try:
        date(year, month or 1, day or 1)
    except ValueError:
        return None
    return year, month, day
