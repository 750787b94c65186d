"""The only place that reads the time; everything else is handed a ``Clock``."""

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Protocol


def utc_date(now_ms: int) -> date:
    """Return the day of a time, milliseconds since 1970 UTC."""
    return datetime.fromtimestamp(now_ms / 1000, UTC).date()


class Clock(Protocol):
    """Wall time for records and people, monotonic time for durations."""

    def now_ms(self) -> int:
        """Return milliseconds since 1970 UTC."""

    def monotonic_s(self) -> float:
        """Return seconds that never jump."""


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        """Return milliseconds since 1970 UTC."""
        return time.time_ns() // 1_000_000

    def monotonic_s(self) -> float:
        """Return seconds that never jump."""
        return time.monotonic()


@dataclass
class ManualClock:
    """A clock that a test moves."""

    wall_ms: int = 1_700_000_000_000
    steady_s: float = 0.0

    def now_ms(self) -> int:
        """Return the time that was set."""
        return self.wall_ms

    def monotonic_s(self) -> float:
        """Return the time that was set."""
        return self.steady_s

    def advance(self, seconds: float) -> None:
        """Move both clocks."""
        self.wall_ms += round(seconds * 1000)
        self.steady_s += seconds
