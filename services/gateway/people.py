"""Pure: the tokens that are one person, brought together into what a row shows.

Each token has its own date shift. A person's times are all moved to the shift of one of its tokens,
the ``display`` token, whose identity is the one that is shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from contracts.assessed import Assessment, Score
from contracts.merged import IdentityMerged
from contracts.relations import CareRelation
from contracts.reviewed import Review
from contracts.topic import DAY_MS
from services.gateway.stored import Point, score_named
from services.gateway.views import BANDS, Band

RISE_WINDOW_MS = 4 * 3_600_000
RISE_LEAST_MS = 30 * 60_000
RISE_SHOWN = 2  # NEWS2 wavers by one; two points within hours is a change
NEVER_RELATED_MS = DAY_MS

Links = Mapping[str, IdentityMerged]


@dataclass(frozen=True, slots=True)
class Related:
    """A care relation, when it was written, what changed last (``admitted``, ``transferred``) and
    when. The two times are processing time.
    """

    relation: CareRelation
    written_ms: int
    changed: str = ""
    changed_ms: int = 0


@dataclass(frozen=True, slots=True)
class Reported:
    """A current report with the processing time at which it was written."""

    assessment: Assessment
    scored_ms: int


@dataclass(slots=True)
class TokenState:
    """All that the read model has of one token."""

    related: Related | None = None
    reported: Reported | None = None
    links: IdentityMerged | None = None
    linked_ms: int = 0
    review: Review | None = None
    trail: tuple[Point, ...] = ()


@dataclass(frozen=True, slots=True)
class Person:
    """One row before anybody looks at it. Times are in the shift of ``display``."""

    id: str
    display: str
    aliases: tuple[str, ...]
    deltas: Mapping[str, int]
    related: Related | None
    reported: Reported | None
    trail: tuple[Point, ...]
    review: Review | None
    under_review: bool
    is_open: bool
    units: frozenset[str]
    staff: frozenset[str]
    seen_ms: int
    rise: int | None
    sort_key: tuple[int, int, int, int, str] = field(default=(9, 0, 0, 0, ""))

    @property
    def unit(self) -> str:
        """Return where the patient is, as far as known."""
        return self.related.relation.unit if self.related else ""

    @property
    def report_delta_ms(self) -> int:
        """Return what to add to the times of the report."""
        token = self.reported.assessment.token if self.reported else self.display
        return self.deltas.get(token, 0) * DAY_MS


def edges_of(links: Links) -> dict[str, dict[str, int]]:
    """Return for each token its neighbours with the delta: ``ours = theirs + delta`` days.

    A link counts when either end tells of it: between two records of one change both may be read.
    """
    edges: dict[str, dict[str, int]] = {}
    for token, merged in links.items():
        for link in merged.links:
            edges.setdefault(token, {})[link.other] = link.shift_delta_days
            edges.setdefault(link.other, {}).setdefault(token, -link.shift_delta_days)
    return edges


def alias_deltas(token: str, edges: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """Return every token of the person of ``token`` with the days that bring its times to it."""
    deltas = {token: 0}
    waiting = [token]
    while waiting:
        here = waiting.pop()
        for other, delta in edges.get(here, {}).items():
            if other not in deltas:
                deltas[other] = deltas[here] + delta
                waiting.append(other)
    return deltas


def person(
    token: str, edges: Mapping[str, Mapping[str, int]], states: Mapping[str, TokenState]
) -> Person:
    """Return the person that ``token`` belongs to; the same for each of its tokens."""
    deltas = alias_deltas(token, edges)
    aliases = tuple(sorted(deltas))
    held = {alias: states[alias] for alias in aliases if alias in states}
    display = _display(aliases, deltas, held)
    deltas = alias_deltas(display, edges)
    reported = _newest_report(held)
    related = held[display].related if display in held else None
    trail = _trail(held, deltas)
    rise = rise_of(trail)
    is_open = any(_is_open(state) for state in held.values())
    relations = [
        state.related.relation
        for state in held.values()
        if state.related is not None and (_is_open(state) or not is_open)
    ]
    return Person(
        id=aliases[0],
        display=display,
        aliases=aliases,
        deltas=deltas,
        related=related,
        reported=reported,
        trail=trail,
        review=_newest_review(held),
        under_review=_under_review(aliases, reported, held),
        is_open=is_open,
        units=frozenset(one.unit for one in relations),
        staff=frozenset(role.staff for one in relations for role in one.staff),
        seen_ms=max((point.scored_ms for point in trail), default=0)
        if reported is None
        else reported.scored_ms,
        rise=rise,
        sort_key=_sort_key(aliases[0], reported, rise),
    )


def on_worklist(one: Person, now_ms: int) -> bool:
    """Say whether the person is on the list: an open visit, or never a visit and seen today."""
    if one.related is not None:
        return one.is_open
    return now_ms - one.seen_ms < NEVER_RELATED_MS


def band(one: Person) -> Band:
    """Return the early-warning band of the newest report."""
    news2 = news2_of(one)
    if news2 is None or not news2.covered:
        return "unknown"
    return next((name for name in BANDS if name == news2.risk), "unknown")


def news2_of(one: Person) -> Score | None:
    """Return NEWS2 of the newest report, or None."""
    return score_named(one.reported.assessment.scores, "NEWS2") if one.reported else None


def rise_of(trail: Sequence[Point]) -> int | None:
    """Return the change of the early-warning total against some hours ago (None: nothing to
    compare with): the last point at least four hours back, else the oldest at least 30 min back.
    """
    scored = [(point.at_ms, point.total) for point in trail if point.total is not None]
    if not scored:
        return None
    newest_at, newest = scored[-1]
    old = [one for one in scored if one[0] <= newest_at - RISE_LEAST_MS]
    if not old:
        return None
    before = [total for at, total in old if at <= newest_at - RISE_WINDOW_MS]
    return newest - (before[-1] if before else old[0][1])


def _sort_key(
    name: str, reported: Reported | None, rise: int | None
) -> tuple[int, int, int, int, str]:
    if reported is None:
        return (len(BANDS), 0, 0, 0, name)
    news2 = score_named(reported.assessment.scores, "NEWS2")
    risk = news2.risk if news2 is not None and news2.covered else "unknown"
    order = BANDS.index(risk) if risk in BANDS else len(BANDS) - 1
    total = news2.total if news2 is not None and news2.total is not None else -1
    return (order, -len(reported.assessment.red_flags), -(rise or 0), -total, name)


def _display(
    aliases: Sequence[str], deltas: Mapping[str, int], held: Mapping[str, TokenState]
) -> str:
    """The token with the newest open visit, else the newest visit, else the first."""

    def rank(alias: str) -> tuple[bool, int]:
        related = held[alias].related
        if related is None:
            return (False, -(2**62))
        moved = related.relation.occurred_at_ms + deltas[alias] * DAY_MS
        return (related.relation.status == "open", moved)

    candidates = [alias for alias in aliases if alias in held and held[alias].related is not None]
    return max(candidates, key=rank) if candidates else aliases[0]


def _is_open(state: TokenState) -> bool:
    return state.related is not None and state.related.relation.status == "open"


def _newest_report(held: Mapping[str, TokenState]) -> Reported | None:
    found = [state.reported for state in held.values() if state.reported is not None]
    return max(
        found,
        key=lambda one: (one.assessment.link_version, sum(one.assessment.seen.values())),
        default=None,
    )


def _newest_review(held: Mapping[str, TokenState]) -> Review | None:
    found = [state.review for state in held.values() if state.review is not None]
    return max(found, key=lambda one: one.decided_at_ms, default=None)


def _trail(held: Mapping[str, TokenState], deltas: Mapping[str, int]) -> tuple[Point, ...]:
    if len(held) == 1:
        ((alias, state),) = held.items()
        if deltas[alias] == 0:
            return state.trail
    moved = [
        _moved(point, deltas[alias] * DAY_MS)
        for alias, state in held.items()
        for point in state.trail
    ]
    return tuple(sorted(moved, key=lambda point: (point.at_ms, point.scored_ms)))


def _moved(point: Point, delta_ms: int) -> Point:
    return Point(
        point.at_ms + delta_ms,
        point.scored_ms,
        point.offset,
        point.total,
        point.total_min,
        point.total_max,
        point.probability,
    )


def _under_review(
    aliases: tuple[str, ...], reported: Reported | None, held: Mapping[str, TokenState]
) -> bool:
    """The links are newer than the report, or it is about other identifiers than those that have
    reports now (an identifier without any fact has none, and is missed by nobody).
    """
    if reported is None:
        return False
    looked_at = {reported.assessment.token, *reported.assessment.aliases}
    with_facts = {alias for alias, state in held.items() if state.reported is not None}
    linked_ms = max((state.linked_ms for state in held.values()), default=0)
    return (
        bool(looked_at - set(aliases))
        or bool(with_facts - looked_at)
        or linked_ms > reported.scored_ms
    )
