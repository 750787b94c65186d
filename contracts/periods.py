"""Times that were sent as a year or a month alone: moved by whole periods, told as what they are.

A day that stands for a period tells, once it is moved by days, how many they were: all of one
person's would fall on one day of the year. So a period moves back by as many whole ones as the
shift has begun, always one year or 1 to 12 months, and a time that stands for it is its middle.
Periods are of the calendar's mean length, and begin within three days of the calendar's (a test
tries all). So whoever moves a middle forth by the days of the shift, in the frame of whichever
identifier, is nearest to the beginning of the period that was sent.
"""

from typing import Final, Literal

# "": a day or finer. "unknown": so near its event that the period would tell the shift.
Coarse = Literal["", "year", "month", "unknown"]
PERIOD_MS: Final[dict[str, int]] = {"year": 31_556_952_000, "month": 2_629_746_000}
FIRST_YEAR: Final = 1970


def moved_back(at_ms: int, coarse: Coarse, shift_ms: int) -> int:
    """Return the middle of the period that begins at ``at_ms``, in whatever zone, moved back."""
    length_ms = PERIOD_MS[coarse]
    begun = -(-shift_ms // length_ms)
    return (_nearest(at_ms, length_ms) - begun) * length_ms + length_ms // 2


def period_of(middle_ms: int, coarse: Coarse) -> str:
    """Return the name of a period by its middle, ``YYYY`` or ``YYYY-MM``."""
    return _name(middle_ms // PERIOD_MS[coarse], coarse)


def period_sent(at_ms: int | None, coarse: Coarse) -> str:
    """Return the name of the period that was sent, from its middle moved back and, by the days of
    the shift, forth again; "" of a time that is none, or is not known.

    >>> moved = moved_back(1_551_398_400_000, "month", 200 * 86_400_000)  # the first of March
    >>> period_of(moved, "month"), period_sent(moved + 200 * 86_400_000, "month")
    ('2018-08', '2019-03')
    """
    length_ms = PERIOD_MS.get(coarse)
    if at_ms is None or length_ms is None:
        return ""
    return _name(_nearest(at_ms, length_ms), coarse)


def _nearest(at_ms: int, length_ms: int) -> int:
    return (at_ms + length_ms // 2) // length_ms


def _name(place: int, coarse: Coarse) -> str:
    if coarse == "year":
        return f"{FIRST_YEAR + place:04}"
    return f"{FIRST_YEAR + place // 12:04}-{place % 12 + 1:02}"
