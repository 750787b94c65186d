"""Where a patient is, and since when in intensive care."""

import pytest

from contracts.clinical import EventType
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
