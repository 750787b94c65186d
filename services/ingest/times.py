"""HL7 times (TS, DTM, DT) to milliseconds since 1970 UTC, with their precision and zone."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from contracts.clinical import Precision, Zone
from contracts.periods import Coarse
from plumbing.remembering import CHARS_MAX, remembered

PRECISIONS: Final[dict[int, Precision]] = {
    4: "year",
    6: "month",
    8: "day",
    10: "hour",
    12: "minute",
    14: "second",
}
Find = Callable[[str, str, str], None]  # of a draft: where, code, text
COARSE: Final[dict[str, Coarse]] = {"year": "year", "month": "month"}
EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
# Where month, day, hour, minute and second stand, and what each is when left out.
PARTS_AFTER_YEAR: Final = ((4, 1), (6, 1), (8, 0), (10, 0), (12, 0))
TIME_SIGNS: Final = ".:+- \t"
CLOCK: Final = re.compile(
    r"([01]\d|2[0-3])([0-5]\d)(?:([0-5]\d)(\.\d{1,9})?)?([+-]\d{4})?", re.ASCII
)
CACHED_TIMES: Final = 8192
CACHED_MONTHS: Final = 4096
DAYS: Final = frozenset([f"{day:02}" for day in range(1, 29)])  # of any month
_months: Final[dict[str, str]] = {}


class Moment:
    """A point in time; ``zone`` says whether the sender gave the offset or the source's is used.

    ``coarse`` says that it is the beginning of a year or a month, of which no more was sent.
    """

    __slots__ = ("coarse", "ms", "precision", "zone")

    def __init__(self, ms: int, precision: Precision, zone: Zone) -> None:
        """Take milliseconds since 1970 UTC."""
        self.ms = ms
        self.precision: Precision = precision
        self.coarse: Coarse = COARSE.get(precision, "")
        self.zone: Zone = zone


def ms_of(moment: Moment | None) -> int | None:
    """Return the milliseconds of a time that may be missing."""
    return None if moment is None else moment.ms


def day_ms(moment: Moment | None, where: str, find: Find) -> int | None:
    """Return the milliseconds of a time; a year or a month alone is noted and no time."""
    if moment is not None and moment.coarse:
        find(where, "time_coarse", "a year or a month alone is not taken here")
        return None
    return ms_of(moment)


def coarse_of(moment: Moment | None) -> Coarse:
    """Return what stands beside these milliseconds."""
    return "" if moment is None else moment.coarse


class ReadTime:
    """Reads times that lie in one zone when they carry no offset."""

    __slots__ = ("_kept", "_local")

    def __init__(self, local: tzinfo) -> None:
        """Start with nothing read."""
        self._local = local
        self._kept: dict[str, Moment | None] = {}

    def read(self, raw: str) -> Moment | None:
        """Return the moment of the first component of a time, or None when it is not one."""
        found = self._kept.get(raw)
        if found is None and raw not in self._kept:  # None is kept of what is no time
            found = _moment(_first(raw), self._local)
            if len(raw) > CHARS_MAX:
                return found
            if len(self._kept) >= CACHED_TIMES:
                self._kept.clear()
            self._kept[raw] = found
        return found


def _first(raw: str) -> str:
    """Return the first component of a time: all that a time has no part in, whatever sign a sender
    has chosen for its components (MSH-2).
    """
    for at, sign in enumerate(raw):
        if not (sign.isalnum() or sign in TIME_SIGNS):
            return raw[:at].strip()
    return raw.strip()


def clock_of(raw: str) -> str:
    """Return a time of day (TM) with colons, by which it is no year and no month; else as sent."""
    found = CLOCK.fullmatch(raw.strip())
    if found is None:
        return raw
    hour, minute, second, fraction, offset = found.groups(default="")
    zone = f"{offset[:3]}:{offset[3:]}" if offset else ""
    return f"{hour}:{minute}{':' if second else ''}{second}{fraction}{zone}"


def reader_of(zone: str) -> ReadTime:
    """Return a reader of times that lie in ``zone`` (IANA name) when they carry no offset."""
    found = _readers.get(zone)
    if found is None:
        found = _readers[zone] = ReadTime(UTC if zone == "UTC" else ZoneInfo(zone))
    return found


# By zone: there are no more than the configuration names.
_readers: Final[dict[str, ReadTime]] = {}


def _moment(raw: str, local: tzinfo) -> Moment | None:
    digits, offset, fraction = raw, "", ""
    if not (raw.isascii() and raw.isdigit()):
        digits, offset = _without_offset(raw)
        digits, _, fraction = digits.partition(".")
        if not (digits.isascii() and digits.isdigit()):
            return None
    digits = digits[:14]
    precision = PRECISIONS.get(len(digits))
    if precision is None:
        return None
    try:
        seconds = _seconds(digits)
        if offset:
            seconds -= _offset_s(offset)
        elif local is not UTC:
            seconds -= _ahead_s(digits, local)
        ms = seconds * 1000 + (_milliseconds(fraction) if fraction else 0)
    except ValueError:
        return None
    return Moment(ms, precision, "sent" if offset else "assumed")


def _seconds(digits: str) -> int:
    """Return the seconds since 1970 that a clock without a zone shows; ``ValueError`` if none."""
    seconds = (_day(digits[:8]) - EPOCH_DAY) * 86_400
    if len(digits) > 8:
        hour, minute = int(digits[8:10]), int(digits[10:12] or 0)
        second = int(digits[12:14] or 0)
        if hour > 23 or minute > 59 or second > 59:
            raise ValueError
        seconds += hour * 3_600 + minute * 60 + second
    return seconds


@lru_cache(maxsize=1024)
def _day(digits: str) -> int:
    return date(int(digits[:4]), int(digits[4:6] or 1), int(digits[6:8] or 1)).toordinal()


def _ahead_s(digits: str, local: tzinfo) -> int:
    parts = [int(digits[at : at + 2] or least) for at, least in PARTS_AFTER_YEAR]
    month, day, hour, minute, second = parts
    at = datetime(int(digits[:4]), month, day, hour, minute, second, tzinfo=local)
    ahead = at.utcoffset()
    return int(ahead.total_seconds()) if ahead else 0


def _without_offset(raw: str) -> tuple[str, str]:
    for sign in "+-":
        at = raw.find(sign, 4)
        if at > 0:
            return raw[:at], raw[at:]
    if raw.endswith("Z"):
        return raw[:-1], "+0000"
    return raw, ""


@remembered(256)
def _offset_s(offset: str) -> int:
    digits = offset[1:].replace(":", "").ljust(4, "0")
    if not (digits.isascii() and digits.isdigit() and len(digits) == 4):
        raise ValueError
    hours, minutes = int(digits[:2]), int(digits[2:])
    if hours > 23 or minutes > 59:
        raise ValueError
    return (hours * 3_600 + minutes * 60) * (-1 if offset[0] == "-" else 1)


def _milliseconds(fraction: str) -> int:
    if not fraction:
        return 0
    if not (fraction.isascii() and fraction.isdigit()):
        raise ValueError
    return int(fraction[:3].ljust(3, "0"))


def birth_date_of(raw: str) -> tuple[str, bool]:
    """Return PID-7 as ``YYYY[-MM[-DD]]``, cut to what is a date, and whether nothing was cut."""
    digits = raw.strip()[:8]
    if len(digits) == 8 and digits.isascii() and digits.isdigit():
        month, day = digits[:6], digits[6:]
        written = _months.get(month)
        if written is None:
            written = _written_month(month)
        if written and (day in DAYS or _is_date(digits)):
            return written + day, True
    for size, shape in ((8, "{}-{}-{}"), (6, "{}-{}"), (4, "{}")):
        part = digits[:size]
        if len(part) == size and _moment(part, UTC) is not None:
            whole = len(digits) == size or size == 8
            return shape.format(part[:4], part[4:6], part[6:8]), whole
    return "", not digits


def _written_month(digits: str) -> str:
    """Return the beginning of the dates of a month (``YYYY-MM-``), empty where it is none."""
    year, month = digits[:4], digits[4:]
    if len(_months) >= CACHED_MONTHS:
        _months.clear()
    is_month = "01" <= month <= "12" and year != "0000"  # of one length they compare as numbers do
    written = _months[digits] = f"{year}-{month}-" if is_month else ""
    return written


def _is_date(digits: str) -> bool:
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return True
