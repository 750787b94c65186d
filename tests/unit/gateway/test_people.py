"""Tokens that are one person: the same however they are brought together."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.assessed import Score
from contracts.merged import IdentityMerged, TokenLink
from contracts.topic import DAY_MS
from services.gateway.aliases import alias_deltas, edges_of
from services.gateway.board import Board, Scope
from services.gateway.people import (
    Person,
    Related,
    Reported,
    TokenState,
    band,
    on_worklist,
    person,
)
from services.gateway.standing import rise_of, standing
from services.gateway.stored import ALL_PARTS, NEWS2_PARTS, Point, point
from services.gateway.views import BANDS, Band
from tests.support.gateway_world import HOUR_MS, NOON_MS, a_link, a_relation, an_assessment

EVERYWHERE = Scope(units=None, staff="")


PULSE = 1 << NEWS2_PARTS.index("pulse")
TEMPERATURE = 1 << NEWS2_PARTS.index("temp_c")


def a_point(
    at_ms: int,
    total: int | None = 3,
    *,
    parts: int = ALL_PARTS,
    at_most: int | None = None,
    band: Band = "low",
) -> Point:
    total_max = total if at_most is None else at_most
    return Point(at_ms, NOON_MS, 0, total, total, total_max, None, parts, BANDS.index(band))


def a_state(token: str, *, unit: str = "W1", total: int = 3, risk: str = "low") -> TokenState:
    report = an_assessment(token, "", total=total, risk=risk, basis="person")
    return TokenState(
        related=Related(a_relation(token, unit), NOON_MS),
        reported=Reported(report, NOON_MS),
        trail=(a_point(report.as_of_ms, total),),
    )


@given(shifts=st.lists(st.integers(1, 365), min_size=2, max_size=6), seed=st.integers(0, 999))
def test_deltas_bring_all_times_to_one_clock(shifts: list[int], seed: int) -> None:
    tokens = [f"t{number}" for number in range(len(shifts))]
    edges = list(pairwise(tokens))
    random.Random(seed).shuffle(edges)
    of = dict(zip(tokens, shifts, strict=True))
    links: dict[str, IdentityMerged] = {}
    for one, other in edges:
        # A shifted time is real - shift: ours = theirs + (their shift - our shift).
        link = TokenLink(other, of[other] - of[one], "e")
        former = links[one].links if one in links else ()
        links[one] = IdentityMerged(token=one, links=(*former, link), version=1, event_id="e")
    for token in tokens:
        deltas = alias_deltas(token, edges_of(links))
        assert set(deltas) == set(tokens)
        for other, delta in deltas.items():
            assert (NOON_MS - of[other] * DAY_MS) + delta * DAY_MS == NOON_MS - of[token] * DAY_MS


def test_a_person_is_the_same_from_each_of_their_tokens() -> None:
    states = {"a": a_state("a"), "b": a_state("b", total=7, risk="high")}
    edges = edges_of({"a": a_link("a", "b", 5), "b": a_link("b", "a", -5)})
    assert person("a", edges, states) == person("b", edges, states)
    assert person("a", edges, states).id == "a"


def test_the_newest_open_visit_is_shown() -> None:
    states = {"a": a_state("a", unit="W1"), "b": a_state("b", unit="W2")}
    later = a_relation("b", "W2", at_ms=a_relation("b", "W2").occurred_at_ms + 10 * DAY_MS)
    states["b"].related = Related(later, NOON_MS)
    # b's clock is 20 days behind: its visit is really 10 days older than a's.
    edges = edges_of({"a": a_link("a", "b", -20)})
    assert person("a", edges, states).unit == "W1"
    edges = edges_of({"a": a_link("a", "b", 0)})
    assert person("a", edges, states).unit == "W2"
    closed = a_relation("b", "W2", at_ms=later.occurred_at_ms, status="closed")
    states["b"].related = Related(closed, NOON_MS)
    assert person("a", edges, states).unit == "W1"


def test_a_report_about_other_identifiers_is_under_review() -> None:
    states = {"a": a_state("a"), "b": a_state("b")}
    edges = edges_of({"a": a_link("a", "b", 0)})
    assert person("a", edges, states).under_review
    report = an_assessment("a", "", aliases=("b",), basis="person", link_version=2)
    states["a"].reported = Reported(report, NOON_MS)
    assert not person("a", edges, states).under_review
    states["a"].linked_ms = NOON_MS + 1
    assert person("a", edges, states).under_review


def test_an_identifier_without_facts_is_missed_by_nobody() -> None:
    states = {"a": a_state("a")}
    edges = edges_of({"a": a_link("a", "old", 0)})
    assert not person("a", edges, states).under_review


def test_rise_needs_something_to_compare_with() -> None:
    hour = HOUR_MS
    assert rise_of([], a_point(0, 3)) is None
    assert rise_of([a_point(0, 3)], a_point(0, 3)) is None
    assert rise_of([a_point(0, 3)], a_point(hour // 4, 8)) is None
    assert rise_of([a_point(0, 3)], a_point(hour, 8)) == 5
    points = [a_point(0, 9), a_point(hour, 2), a_point(3 * hour, 7)]
    # Against one hour: the last point at least four hours back.
    assert rise_of(points, a_point(5 * hour, 4)) == 2
    assert rise_of([*points, a_point(4 * hour, None)], a_point(5 * hour, 4)) == 2
    assert rise_of(points, a_point(16 * hour + 1, 4)) is None  # all too long ago


def test_rise_is_only_between_scores_of_the_same_parts() -> None:
    first = a_point(0, 0, parts=PULSE, at_most=17)
    assert rise_of([first], a_point(HOUR_MS, 5)) is None  # the set was completed, nothing rose
    assert rise_of([first], a_point(HOUR_MS, 2, parts=PULSE)) == 2
    assert rise_of([first], a_point(HOUR_MS, 0, parts=TEMPERATURE)) is None


HIGH = a_point(0, 19, band="high")


@pytest.mark.parametrize(
    ("newer", "stands"),
    [
        (a_point(1, 0, parts=0, at_most=20, band="unknown"), False),  # only a sodium came
        (a_point(1, 0, parts=PULSE, at_most=17), False),
        (a_point(1, 6, parts=ALL_PARTS - TEMPERATURE, at_most=9, band="medium"), False),
        (a_point(1, 7, parts=ALL_PARTS - TEMPERATURE, at_most=10, band="high"), True),
        (a_point(1, 2, parts=ALL_PARTS - TEMPERATURE, at_most=5), True),  # better for certain
        (a_point(1, 2), True),
    ],
)
def test_a_score_gives_way_only_to_one_that_cannot_hide_as_much(
    newer: Point, *, stands: bool
) -> None:
    assert standing([HIGH, newer]) == (newer if stands else HIGH)


def test_who_was_never_measured_in_full_is_judged_by_the_same_parts() -> None:
    before = a_point(0, 6, parts=PULSE | TEMPERATURE, at_most=16, band="medium")
    better = a_point(1, 1, parts=PULSE | TEMPERATURE, at_most=11)
    assert standing([before, better]) == better
    assert standing([before, a_point(1, 1, parts=PULSE, at_most=18)]) == before


AT_MS = an_assessment("a", "").as_of_ms
FULL = dict.fromkeys(NEWS2_PARTS, 2)


def an_aged_report(token: str, later_ms: int, parts: dict[str, int] | None = None) -> Reported:
    """All or most inputs are older than 12 hours; something else came in."""
    known = parts or {}
    score = Score(
        name="NEWS2",
        total=sum(known.values()),
        total_min=sum(known.values()),
        total_max=20,
        parts=known,
        missing=tuple(name for name in NEWS2_PARTS if name not in known),
        risk="low" if known else "",
    )
    report = an_assessment(token, "", at_ms=AT_MS + later_ms, basis="person", scores=(score,))
    return Reported(report, NOON_MS + later_ms)


def sick_before(token: str) -> tuple[Point, ...]:
    score = Score(name="NEWS2", total=14, total_min=14, total_max=14, parts=FULL, risk="high")
    event = an_assessment(
        token, "e", scores=(score,), red_flags=("single_parameter_3", "qsofa_positive")
    )
    return (point(event, NOON_MS, 0),)


def ward(**states: TokenState) -> list[Person]:
    return sorted((person(token, {}, states) for token in states), key=lambda one: one.sort_key)


@pytest.mark.parametrize("parts", [{}, {"pulse": 0}])
def test_a_sick_patient_whose_inputs_aged_out_does_not_sink(parts: dict[str, int]) -> None:
    sick = TokenState(
        related=Related(a_relation("sick", "W1"), NOON_MS),
        reported=an_aged_report("sick", 13 * HOUR_MS, parts),
        earlier=sick_before("sick"),
    )
    first, second, third = ward(
        sick=sick, calm=a_state("calm"), worse=a_state("worse", total=9, risk="high")
    )
    assert (first.id, second.id, third.id) == ("sick", "worse", "calm")  # by its two red flags
    assert (band(first), first.overdue, first.rise) == ("high", True, None)
    assert first.score == sick.earlier[0]


def test_a_score_of_an_earlier_visit_does_not_stand() -> None:
    state = TokenState(
        reported=an_aged_report("a", 13 * HOUR_MS, {"pulse": 0}), earlier=sick_before("a")
    )
    for began_ms, shown in ((HOUR_MS, "high"), (DAY_MS + HOUR_MS, "low")):
        visit = a_relation("a", "W1", from_ms=AT_MS + began_ms)
        state.related = Related(visit, NOON_MS)
        assert band(person("a", {}, {"a": state})) == shown


def test_a_score_does_not_stand_once_the_patient_is_out_of_its_scope() -> None:
    uncovered = Score(name="NEWS2", covered=False, reason="pregnant")
    report = an_assessment("a", "", at_ms=AT_MS + HOUR_MS, basis="person", scores=(uncovered,))
    state = TokenState(reported=Reported(report, NOON_MS), trail=sick_before("a"))
    assert band(person("a", {}, {"a": state})) == "unknown"


def joined(b_at_ms: int) -> Person:
    """A has a full set, B a temperature; the report is over both."""
    full = sick_before("a")[0]
    alone = a_point(AT_MS + b_at_ms, 2, parts=TEMPERATURE, at_most=19)
    score = Score(name="NEWS2", total=12, total_min=12, total_max=12, parts=FULL, risk="high")
    report = an_assessment(
        "a", "", at_ms=max(AT_MS, alone.at_ms), aliases=("b",), basis="person", scores=(score,)
    )
    states = {
        "a": TokenState(reported=Reported(report, NOON_MS), trail=(full,)),
        "b": TokenState(reported=Reported(report, NOON_MS), trail=(alone,)),
    }
    return person("a", edges_of({"a": a_link("a", "b", 0)}), states)


def test_results_of_single_identifiers_make_no_trend_of_a_joined_person() -> None:
    one = joined(HOUR_MS)
    assert (one.rise, one.trail, band(one)) == (None, (), "high")
    assert one.sort_key[2] == 0
    long_ago = joined(-3 * DAY_MS)
    assert len(long_ago.trail) == 1  # only one identifier has results that still matter


def test_without_a_visit_a_patient_is_listed_for_a_day() -> None:
    states = {"a": TokenState(reported=Reported(an_assessment("a", "", basis="person"), NOON_MS))}
    one = person("a", {}, states)
    assert on_worklist(one, NOON_MS + DAY_MS - 1)
    assert not on_worklist(one, NOON_MS + DAY_MS)


@given(st.permutations(["a", "b", "c", "link", "unlink"]))
def test_the_board_ends_the_same_in_any_order(order: list[str]) -> None:
    board = Board()
    if order.index("unlink") < order.index("link"):
        order.remove("unlink")
    for version, step in enumerate(order, 1):
        tokens = {step} if step in "abc" else {"a", "b"}
        for token in tokens:
            state = board.states.setdefault(token, TokenState())
            if step in "abc":
                fresh = a_state(token)
                state.related, state.reported = fresh.related, fresh.reported
            elif step == "link":
                state.links = a_link(token, "b" if token == "a" else "a", 0)
            else:
                state.links = IdentityMerged(token=token, links=(), version=2, event_id="u")
        board.update(set(tokens), tokens if len(tokens) > 1 else set(), version)
    fresh_board = Board()
    fresh_board.replace(board.states, 1)
    listed = board.listed(EVERYWHERE, NOON_MS)
    assert listed == fresh_board.listed(EVERYWHERE, NOON_MS)
    assert len(listed) == (3 if "unlink" in order else 2)


def test_who_left_is_told_only_to_who_had_them() -> None:
    board = Board()
    board.states["a"] = a_state("a", unit="W1")
    board.update({"a"}, set(), 1)
    moved = a_relation("a", "W2", staff=())
    board.states["a"].related = Related(moved, NOON_MS)
    board.update({"a"}, set(), 2)
    mine, other = Scope(frozenset({"W1"}), ""), Scope(frozenset({"W3"}), "")
    assert board.changed_since(mine, 1, NOON_MS) == (set(), {"a"})
    assert board.changed_since(other, 0, NOON_MS) == (set(), set())
    assert board.changed_since(mine, 2, NOON_MS) == (set(), set())
