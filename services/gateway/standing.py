"""Pure: which of a person's early-warning scores stands, and what it may be compared with.

A total over few inputs is low because little is known, not because the patient is well. So a newer
score takes the place of an older one only when it cannot hide that the patient is as ill as then;
until such a score comes the older one stands, with its age.
"""

from collections.abc import Iterable, Sequence

from services.gateway.stored import ALL_PARTS, Point
from services.gateway.views import BANDS

RISE_WINDOW_MS = 4 * 3_600_000
RISE_LEAST_MS = 30 * 60_000
COMPARED_MS = 13 * 3_600_000
RISE_SHOWN = 2  # NEWS2 wavers by one; two points within hours is a change
# The bands by total alone (Royal College of Physicians 2017), for the worst that may be missing.
HIGH, MEDIUM, LOW_MEDIUM = (BANDS.index(band) for band in ("high", "medium", "low-medium"))
HIGH_MIN, MEDIUM_MIN = 7, 5


def standing(points: Iterable[Point]) -> Point | None:
    """Return the last of ``points`` (by time) that stands, None when none says anything."""
    found: Point | None = None
    for point in points:
        if says_something(point) and (found is None or settles(point, found)):
            found = point
    return found


def settles(newer: Point, older: Point) -> bool:
    """Say whether ``newer`` takes the place of ``older``: it is as bad or worse by what is known,
    knows every part that was known then, or is better whatever its missing parts are.
    """
    return (
        newer.band <= older.band
        or older.parts & ~newer.parts == 0
        or _band_at_worst(newer) > older.band
    )


def says_something(point: Point) -> bool:
    """Say whether at least one part of the score is known."""
    return point.total is not None and point.parts > 0


def comparable(points: Iterable[Point], to: Point) -> list[Point]:
    """Return those of ``points`` that make a trend with ``to``: with the same parts, and not from
    more than 13 hours before.
    """
    since_ms = to.at_ms - COMPARED_MS
    return [
        one
        for one in points
        if says_something(one) and one.parts == to.parts and one.at_ms > since_ms
    ]


def rise_of(points: Sequence[Point], newest: Point) -> int | None:
    """Return the change of the early-warning total up to ``newest`` against some hours before
    (None: nothing to compare with): the last point at least four hours back, else the oldest at
    least 30 min back.
    """
    if newest.total is None:
        return None
    old = [
        (one.at_ms, one.total)
        for one in comparable(points, newest)
        if one.total is not None and one.at_ms <= newest.at_ms - RISE_LEAST_MS
    ]
    if not old:
        return None
    before = [total for at, total in old if at <= newest.at_ms - RISE_WINDOW_MS]
    return newest.total - (before[-1] if before else old[0][1])


def _band_at_worst(point: Point) -> int:
    """The band if every missing part were at its most; any of them alone may score 3."""
    if point.parts == ALL_PARTS:
        return point.band
    worst = point.total_max or 0
    if worst >= HIGH_MIN:
        return HIGH
    return MEDIUM if worst >= MEDIUM_MIN else min(point.band, LOW_MEDIUM)
