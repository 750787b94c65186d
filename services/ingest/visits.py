"""EVN and PV1: when it happened, where the patient is, who cares for them."""

from functools import lru_cache
from typing import Final

from contracts.identified import Encounter, Staff
from services.ingest.dialect import Dialect
from services.ingest.draft import Draft
from services.ingest.event_types import encounter_status
from services.ingest.patients import staff_name, written

NUMBER_FIELDS: Final[tuple[int, ...]] = (5, 50)
STAFF_FIELDS: Final[tuple[tuple[int, str], ...]] = (
    (7, "attending"),
    (8, "referring"),
    (9, "consulting"),
    (17, "admitting"),
)


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
    unit = room = bed = ""
    if f[3]:
        unit, room, bed = _place_of(d, f[3])
    staff: tuple[Staff, ...] = ()
    for number, role in STAFF_FIELDS:
        if f[number]:
            numbered, named = _staff_of(d, f[number], role)
            staff += numbered
            draft.staff_names += named
    admitted_at_ms = draft.time_ms(f[44], "PV1-44") if f[44] else None
    discharged_at_ms = draft.time_ms(f[45], "PV1-45") if f[45] else None
    for number in NUMBER_FIELDS:
        if f[number]:
            draft.cx.append(f[number])
    header = draft.header
    is_discharged = discharged_at_ms is not None
    draft.encounter = Encounter(
        number=d.first(f[19]),
        class_=d.first(f[2]),
        unit=unit,
        room=room,
        bed=bed,
        status=encounter_status(header.kind, header.trigger, discharged=is_discharged),
        admitted_at_ms=admitted_at_ms,
        discharged_at_ms=discharged_at_ms,
        staff=staff,
    )


@lru_cache(maxsize=4096)
def _place_of(dialect: Dialect, raw: str) -> tuple[str, str, str]:
    c = dialect.components(raw, 3)
    return c[0].strip(), c[1].strip(), c[2].strip()


@lru_cache(maxsize=4096)
def _staff_of(dialect: Dialect, raw: str, role: str) -> tuple[tuple[Staff, ...], tuple[str, ...]]:
    """Return the staff of an XCN field who have a number, and the names of those without."""
    found = [staff_name(dialect, one) for one in dialect.repetitions(raw)]
    numbered = tuple(Staff(number, role, name) for number, name in found if number)
    return numbered, tuple(written(name) for number, name in found if not number)
