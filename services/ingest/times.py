"""HL7 times (TS, DTM, DT) to milliseconds since 1970 UTC, with their precision and zone."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from contracts.clinical import Precision, Zone

PRECISIONS: dict[int, Precision] = {
    4: "year",
    6: "month",
    8: "day",
    10: "minute",
    12: "minute",
    14: "second",
}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
CACHED_TIMES = 8192


class Moment(NamedTuple):
    """A point in time; ``zone`` says whether the sender gave the offset or the source's is used."""

    ms: int
    precision: Precision
    zone: Zone


ReadTime = Callable[[str], "Moment | None"]


@lru_cache(maxsize=64)
def reader_of(zone: str) -> ReadTime:
    """Return a reader of times that lie in ``zone`` (IANA name) when they carry no offset."""
    local: tzinfo = UTC if zone == "UTC" else ZoneInfo(zone)

    @lru_cache(maxsize=CACHED_TIMES)
    def read_time(raw: str) -> Moment | None:
        """Return the moment of the first component of a time, or None when it is not one."""
        return _moment(raw.partition("^")[0].strip(), local)

    return read_time


def _moment(raw: str, local: tzinfo) -> Moment | None:
    digits, offset = _without_offset(raw)
    digits, _, fraction = digits.partition(".")
    if not (digits.isascii() and digits.isdigit()):
        return None
    digits = digits[:14]
    precision = PRECISIONS.get(len(digits))
    if precision is None:
        return None
    try:
        zone = _fixed(offset) if offset else local
        at = datetime(
            int(digits[:4]),
            int(digits[4:6] or 1),
            int(digits[6:8] or 1),
            int(digits[8:10] or 0),
            int(digits[10:12] or 0),
            int(digits[12:14] or 0),
            _microseconds(fraction),
            tzinfo=zone,
        )
        return Moment((at - EPOCH) // MILLISECOND, precision, "sent" if offset else "assumed")
    except (ValueError, OverflowError):
        return None


def _without_offset(raw: str) -> tuple[str, str]:
    for sign in "+-":
        at = raw.find(sign, 4)
        if at > 0:
            return raw[:at], raw[at:]
    if raw.endswith("Z"):
        return raw[:-1], "+0000"
    return raw, ""


def _fixed(offset: str) -> tzinfo:
    digits = offset[1:].replace(":", "").ljust(4, "0")
    if not (digits.isascii() and digits.isdigit() and len(digits) == 4):
        raise ValueError
    ahead = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-ahead if offset[0] == "-" else ahead)


def _microseconds(fraction: str) -> int:
    if fraction and not (fraction.isascii() and fraction.isdigit()):
        raise ValueError
    return int(fraction[:6].ljust(6, "0")) if fraction else 0


def birth_date_of(raw: str) -> tuple[str, bool]:
    """Return PID-7 as ``YYYY[-MM[-DD]]``, cut to what is a date, and whether nothing was cut."""
    digits = raw.strip()[:8]
    for size, shape in ((8, "{}-{}-{}"), (6, "{}-{}"), (4, "{}")):
        part = digits[:size]
        if len(part) == size and _moment(part, UTC) is not None:
            whole = len(digits) == size or size == 8
            return shape.format(part[:4], part[4:6], part[6:8]), whole
    return "", not digits
