"""Tokens that are one person: the same however they are brought together."""

import random
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from contracts.merged import IdentityMerged, TokenLink
from contracts.topic import DAY_MS
from services.gateway.board import Board, Scope
from services.gateway.people import (
    Related,
    Reported,
    TokenState,
    alias_deltas,
    edges_of,
    on_worklist,
    person,
    rise_of,
)
from services.gateway.stored import Point
from tests.support.gateway_world import HOUR_MS, NOON_MS, a_link, a_relation, an_assessment

EVERYWHERE = Scope(units=None, staff="")


def a_point(at_ms: int, total: int | None = 3, probability: float | None = None) -> Point:
    return Point(at_ms, NOON_MS, 0, total, total, total, probability)


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
    assert rise_of([]) is None
    assert rise_of([a_point(0, 3)]) is None
    assert rise_of([a_point(0, 3), a_point(hour // 4, 8)]) is None
    assert rise_of([a_point(0, 3), a_point(hour, 8)]) == 5
    points = [a_point(0, 9), a_point(hour, 2), a_point(3 * hour, 7), a_point(5 * hour, 4)]
    assert rise_of(points) == 2  # against one hour, the last point at least four hours back
    assert rise_of([*points, a_point(6 * hour, None)]) == 2


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
