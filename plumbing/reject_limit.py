"""A dead letter has a limit: a source that is mostly refused is a fault, not bad luck."""

from collections.abc import Mapping
from dataclasses import dataclass, field

WINDOW_MAX = 10_000


@dataclass
class RejectLimit:
    """Counts per source; beyond ``ratio_max`` of at least ``of_at_least`` records it is exceeded.

    The counts are halved at ``WINDOW_MAX`` records, so a long good past does not hide a bad hour.
    """

    ratio_max: float = 0.05
    of_at_least: int = 200
    _seen: dict[str, int] = field(default_factory=dict)
    _refused: dict[str, int] = field(default_factory=dict)

    def exceeded(self, seen: Mapping[str, int], refused: Mapping[str, int]) -> bool:
        """Return whether some source is beyond the limit with these counted in; counts nothing."""
        return any(self._beyond(source, seen.get(source, 0), n) for source, n in refused.items())

    def count(self, seen: Mapping[str, int], refused: Mapping[str, int]) -> None:
        """Add a batch that is done."""
        for source, number in seen.items():
            self._seen[source] = self._seen.get(source, 0) + number
            self._refused[source] = self._refused.get(source, 0) + refused.get(source, 0)
            if self._seen[source] >= WINDOW_MAX:
                self._seen[source] //= 2
                self._refused[source] //= 2

    def _beyond(self, source: str, seen: int, refused: int) -> bool:
        total = self._seen.get(source, 0) + seen
        bad = self._refused.get(source, 0) + refused
        return total >= self.of_at_least and bad > self.ratio_max * total
