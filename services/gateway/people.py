"""Pure: the tokens that are one person, brought together into what a row shows.

Each token has its own date shift. A person's times are all moved to the shift of one of its tokens,
the ``display`` token, whose identity is the one that is shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from contracts.assessed import Assessment, Score
from contracts.merged import IdentityMerged
from contracts.relations import CareRelation
from contracts.reviewed import Review
from contracts.topic import DAY_MS
from services.gateway.aliases import alias_deltas
from services.gateway.standing import rise_of, standing
from services.gateway.stored import Point, point, score_named
from services.gateway.views import BANDS, Band

NEVER_RELATED_MS = DAY_MS
# A visit often begins before the ward's: a score of the emergency department still counts.
BEFORE_VISIT_MS = DAY_MS
# How long a fact may still move a result: 48 h of a stay, and 12 h of looking back from there.
APART_MS = 60 * 3_600_000


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
    """All that the read model has of one token. ``trail`` are its results of the last hours,
    ``earlier`` some before those, when the newest of ``trail`` leaves the score open.
    """

    related: Related | None = None
    reported: Reported | None = None
    links: IdentityMerged | None = None
    linked_ms: int = 0
    review: Review | None = None
    trail: tuple[Point, ...] = ()
    earlier: tuple[Point, ...] = ()


@dataclass(frozen=True, slots=True)
class Person:
    """One row before anybody looks at it. Times are in the shift of ``display``.

    ``score`` is the early-warning score that stands: that of the report, or an earlier one
    (``overdue``) while the report knows too little to take its place. ``trail`` are results that
    ``score`` may be compared with: none while several identifiers have results of late, because
    each is over one identifier's facts and the report over all.
    """

    id: str
    display: str
    aliases: tuple[str, ...]
    deltas: Mapping[str, int]
    related: Related | None
    reported: Reported | None
    trail: tuple[Point, ...]
    score: Point | None
    overdue: bool
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
    moved = {alias: _moved(state, deltas[alias]) for alias, state in held.items()}
    now = _now(reported, deltas)
    score = _score(now, moved, related) if now and _in_scope(reported) else None
    overdue = score is not None and score is not now
    trail = _comparable_trail(moved)
    rise = rise_of(trail, score) if score and not overdue else None
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
        score=score,
        overdue=overdue,
        review=_newest_review(held),
        under_review=_under_review(aliases, reported, held),
        is_open=is_open,
        units=frozenset(one.unit for one in relations),
        staff=frozenset(role.staff for one in relations for role in one.staff),
        seen_ms=_seen_ms(held, reported),
        rise=rise,
        sort_key=_sort_key(aliases[0], now, score, rise),
    )


def on_worklist(one: Person, now_ms: int) -> bool:
    """Say whether the person is on the list: an open visit, or never a visit and seen today."""
    if one.related is not None:
        return one.is_open
    return now_ms - one.seen_ms < NEVER_RELATED_MS


def band(one: Person) -> Band:
    """Return the band of the early-warning score that stands."""
    return BANDS[one.score.band] if one.score else "unknown"


def news2_of(one: Person) -> Score | None:
    """Return NEWS2 of the newest report, or None."""
    return score_named(one.reported.assessment.scores, "NEWS2") if one.reported else None


def _sort_key(
    name: str, now: Point | None, score: Point | None, rise: int | None
) -> tuple[int, int, int, int, str]:
    if now is None:
        return (len(BANDS), 0, 0, 0, name)
    if score is None:
        return (BANDS.index("unknown"), -now.flags, 0, 1, name)
    total = -1 if score.total is None else score.total
    return (score.band, -max(score.flags, now.flags), -(rise or 0), -total, name)


def _now(reported: Reported | None, deltas: Mapping[str, int]) -> Point | None:
    """The newest report as a point, in the shift of the display token."""
    if reported is None:
        return None
    report = reported.assessment
    delta_ms = deltas.get(report.token, 0) * DAY_MS
    found = point(report, reported.scored_ms, report.offset)
    return msgspec.structs.replace(found, at_ms=found.at_ms + delta_ms)


def _in_scope(reported: Reported | None) -> bool:
    """Whether NEWS2 is for this patient: a score from before that was known does not stand."""
    news2 = score_named(reported.assessment.scores, "NEWS2") if reported else None
    return news2 is None or news2.covered


def _score(
    now: Point, moved: Mapping[str, Sequence[Point]], related: Related | None
) -> Point | None:
    """The score that stands, of those of this visit up to the report."""
    began_ms = related.relation.from_ms if related else None
    since_ms = -(2**62) if began_ms is None else began_ms - BEFORE_VISIT_MS
    before = sorted(
        (one for points in moved.values() for one in points if since_ms <= one.at_ms <= now.at_ms),
        key=lambda one: (one.at_ms, one.scored_ms),
    )
    return standing((*before, now))


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


def _moved(state: TokenState, delta_days: int) -> tuple[Point, ...]:
    """The results of a token, by time, moved by ``delta_days``."""
    points = (*state.earlier, *state.trail)
    if not delta_days:
        return points
    delta_ms = delta_days * DAY_MS
    return tuple(msgspec.structs.replace(one, at_ms=one.at_ms + delta_ms) for one in points)


def _comparable_trail(moved: Mapping[str, tuple[Point, ...]]) -> tuple[Point, ...]:
    """The results of the identifier that has the newest, unless another has some of late."""
    scored = [points for points in moved.values() if any(map(_is_scored, points))]
    newest = [max(one.at_ms for one in points if _is_scored(one)) for points in scored]
    if not scored or sum(at_ms > max(newest) - APART_MS for at_ms in newest) > 1:
        return ()
    return scored[newest.index(max(newest))]


def _is_scored(one: Point) -> bool:
    return one.parts > 0 or one.probability is not None


def _seen_ms(held: Mapping[str, TokenState], reported: Reported | None) -> int:
    if reported is not None:
        return reported.scored_ms
    return max((one.scored_ms for state in held.values() for one in state.trail), default=0)


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
