"""A dead letter has a limit: a source that is mostly refused is a fault, not bad luck."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

WINDOW_MAX = 10_000
SOURCES_MAX = 1_000


@dataclass
class RejectLimit:
    """Counts per source; beyond ``ratio_max`` of at least ``of_at_least`` records it is exceeded.

    The counts are halved at ``WINDOW_MAX`` records, so a long good past does not hide a bad hour.
    Only the ``SOURCES_MAX`` sources seen last are counted, and as many can be paused.
    """

    ratio_max: float = 0.05
    of_at_least: int = 200
    _counts: OrderedDict[str, tuple[int, int]] = field(default_factory=OrderedDict)
    _paused: set[str] = field(default_factory=set)

    @property
    def paused(self) -> frozenset[str] | set[str]:
        """Return the sources whose records are set aside until the process ends."""
        return self._paused

    def exceeded(self, seen: Mapping[str, int], refused: Mapping[str, int]) -> set[str]:
        """Return the sources beyond the limit with these counted in; counts nothing."""
        return {name for name, n in refused.items() if self._beyond(name, seen.get(name, 0), n)}

    def count(self, seen: Mapping[str, int], refused: Mapping[str, int]) -> None:
        """Add a batch that is done."""
        for source, number in seen.items():
            total, bad = self._counts.pop(source, (0, 0))
            total, bad = total + number, bad + refused.get(source, 0)
            if total >= WINDOW_MAX:
                total, bad = total // 2, bad // 2
            self._counts[source] = total, bad
        while len(self._counts) > SOURCES_MAX:
            self._counts.popitem(last=False)

    def pause(self, sources: set[str]) -> bool:
        """Pause them; False, and none paused, when that would be more than ``SOURCES_MAX``."""
        if len(self._paused | sources) > SOURCES_MAX:
            return False
        self._paused |= sources
        return True

    def _beyond(self, source: str, seen: int, refused: int) -> bool:
        total, bad = self._counts.get(source, (0, 0))
        total, bad = total + seen, bad + refused
        return total >= self.of_at_least and bad > self.ratio_max * total
