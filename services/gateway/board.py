"""The worklist in memory: each person once, sorted for each viewer, with what left which list.

No Redis and no clock in here: ``follower.py`` brings the states, the time comes as an argument.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.gateway.aliases import edges_of
from services.gateway.people import Person, TokenState, on_worklist, person

SORTED_LISTS_MAX = 256
PLACES_MAX = 16

Place = tuple[frozenset[str], frozenset[str]]  # units, staff


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose list: the units (None: all) and the staff token of the viewer, one unit if asked."""

    units: frozenset[str] | None
    staff: str
    unit: str | None = None

    def holds(self, place: Place) -> bool:
        """Say whether a person at ``place`` is in the viewer's units or care."""
        units, staff = place
        if self.unit is not None and self.unit not in units:
            return False
        return (
            self.units is None
            or not self.units.isdisjoint(units)
            or bool(self.staff and self.staff in staff)
        )


@dataclass(frozen=True, slots=True)
class _Entry:
    """A person (None: merged into another row) with the version of the last change, and the places
    they were in so far, the present one last.
    """

    person: Person | None
    version: int
    places: tuple[Place, ...]


class Board:
    """All persons, by id. ``serial`` grows with every change of anything shown."""

    def __init__(self) -> None:
        """Start empty."""
        self.states: dict[str, TokenState] = {}
        self.serial = 0
        self._edges: dict[str, dict[str, int]] = {}
        self._id_of: dict[str, str] = {}
        self._entries: dict[str, _Entry] = {}
        self._lists: dict[Scope, tuple[Person, ...]] = {}

    def find(self, token: str) -> Person | None:
        """Return the person that has ``token`` (any of theirs), or None."""
        entry = self._entries.get(self._id_of.get(token, ""))
        return entry.person if entry else None

    def listed(self, scope: Scope, now_ms: int) -> tuple[Person, ...]:
        """Return the persons of a scope's worklist, the sickest first."""
        found = self._lists.get(scope)
        if found is None:
            people = (entry.person for entry in self._entries.values())
            chosen = [
                one
                for one in people
                if one is not None and scope.holds(place_of(one)) and on_worklist(one, now_ms)
            ]
            found = tuple(sorted(chosen, key=lambda one: one.sort_key))
            if len(self._lists) >= SORTED_LISTS_MAX:
                self._lists.clear()
            self._lists[scope] = found
        return found

    def changed_since(self, scope: Scope, version: int, now_ms: int) -> tuple[set[str], set[str]]:
        """Return the ids that changed after ``version``: those on the scope's list, and those that
        were in the scope at some time and are not on its list.
        """
        here = {one.id for one in self.listed(scope, now_ms)}
        changed, gone = set(), set()
        for name, entry in self._entries.items():
            if entry.version <= version:
                continue
            if name in here:
                changed.add(name)
            elif any(scope.holds(place) for place in entry.places):
                gone.add(name)
        return changed, gone

    def replace(self, states: dict[str, TokenState], version: int) -> None:
        """Take over all states at once; only persons that differ count as changed."""
        tokens = set(states) | set(self._id_of)
        self.states = states
        self._relink()
        self._place(tokens, version)

    def update(self, tokens: set[str], relinked: set[str], version: int) -> set[str]:
        """Bring the persons of ``tokens`` together anew, whose states were changed in place;
        ``relinked`` are those whose links changed. Return all tokens that were looked at.
        """
        if relinked:
            tokens |= {other for token in relinked for other in self._aliases(token)}
            self._relink()
        self._place(tokens, version)
        return tokens

    def touch(self) -> None:
        """Forget the sorted lists: something they depend on changed."""
        self.serial += 1
        self._lists.clear()

    def _relink(self) -> None:
        links = {token: one.links for token, one in self.states.items() if one.links is not None}
        self._edges = edges_of(links)

    def _aliases(self, token: str) -> tuple[str, ...]:
        known = self.find(token)
        return known.aliases if known else (token,)

    def _place(self, tokens: Iterable[str], version: int) -> None:
        waiting = set(tokens)
        while waiting:
            built = person(waiting.pop(), self._edges, self.states)
            former = {self._id_of[alias] for alias in built.aliases if alias in self._id_of}
            before = {name: self._entries[name] for name in former}
            waiting -= set(built.aliases)
            if former == {built.id} and before[built.id].person == built:
                continue
            for entry in before.values():
                # Tokens that were with these and are no more: persons of their own now.
                if entry.person is not None:
                    waiting |= set(entry.person.aliases) - set(built.aliases)
            self._enter(built, before, version)
        self.touch()

    def _enter(self, built: Person, before: Mapping[str, _Entry], version: int) -> None:
        here = place_of(built)
        places = [place for entry in before.values() for place in entry.places]
        self._entries[built.id] = _Entry(built, version, _with(places, here))
        for name, entry in before.items():
            if name != built.id and name in built.aliases:
                self._entries[name] = _Entry(None, version, entry.places)
        for alias in built.aliases:
            self._id_of[alias] = built.id


def place_of(one: Person) -> Place:
    """Return where a person is and with whom."""
    return (one.units, one.staff)


def _with(places: Sequence[Place], here: Place) -> tuple[Place, ...]:
    former = [place for place in dict.fromkeys(places) if place != here]
    return (*former[-PLACES_MAX:], here)
