"""EVN and PV1: when it happened, where the patient is, who cares for them."""

from functools import lru_cache

from contracts.identified import Encounter, Staff
from services.ingest.draft import Draft, Visit
from services.ingest.event_types import encounter_status
from services.ingest.hl7 import Dialect
from services.ingest.patients import staff_name, written

STAFF_FIELDS = ((7, "attending"), (8, "referring"), (9, "consulting"), (17, "admitting"))


def evn(draft: Draft, f: list[str]) -> None:
    """Read EVN: when it happened (EVN-6), else when it was recorded (EVN-2)."""
    for number in (6, 2):
        if f[number]:
            moment = draft.read_time(f[number])
            if moment is not None:
                draft.moment = moment
                return
            draft.find(f"EVN-{number}", "102", "not a time")


def pv1(draft: Draft, f: list[str]) -> None:
    """Read PV1."""
    d = draft.dialect
    visit = draft.visit = Visit()
    visit.class_ = d.first(f[2])
    if f[3]:
        place = d.components(f[3], 3)
        visit.unit, visit.room, visit.bed = place[0].strip(), place[1].strip(), place[2].strip()
    visit.number = d.first(f[19])
    if f[44]:
        visit.admitted_at_ms = draft.time_ms(f[44], "PV1-44")
    if f[45]:
        visit.discharged_at_ms = draft.time_ms(f[45], "PV1-45")
    visit.staff = tuple(
        person for number, role in STAFF_FIELDS if f[number]
        for person in _staff(draft, f[number], role)
    )  # fmt: skip
    for number in (5, 50):
        if f[number]:
            draft.other("ID", d.first(f[number]))


def _staff(draft: Draft, raw: str, role: str) -> tuple[Staff, ...]:
    numbered, named = _staff_of(draft.dialect, raw, role)
    for name in named:
        draft.other("NAME", name)
    return numbered


@lru_cache(maxsize=4096)
def _staff_of(dialect: Dialect, raw: str, role: str) -> tuple[tuple[Staff, ...], tuple[str, ...]]:
    """Return the staff of an XCN field who have a number, and the names of those without."""
    found = [staff_name(dialect, one) for one in dialect.repetitions(raw)]
    numbered = tuple(Staff(number, role, name) for number, name in found if number)
    return numbered, tuple(written(name) for number, name in found if not number)


def encounter_of(draft: Draft) -> Encounter | None:
    """Return the visit, or None when the message says nothing of one."""
    visit = draft.visit
    if visit is None:
        return None
    header = draft.header
    return Encounter(
        number=visit.number,
        class_=visit.class_,
        unit=visit.unit,
        room=visit.room,
        bed=visit.bed,
        status=encounter_status(
            header.kind, header.trigger, discharged=visit.discharged_at_ms is not None
        ),
        admitted_at_ms=visit.admitted_at_ms,
        discharged_at_ms=visit.discharged_at_ms,
        staff=visit.staff,
    )
