"""How long a source is usually silent at this time of day, to tell a failure from a quiet night.

Pure. For each hour of the local day, and for each of the last ``DAYS`` days, two silences are kept:
the longest that lasted *into* the hour, and the longest that *began* in it. A silence is against
the habit when it is ``TIMES`` as long as either usually is: so a feed of the day may be silent all
night, is missed when it does not begin in the morning, and within minutes when it stops at noon.

Usually: of the like days (working days, weekends; all, where there are few of them) the longest
but a tenth, so that one outage does not become the habit. A source has a habit after
``LEARN_DAYS``. The hour before counts as well for ``GRACE_S``: who begins at six may be late.
"""

from datetime import UTC, datetime, tzinfo
from typing import Final

import msgspec

TIMES: Final = 3.0
LIMIT_S_MIN: Final = 30.0
DAYS: Final = 21
LEARN_DAYS: Final = 3
KIND_DAYS_MIN: Final = 3
IGNORED_ONE_OF: Final = 10
GRACE_S: Final = 900.0
HOUR_S, DAY_S = 3_600, 86_400
THURSDAY: Final = 3  # 1970-01-01, Monday being 0
NEVER: Final = -1.0


class Day(msgspec.Struct):
    """The longest silences of one day in seconds, by local hour; ``NEVER`` where there was none."""

    into: list[float]
    began: list[float]


class Learnt(msgspec.Struct):
    """What is kept over a restart: days by their number since 1970, the last message (seconds)."""

    last_s: float
    days: dict[int, Day]


class Habit:
    """One source's. Times are seconds since 1970; ``zone`` is that of its hospital."""

    __slots__ = ("_day", "_days", "_hour", "_hour_began_s", "_hour_ends_s", "_since_s", "_zone",
                 "last_s")  # fmt: skip

    def __init__(self, started_s: float, zone: tzinfo = UTC, learnt: Learnt | None = None) -> None:
        """Start counting: while nobody listened, nobody was silent."""
        self._zone = zone
        self._since_s = started_s
        self.last_s = learnt.last_s if learnt else 0.0
        self._days = dict(learnt.days) if learnt else {}
        self._day, self._hour = Day([], []), -1
        self._hour_began_s = self._hour_ends_s = 0.0

    def came(self, now_s: float) -> None:
        """Note a message at ``now_s``; a clock that went back starts the silence anew."""
        since_s, self._since_s, self.last_s = self._since_s, now_s, now_s
        gap_s = now_s - since_s
        if since_s >= self._hour_began_s and now_s < self._hour_ends_s:
            day, hour = self._day, self._hour
            day.into[hour] = max(day.into[hour], gap_s)
            day.began[hour] = max(day.began[hour], gap_s)
        elif 0 <= gap_s <= DAYS * DAY_S:
            self._note(since_s, now_s)

    def silent_s(self, now_s: float) -> float:
        """Return for how long nothing came, since the start at most."""
        return max(0.0, now_s - self._since_s)

    def limit_s(self, now_s: float) -> float:
        """Return the silence beyond which something is wrong; 0 while no habit is known."""
        today, hour, _ = self._local(now_s)
        if not self._days or today - min(self._days) < LEARN_DAYS:
            return 0.0
        before, hour_before, _ = self._local(now_s - GRACE_S)
        began, began_hour, _ = self._local(self._since_s)
        into_s = max(
            self._usual_s(today, hour, into=True), self._usual_s(before, hour_before, into=True)
        )
        began_s = self._usual_s(began, began_hour, into=False)
        known = [one for one in (into_s, began_s) if one != NEVER]
        return max(LIMIT_S_MIN, min(known) * TIMES) if known else 0.0

    def learnt(self) -> Learnt:
        """Return what is worth keeping."""
        return Learnt(self.last_s, self._days)

    def _note(self, since_s: float, now_s: float) -> None:
        """Note a silence over the end of an hour."""
        day, hour, at_s = self._local(since_s)
        _raise(self._of(day).began, hour, now_s - since_s)
        while True:
            ends_s = at_s + HOUR_S
            _raise(self._of(day).into, hour, min(ends_s, now_s) - since_s)
            if now_s < ends_s:
                break
            day, hour, at_s = self._local(ends_s)
        self._day, self._hour = self._of(day), hour
        self._hour_began_s, self._hour_ends_s = at_s, ends_s
        for old in [one for one in self._days if one <= day - DAYS]:
            del self._days[old]

    def _of(self, day: int) -> Day:
        found = self._days.get(day)
        if found is None:
            found = self._days[day] = Day([NEVER] * 24, [NEVER] * 24)
        return found

    def _local(self, at_s: float) -> tuple[int, int, float]:
        """Return the day and the hour there, and when that hour began."""
        offset = datetime.fromtimestamp(at_s, self._zone).utcoffset()
        there_s = at_s + (offset.total_seconds() if offset else 0.0)
        day, second = divmod(there_s, DAY_S)
        hour = int(second // HOUR_S)
        return int(day), hour, at_s - (second - hour * HOUR_S)

    def _usual_s(self, day: int, hour: int, *, into: bool) -> float:
        kind = _is_weekend(day)
        alike, found = [], []
        for number, one in self._days.items():
            value = (one.into if into else one.began)[hour]
            if value == NEVER:
                continue
            found.append(value)
            if _is_weekend(number) == kind:
                alike.append(value)
        if len(alike) >= KIND_DAYS_MIN:
            found = alike
        found.sort(reverse=True)
        return found[(len(found) - 1) // IGNORED_ONE_OF] if found else NEVER


def _raise(kept: list[float], hour: int, value: float) -> None:
    kept[hour] = max(kept[hour], value)


def _is_weekend(day: int) -> bool:
    return (day + THURSDAY) % 7 >= 5
