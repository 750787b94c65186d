"""EVN and PV1: when it happened, where the patient is, who cares for them."""

from typing import Final

from contracts.identified import Encounter, Staff
from services.ingest.dialect import Dialect
from services.ingest.draft import Draft
from services.ingest.event_types import encounter_status
from services.ingest.kept import Kept
from services.ingest.patients import staff_name, written
from services.ingest.times import day_ms

NUMBER_FIELDS: Final[tuple[int, ...]] = (5, 50)
_places: Final[Kept[tuple[str, str, str]]] = Kept(4096)


class StaffField:
    """A field of PV1 that names staff: its number, their role, what was read of it."""

    __slots__ = ("number", "read", "role")

    def __init__(self, number: int, role: str) -> None:
        """Start with nothing read."""
        self.number, self.role = number, role
        # Those who have a number, and the names of those without.
        self.read: Kept[tuple[tuple[Staff, ...], tuple[str, ...]]] = Kept(1024)


STAFF_FIELDS: Final = [
    StaffField(7, "attending"),
    StaffField(8, "referring"),
    StaffField(9, "consulting"),
    StaffField(17, "admitting"),
]


def evn(draft: Draft, f: list[str]) -> None:
    """Read EVN: when it happened (EVN-6), else when it was recorded (EVN-2)."""
    for number in (6, 2):
        if f[number]:
            moment = draft.read_time.read(f[number])
            if moment is None:
                draft.find(f"EVN-{number}", "102", "not a time")
            elif not moment.coarse:
                draft.moment = moment
                return


def pv1(draft: Draft, f: list[str]) -> None:
    """Read PV1."""
    d = draft.dialect
    unit = room = bed = ""
    if f[3]:
        unit, room, bed = _place_of(d, f[3])
    staff: tuple[Staff, ...] = ()
    for field in STAFF_FIELDS:
        if f[field.number]:
            numbered, named = _staff_of(d, f[field.number], field)
            staff += numbered
            draft.staff_names += named
    admitted_at = draft.time(f[44], "PV1-44") if f[44] else None
    discharged_at = draft.time(f[45], "PV1-45") if f[45] else None
    for number in NUMBER_FIELDS:
        if f[number]:
            draft.cx.append(f[number])
    header = draft.header
    is_discharged = discharged_at is not None
    draft.encounter = Encounter(
        number=d.first(f[19]),
        class_=d.first(f[2]),
        unit=unit,
        room=room,
        bed=bed,
        status=encounter_status(header.kind, header.trigger, discharged=is_discharged),
        admitted_at_ms=day_ms(admitted_at, "PV1-44", draft.find),
        discharged_at_ms=day_ms(discharged_at, "PV1-45", draft.find),
        staff=staff,
    )


def _place_of(dialect: Dialect, raw: str) -> tuple[str, str, str]:
    found = _places.get(dialect, raw)
    if found is not None:
        return found
    c = dialect.components(raw, 3)
    return _places.put(dialect, raw, (c[0].strip(), c[1].strip(), c[2].strip()))


def _staff_of(
    dialect: Dialect, raw: str, field: StaffField
) -> tuple[tuple[Staff, ...], tuple[str, ...]]:
    known = field.read.get(dialect, raw)
    if known is not None:
        return known
    found = [staff_name(dialect, one) for one in dialect.repetitions(raw)]
    numbered = tuple([Staff(number, field.role, name) for number, name in found if number])
    named = tuple([written(name) for number, name in found if not number])
    return field.read.put(dialect, raw, (numbered, named))
