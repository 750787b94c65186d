"""How long a source is usually silent, to tell a longer silence from a quiet night. Pure.

The longest gap of late between two messages, which fades by half in a day. The limit is three times
that, at least a minute. A gap beyond the limit moves it only by a third, so that one outage does
not become the habit. A source has a habit after ``MESSAGES_MIN`` messages.
"""

MESSAGES_MIN = 100
TIMES = 3.0
LIMIT_S_MIN = 60.0
GAP_S_MIN = LIMIT_S_MIN / TIMES
HALF_LIFE_S = 86_400.0
GROWTH_MAX = 4 / 3


class Habit:
    """One source's."""

    __slots__ = ("_gap_s", "_last_s", "_messages")

    def __init__(self) -> None:
        """Start without one."""
        self._gap_s = GAP_S_MIN
        self._last_s: float | None = None
        self._messages = 0

    @property
    def limit_s(self) -> float:
        """Return the silence in seconds beyond which something is wrong; 0 while not known."""
        return self._gap_s * TIMES if self._messages >= MESSAGES_MIN else 0.0

    def came(self, now_s: float) -> None:
        """Note a message at ``now_s`` (any clock that does not jump)."""
        last_s, self._last_s = self._last_s, now_s
        self._messages += 1
        if last_s is None:
            return
        gap_s = now_s - last_s
        if gap_s > 0:
            self._gap_s = max(GAP_S_MIN, self._gap_s * 0.5 ** (gap_s / HALF_LIFE_S))
        if gap_s > self._gap_s:
            known = self._messages > MESSAGES_MIN
            is_outage = known and gap_s > self._gap_s * TIMES
            self._gap_s = self._gap_s * GROWTH_MAX if is_outage else gap_s
