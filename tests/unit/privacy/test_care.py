"""What the messages of a visit do to where the patient is shown: everyday orders of a feed."""

import msgspec
import pytest

from contracts.clinical import EncounterStatus, EventType
from contracts.identified import Encounter
from contracts.relations import CareRelation
from services.privacy.care import ended_some_day, news
from tests.unit.privacy.builders import a_body

HOUR_MS = 3_600_000
Step = tuple[EventType, str, float, EncounterStatus, str]  # kind, visit, hour, status, unit

ADMITTED: Step = ("encounter.admit", "V1", 1, "open", "MICU")
DISCHARGED: Step = ("encounter.discharge", "V1", 30, "closed", "MICU")


def said(
    number: int, step: Step, class_: str = "I", from_hour: float | None = None
) -> CareRelation:
    kind, visit, hour, status, unit = step
    began = hour if kind == "encounter.admit" else from_hour
    return CareRelation(
        token="t" * 26,
        encounter=visit,
        status=status,
        class_=class_,
        unit=unit,
        from_ms=None if began is None else round(began * HOUR_MS),
        to_ms=round(hour * HOUR_MS) if status == "closed" else None,
        occurred_at_ms=round(hour * HOUR_MS),
        event_id=f"e{number}",
        mentioned=not kind.startswith("encounter."),
    )


def after(*steps: Step) -> CareRelation:
    """Return the relation that stands after the steps of a feed."""
    held: CareRelation | None = None
    for number, step in enumerate(steps):
        held = news(held, said(number, step), step[0]) or held
    assert held is not None
    return held


@pytest.mark.parametrize(
    "late",
    [
        ("observation.result", "V1", 54, "open", "MICU"),
        ("document", "V1", 54, "open", "MICU"),
        ("encounter.update", "V1", 54, "open", "MICU"),
        ("encounter.pre_admit", "V1", 54, "planned", "MICU"),
        ("observation.result", "", 54, "open", "MICU"),
        ("observation.result", "V0", 54, "open", "WARD-1"),
        ("encounter.update", "V0", 54, "open", "WARD-1"),
    ],
)
def test_who_left_is_not_brought_back_by_what_comes_late(late: Step) -> None:
    assert after(ADMITTED, DISCHARGED, late).status == "closed"


@pytest.mark.parametrize(
    "back",
    [
        ("encounter.cancel_discharge", "V1", 31, "open", "MICU"),
        ("encounter.admit", "V2", 80, "open", "WARD-1"),
        ("encounter.transfer", "V2", 80, "open", "WARD-1"),
    ],
)
def test_who_comes_back_is_there_again(back: Step) -> None:
    assert after(ADMITTED, DISCHARGED, back).status == "open"


@pytest.mark.parametrize(
    "other",
    [
        ("encounter.pre_admit", "V2", 5, "planned", "CLINIC"),
        ("encounter.discharge", "V0", 5, "closed", "ED"),
        ("encounter.cancel_admit", "V2", 5, "cancelled", "CLINIC"),
        ("encounter.update", "V0", 5, "open", "ED"),
        ("observation.result", "V0", 5, "open", "ED"),
    ],
)
def test_another_visit_takes_nobody_off_the_list(other: Step) -> None:
    held = after(ADMITTED, other)
    assert (held.encounter, held.status, held.unit) == ("V1", "open", "MICU")


def test_an_outpatient_visit_does_not_move_an_inpatient_but_the_emergency_room_does() -> None:
    held = said(0, ADMITTED)
    step: Step = ("encounter.register", "V2", 5, "open", "CLINIC")
    assert news(held, said(1, step, class_="O"), "encounter.register") is None
    there = news(held, said(1, step, class_="E"), "encounter.register")
    assert there is not None
    assert there.encounter == "V2"


def test_a_discharge_dated_before_the_last_update_still_ends_the_visit() -> None:
    update: Step = ("encounter.update", "V1", 29, "open", "MICU")
    early: Step = ("encounter.discharge", "V1", 28, "closed", "MICU")
    assert after(ADMITTED, update, early).status == "closed"


def test_a_movement_delivered_again_after_the_end_changes_nothing() -> None:
    assert after(ADMITTED, DISCHARGED, ADMITTED).status == "closed"


def test_an_update_that_states_the_end_ends_the_visit() -> None:
    ended: Step = ("encounter.update", "V1", 30, "closed", "MICU")
    held = after(ADMITTED, ended)
    assert (held.status, held.to_ms) == ("closed", 30 * HOUR_MS)


def test_without_movements_results_say_where_the_patient_is() -> None:
    first: Step = ("observation.result", "V1", 1, "open", "WARD-1")
    moved: Step = ("observation.result", "V1", 2, "open", "MICU")
    held = after(first, moved)
    assert (held.unit, held.mentioned) == ("MICU", True)
    assert after(first, ADMITTED, ("observation.result", "V1", 3, "open", "WARD-9")).unit == "MICU"
    assert after(first, ("observation.result", "V2", 3, "open", "WARD-9")).encounter == "V2"


def test_the_first_word_of_a_later_visit_shows_it() -> None:
    held = after(ADMITTED, DISCHARGED)
    step: Step = ("observation.result", "V2", 80, "open", "WARD-2")
    assert news(held, said(9, step), step[0]) is None
    there = news(held, said(9, step, from_hour=79), step[0])
    assert there is not None
    assert (there.encounter, there.status) == ("V2", "open")


def test_a_late_end_without_a_number_does_not_end_the_present_visit() -> None:
    again: Step = ("encounter.admit", "V2", 200, "open", "WARD-1")
    belated: Step = ("encounter.discharge", "", 90, "closed", "MICU")
    assert after(ADMITTED, again, belated).status == "open"
    now: Step = ("encounter.discharge", "", 210, "closed", "WARD-1")
    assert after(ADMITTED, again, now).status == "closed"


def test_no_late_movement_goes_behind_an_end_that_was_dated_back() -> None:
    update: Step = ("encounter.update", "V1", 120, "open", "MICU")
    early: Step = ("encounter.discharge", "V1", 90, "closed", "MICU")
    late: Step = ("encounter.transfer", "V1", 100, "open", "WARD-2")
    held = after(ADMITTED, update, early, late)
    assert (held.status, held.to_ms) == ("closed", 90 * HOUR_MS)


def test_a_visit_that_ended_nobody_knows_when_is_no_next_one() -> None:
    held = after(ADMITTED, DISCHARGED)
    old: Step = ("encounter.discharge", "V0", 60, "closed", "W9")
    assert news(held, said(9, old), old[0], is_undated=True) is None
    assert news(None, said(9, old), old[0], is_undated=True) is not None
    same: Step = ("encounter.discharge", "V1", 60, "closed", "MICU")
    ended = news(after(ADMITTED), said(9, same), same[0], is_undated=True)
    assert ended is not None
    assert ended.status == "closed"


def test_which_visits_ended_nobody_knows_when() -> None:
    visit = Encounter(status="closed", unit="W9")
    body = msgspec.structs.replace(a_body(encounter=visit), occurred_precision="unknown")
    assert ended_some_day(body)
    for other in (
        msgspec.structs.replace(body, occurred_precision="second"),
        msgspec.structs.replace(body, encounter=None),
        msgspec.structs.replace(body, encounter=msgspec.structs.replace(visit, status="open")),
        msgspec.structs.replace(
            body, encounter=msgspec.structs.replace(visit, discharged_at_ms=HOUR_MS)
        ),
    ):
        assert not ended_some_day(other)
