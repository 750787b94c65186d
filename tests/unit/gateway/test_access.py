"""Every action x role x relation: who may do what."""

from typing import get_args

import pytest

from contracts.topic import DAY_MS
from services.gateway.access import ROLES, Action, Viewer, decide
from services.gateway.people import Person, Related, TokenState, person
from tests.support.gateway_world import NOON_MS, a_relation

ACTIONS: tuple[Action, ...] = get_args(Action)
OPENED: dict[str, set[str]] = {
    "clinician": {"me", "units", "worklist", "patient", "history", "explanation", "search",
                  "glass", "review", "stream"},
    "charge": {"me", "units", "worklist", "patient", "history", "explanation", "search",
               "glass", "review", "stream"},
    "sre": {"me", "counts"},
    "model-admin": {"me"},
    "privacy-officer": {"me"},
}  # fmt: skip
ABOUT_ONE = {"patient", "history", "explanation", "review"}


def a_person(unit: str, *, status: str = "open", written_ms: int = NOON_MS) -> Person:
    relation = a_relation("t", unit, status=status)
    return person("t", {}, {"t": TokenState(related=Related(relation, written_ms))})


def a_viewer(role: str, *units: str) -> Viewer:
    return Viewer("D7", "Somebody", frozenset({role}), frozenset(units), NOON_MS + DAY_MS)


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("role", sorted(ROLES))
@pytest.mark.parametrize("relation", ["unit", "all", "staff", "foreign", "unknown"])
def test_every_action_by_role_and_relation(action: Action, role: str, relation: str) -> None:
    viewer = a_viewer(role, "*" if relation == "all" else "W1" if relation == "unit" else "W5")
    staff = "staff-D1001" if relation == "staff" else "staff-D7"
    about = None if relation == "unknown" else a_person("W1")
    decision = decide(viewer, action, staff, about, NOON_MS)
    opened = action in OPENED[role]
    related = relation in ("unit", "all", "staff")
    assert decision.allowed == (opened and (related or action not in ABOUT_ONE))
    if not opened:
        assert decision.status == 403
    elif not decision.allowed:
        assert decision.status == 404


@pytest.mark.parametrize("action", sorted(ABOUT_ONE))
@pytest.mark.parametrize("role", sorted(ROLES))
def test_a_broken_glass_opens_looks_for_caring_roles_and_no_decision(
    role: str, action: Action
) -> None:
    viewer, about = a_viewer(role, "W5"), a_person("W1")
    decision = decide(viewer, action, "staff-D7", about, NOON_MS, glass=True)
    assert decision.allowed == (action in OPENED[role] and action != "review")
    assert not decide(viewer, action, "staff-D7", None, NOON_MS, glass=True).allowed
    if decision.allowed:
        assert decision.rule == "broken_glass"


def test_who_has_a_relation_needs_no_glass() -> None:
    viewer = a_viewer("clinician", "W1")
    decision = decide(viewer, "review", "", a_person("W1"), NOON_MS, glass=True)
    assert decision.rule == "role_and_relation"


@pytest.mark.parametrize("action", ACTIONS)
def test_nobody_may_do_nothing(action: Action) -> None:
    decision = decide(None, action, "staff-D1001", a_person("W1"), NOON_MS)
    assert (decision.allowed, decision.status) == (False, 401)


@pytest.mark.parametrize(("hours", "allowed"), [(1, True), (23, True), (25, False)])
def test_the_discharged_stay_open_for_a_day(hours: int, *, allowed: bool) -> None:
    about = a_person("W1", status="closed", written_ms=NOON_MS - hours * 3_600_000)
    assert decide(a_viewer("clinician", "W1"), "patient", "", about, NOON_MS).allowed is allowed


def test_an_empty_staff_token_relates_to_nobody() -> None:
    about = a_person("W1")
    assert not decide(a_viewer("clinician"), "patient", "", about, NOON_MS).allowed


def test_a_patient_without_a_unit_is_for_who_sees_all_units() -> None:
    about = a_person("")
    assert not decide(a_viewer("clinician", "W1"), "patient", "", about, NOON_MS).allowed
    assert decide(a_viewer("charge", "*"), "patient", "", about, NOON_MS).allowed
