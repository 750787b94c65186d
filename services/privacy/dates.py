"""Pure: ages made before shifting, and the times inside text values moved with the rest."""

import re
from datetime import UTC, date, datetime, timedelta

import msgspec

from contracts.deidentified import Age
from contracts.identified import IdentifiedBody
from contracts.periods import PERIOD_MS, Coarse, moved_back, period_of
from contracts.topic import DAY_MS

AGE_YEARS_MAX = 90
AGE_MS_MAX = round(AGE_YEARS_MAX * 365.25 * DAY_MS)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TIME_DROPPED = "time_dropped"  # the finding of a time that may not pass, or is in no form of one
DAYS_SAID_BELOW_YEARS = 2
_ZONE = r"(?:Z|[+-]\d{2}:?\d{2})?"
_SECONDS = r"(?::?[0-6]\d(?:\.\d{1,9})?)?"
TIME_TEXT = re.compile(
    r"(?P<y>\d{4})(?P<dash>-?)(?P<m>\d{2})(?P=dash)(?P<d>\d{2})"
    rf"(?P<rest>[T ]?(?:(?:[01]\d|2[0-3])(?::?[0-5]\d{_SECONDS})?)?{_ZONE})",
    re.ASCII,
)
CLOCK_TEXT = re.compile(rf"(?:[01]\d|2[0-3]):[0-5]\d{_SECONDS}{_ZONE}", re.ASCII)
PART_TEXT = re.compile(r"(?P<y>\d{4})(?:(?P<dash>-?)(?P<m>\d{2}))?", re.ASCII)
# Years, or months, that one alone lies before its event: neither the event's own passes nor the one
# before that (a month of the calendar, less those of a shift, may come out two earlier).
YEARS_BEFORE_MIN, MONTHS_BEFORE_MIN = 3, 4


def age_at(birth_date: str, at_ms: int) -> Age | None:
    """Return the age at ``at_ms`` from ``YYYY[-MM[-DD]]``; None when unknown or impossible.

    Days are given under 2 years and only from a whole date; 90 stands for 90 and over.
    """
    parts = _parts(birth_date)
    if parts is None:
        return None
    year, month, day = parts
    at = _day_of(at_ms)
    if at is None:
        return None
    years = at.year - year - ((at.month, at.day) < (month or 1, day or 1))
    if years < 0:
        return None
    if years < DAYS_SAID_BELOW_YEARS and month and day:
        return Age(years=years, days=(at - date(year, month, day)).days)
    return Age(years=min(years, AGE_YEARS_MAX))


def shift_text(text: str, shift_days: int) -> str:
    """Return a date or date-time value moved back, in the form it had; "" when it is neither. A
    year or a month alone is moved as such a time of a result is.
    """
    text = text.strip()
    if CLOCK_TEXT.fullmatch(text):
        return text
    match = TIME_TEXT.fullmatch(text) or PART_TEXT.fullmatch(text)
    if match is None:
        return ""
    said = match.groupdict("")
    day = said.get("d", "")
    try:
        sent = date(int(said["y"]), int(said["m"] or 1), int(day or 1))
        moved = sent - timedelta(shift_days)
    except (ValueError, OverflowError):
        return ""
    if not day:
        coarse: Coarse = "month" if said["m"] else "year"
        at_ms = (sent.toordinal() - EPOCH.toordinal()) * DAY_MS
        period = period_of(moved_back(at_ms, coarse, shift_days * DAY_MS), coarse)
        return period.replace("-", said["dash"])
    return f"{moved:%Y}{said['dash']}{moved:%m}{said['dash']}{moved:%d}{said['rest']}"


def passing(moved: str, at_ms: int) -> str:
    """Return a moved value of an event at ``at_ms``, itself moved; "" for a year or a month alone
    that is not well before it.

    No year or month begins later than the event that names it. Beside the day of the event the
    newest ones would tell how many days that was moved; of those that passed long ago none does.
    """
    match = PART_TEXT.fullmatch(moved)
    if match is None:
        return moved
    at = _day_of(at_ms)
    if at is None:
        return ""
    before, least = at.year - int(match["y"]), YEARS_BEFORE_MIN
    if match["m"]:
        before, least = 12 * before + at.month - int(match["m"]), MONTHS_BEFORE_MIN
    return moved if before >= least else ""


def moved_period(
    at_ms: int | None, coarse: Coarse, event_ms: int, shift_ms: int
) -> tuple[int | None, Coarse]:
    """Return a year or a month, beginning at ``at_ms``, moved back, for an event at ``event_ms``.

    None, and "unknown", for one whose name would not pass (``passing``) and one that tells an age
    over 89.
    """
    if at_ms is None:
        return None, ""
    if coarse == "unknown":
        return None, coarse
    moved_ms, moved_event_ms = moved_back(at_ms, coarse, shift_ms), event_ms - shift_ms
    first_ms = moved_ms - PERIOD_MS[coarse] // 2
    is_old = moved_event_ms - first_ms >= AGE_MS_MAX
    if is_old or not passing(period_of(moved_ms, coarse), moved_event_ms):
        return None, "unknown"
    return moved_ms, coarse


def dated(body: IdentifiedBody) -> IdentifiedBody:
    """Return an event with the time of its receipt where its own is a year or a month alone."""
    if body.occurred_precision not in {"year", "month"}:
        return body
    return msgspec.structs.replace(
        body, occurred_at_ms=body.received_at_ms, occurred_precision="unknown"
    )


def _day_of(at_ms: int) -> date | None:
    try:
        return (EPOCH + timedelta(milliseconds=at_ms)).date()
    except OverflowError:  # a zone may carry the last day of 9999 beyond it
        return None


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
