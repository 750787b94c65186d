"""Pure: who may be told who a patient is, and how many patients in an hour.

The gateway decides the same for what it shows (services/gateway/access.py). This is the second
fence: what it is told by a gateway that was taken over is bounded here.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from contracts.reidentify import ALL_UNITS, CARING_ROLES
from contracts.relations import CareRelation

WINDOW_S = 3_600.0
VIEWERS_MAX = 20_000


def may_ask(role: str) -> bool:
    """Say whether a role is told identities at all; no role is none."""
    return role in CARING_ROLES


def is_related(relations: Iterable[CareRelation], staff: str, units: Collection[str]) -> bool:
    """Say whether one of a person's relations is in the viewer's units or care.

    ``staff`` is the viewer's staff token. How long after a discharge is for the gateway to say.
    """
    if ALL_UNITS in units:
        return True
    return any(
        (one.unit and one.unit in units) or any(role.staff == staff for role in one.staff)
        for one in relations
    )


class Lately:
    """What each viewer did in the last hour, in this process."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._seen: defaultdict[str, dict[str, float]] = defaultdict(dict)

    def of(self, viewer: str, now_s: float) -> dict[str, float]:
        """Return the things of the last hour, with the second of each."""
        seen = self._seen[viewer]
        for thing in [one for one, at_s in seen.items() if now_s - at_s >= WINDOW_S]:
            del seen[thing]
        return seen

    def add(self, viewer: str, things: Iterable[str], now_s: float) -> None:
        """Remember what was not there yet."""
        seen = self.of(viewer, now_s)
        seen.update({one: now_s for one in things if one not in seen})
        if len(self._seen) > VIEWERS_MAX:
            self._forget(now_s)

    def _forget(self, now_s: float) -> None:
        """Drop viewers who did nothing in the last hour."""
        for viewer in [one for one in self._seen if not self.of(one, now_s)]:
            del self._seen[viewer]


class Allowance:
    """How many different things each viewer asks for in an hour, in this process."""

    def __init__(self, most: int) -> None:
        """``most`` things a viewer; one asked for again within the hour counts once."""
        self._most = most
        self._lately = Lately()

    def takes(self, viewer: str, things: Sequence[str], now_s: float) -> bool:
        """Count ``things`` if all of them are within what is allowed; say whether they are."""
        if len(self._lately.of(viewer, now_s).keys() | set(things)) > self._most:
            return False
        self._lately.add(viewer, things, now_s)
        return True
