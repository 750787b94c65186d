"""Where a patient is, and since when in intensive care."""

import msgspec
import pytest

from contracts.clinical import EventType, Precision
from contracts.deidentified import DeidentifiedEvent, Stay
from services.inference.standing import Part, view_of
from services.inference.state import EMPTY, apply
from services.inference.view import PatientView, icu_unit_of
from tests.support.inference import HOUR, T0, an_event

TOKEN = "t" * 26


def moved(
    name: str, hours: int, kind: EventType, unit: str, admitted_hours: int | None = None
) -> DeidentifiedEvent:
    admitted_ms = None if admitted_hours is None else T0 + admitted_hours * HOUR
    stay = Stay(encounter="visit", unit=unit, admitted_at_ms=admitted_ms)
    return an_event(name, TOKEN, T0 + hours * HOUR, event_type=kind, stay=stay)


def after(*events: DeidentifiedEvent) -> PatientView:
    state = EMPTY
    for offset, event in enumerate(events):
        state = apply(state, event, offset)
    return view_of(TOKEN, [Part(TOKEN, state)], T0)


def icu(view: PatientView) -> tuple[str, int | None, int | None]:
    hours = (
        None if ms is None else (ms - T0) // HOUR for ms in (view.icu_admitted_ms, view.icu_left_ms)
    )
    return (view.icu_unit, *hours)  # type: ignore[return-value] # two hours


def test_admitted_straight_to_intensive_care() -> None:
    view = after(moved("a", 2, "encounter.admit", "MICU-2", admitted_hours=1))
    assert icu(view) == ("MICU", 1, None)
    assert view.unit == "MICU-2"


def test_transferred_in_counts_from_the_transfer_and_ends_with_the_next() -> None:
    admit = moved("a", 0, "encounter.admit", "WARD-1", admitted_hours=0)
    into = moved("b", 10, "encounter.transfer", "CCU", admitted_hours=0)
    within = moved("c", 20, "encounter.transfer", "MICU", admitted_hours=0)
    out = moved("d", 50, "encounter.transfer", "WARD-1", admitted_hours=0)
    assert icu(after(admit)) == ("", None, None)
    assert icu(after(admit, into, within)) == ("CCU", 10, None)
    assert icu(after(admit, into, within, out)) == ("CCU", 10, 50)
    assert icu(after(out, within, into, admit)) == ("CCU", 10, 50)  # in any order of arrival


def test_a_cancelled_transfer_did_not_happen() -> None:
    admit = moved("a", 0, "encounter.admit", "WARD-1")
    into = moved("b", 10, "encounter.transfer", "SICU")
    cancel = moved("c", 11, "encounter.cancel_transfer", "WARD-1")
    assert icu(after(admit, into, cancel)) == ("", None, None)


def test_only_seen_there_means_since_when_is_unknown() -> None:
    seen = moved("a", 5, "observation.result", "MICU")
    assert icu(after(seen)) == ("MICU", None, None)
    admit = moved("b", 1, "encounter.admit", "MICU", admitted_hours=1)
    assert icu(after(seen, admit)) == ("MICU", 1, None)


def test_discharged_from_intensive_care() -> None:
    admit = moved("a", 0, "encounter.admit", "MICU", admitted_hours=0)
    gone = moved("b", 30, "encounter.discharge", "")
    assert icu(after(admit, gone)) == ("MICU", 0, 30)
    assert icu(after(admit, gone, moved("c", 31, "encounter.cancel_discharge", ""))) == (
        "MICU",
        0,
        None,
    )


@pytest.mark.parametrize(
    ("unit", "code"),
    [("MICU", "MICU"), ("micu-2", "MICU"), ("CSRU_B", "CSRU"), ("ICU", "ICU"), ("MICUX", "")],
)
def test_which_units_are_intensive_care(unit: str, code: str) -> None:
    assert icu_unit_of(unit) == code


def of_visit(
    encounter: str, name: str, hours: int, kind: EventType, unit: str
) -> DeidentifiedEvent:
    stay = Stay(encounter=encounter, unit=unit)
    return an_event(name, TOKEN, T0 + hours * HOUR, event_type=kind, stay=stay)


IN_ICU = moved("in", 0, "encounter.admit", "MICU", admitted_hours=0)


@pytest.mark.parametrize(
    "other",
    [
        of_visit("", "lab", 2, "observation.result", "MICU"),
        of_visit("", "lab", 2, "observation.result", "LAB"),
        of_visit("", "lab before", -2, "observation.result", "ED"),
        of_visit("later", "planned", 2, "encounter.pre_admit", "CLINIC"),
        of_visit("earlier", "closed late", 2, "encounter.discharge", "ED"),
        of_visit("earlier", "billed late", 2, "encounter.update", "ED"),
        of_visit("earlier", "result of", 2, "observation.result", "ED"),
        of_visit("", "update", 2, "encounter.update", ""),
    ],
)
def test_another_visit_does_not_end_the_one_that_is_open(other: DeidentifiedEvent) -> None:
    for events in ((IN_ICU, other), (other, IN_ICU)):
        view = after(*events)
        assert (view.encounter, view.unit) == ("visit", "MICU")
        assert icu(view) == ("MICU", 0, None)


def test_a_movement_without_a_visit_number_moves_the_patient_who_is_there() -> None:
    out = of_visit("", "out", 20, "encounter.transfer", "WARD-1")
    assert icu(after(IN_ICU, out)) == ("MICU", 0, 20)
    gone = of_visit("", "gone", 30, "encounter.discharge", "")
    assert icu(after(IN_ICU, gone)) == ("MICU", 0, 30)


def test_visits_without_any_number_are_followed_as_one() -> None:
    events = (
        of_visit("", "a", 0, "encounter.admit", "WARD-1"),
        of_visit("", "b", 5, "encounter.transfer", "SICU"),
        of_visit("", "c", 6, "observation.result", "LAB"),
    )
    assert icu(after(*events)) == ("SICU", 5, None)


def test_after_the_discharge_the_next_visit_counts() -> None:
    gone = moved("gone", 10, "encounter.discharge", "")
    planned = of_visit("next", "plan", 11, "encounter.pre_admit", "SICU")
    view = after(IN_ICU, gone, planned)
    assert (view.encounter, icu(view)) == ("visit", ("MICU", 0, 10))
    back = of_visit("next", "back", 100, "encounter.admit", "SICU")
    view = after(IN_ICU, gone, planned, back)
    assert (view.encounter, icu(view)) == ("next", ("SICU", 100, None))


def test_of_two_open_visits_the_one_counts_that_was_heard_of_last() -> None:
    clinic = of_visit("clinic", "register", 5, "encounter.register", "DIALYSIS")
    assert after(IN_ICU, clinic).encounter == "clinic"
    results = [
        moved(f"r{hour}", hour, "observation.result", "LAB", admitted_hours=0) for hour in (6, 7)
    ]
    view = after(IN_ICU, clinic, *results)
    assert (view.encounter, view.unit, icu(view)) == ("visit", "MICU", ("MICU", 0, None))


def test_a_planned_unit_is_not_where_the_patient_is() -> None:
    planned = moved("plan", 0, "encounter.pre_admit", "SICU")
    assert icu(after(planned)) == ("", None, None)
    assert icu(after(planned, moved("in", 9, "encounter.admit", "WARD-1"))) == ("", None, None)


def test_an_admission_or_a_discharge_in_the_future_is_when_it_was_said() -> None:
    assert icu(after(moved("a", 2, "encounter.admit", "MICU", admitted_hours=9999))) == (
        "MICU",
        2,
        None,
    )
    stay = Stay(encounter="visit", discharged_at_ms=T0 + 9999 * HOUR)
    gone = an_event("gone", TOKEN, T0 + 9 * HOUR, event_type="encounter.discharge", stay=stay)
    assert icu(after(IN_ICU, gone)) == ("MICU", 0, 9)


@pytest.mark.parametrize(("precision", "unit"), [("unknown", "ICU-1"), ("second", "WARD-9")])
def test_a_visit_that_ended_nobody_knows_when_is_not_the_current_one(
    precision: Precision, unit: str
) -> None:
    there = of_visit("new", "a", 0, "encounter.admit", "ICU-1")
    gone = of_visit("new", "b", 5, "encounter.discharge", "ICU-1")
    old = of_visit("old", "c", 9, "encounter.discharge", "WARD-9")
    old = msgspec.structs.replace(old, occurred_precision=precision)
    assert after(there, gone, old).unit == unit
    assert after(old).unit == "WARD-9"
