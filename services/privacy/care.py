"""Pure: what an event says of where the patient is and who cares, and when that is news."""

import msgspec

from contracts.clinical import EncounterStatus, EventType
from contracts.identified import Encounter, IdentifiedBody
from contracts.relations import CareRelation, StaffRole
from services.privacy.deidentify import encounter_token
from services.privacy.fields import Cleaner, code_or_empty, place_or_empty
from services.privacy.patient_keys import PatientKey, staff_token

BEGINS = frozenset(
    {
        "encounter.admit",
        "encounter.register",
        "encounter.transfer",
        "encounter.cancel_transfer",
        "encounter.cancel_discharge",
    }
)
ENDS = frozenset({"encounter.discharge", "encounter.cancel_admit"})
PLANS = frozenset({"encounter.pre_admit"})
INPATIENT = "I"  # HL7 table 0004
STAYS = frozenset({INPATIENT, "E"})  # who is registered so is not only passing through


def relation_of(
    body: IdentifiedBody, *, event_id: str, key: PatientKey, staff_key: bytes, cleaner: Cleaner
) -> CareRelation | None:
    """Return what ``body`` says of its visit; None when it says nothing of one."""
    visit = body.encounter
    if visit is None or not (visit.number or visit.unit):
        return None
    return CareRelation(
        token=key.token,
        encounter=encounter_token(key, visit.number),
        status=visit.status,
        class_=code_or_empty(visit.class_, cleaner),
        unit=place_or_empty(visit.unit, cleaner),
        room=place_or_empty(visit.room, cleaner),
        bed=place_or_empty(visit.bed, cleaner),
        staff=_staff(visit, staff_key, cleaner),
        from_ms=_shifted(visit.admitted_at_ms, key),
        to_ms=_shifted(_end_of(body, visit), key),
        occurred_at_ms=body.occurred_at_ms - key.shift_ms,
        event_id=event_id,
        mentioned=not is_movement(body.event_type),
    )


def ended_some_day(body: IdentifiedBody) -> bool:
    """Say whether a visit is over and nothing tells when: by a history that dates it by years."""
    visit = body.encounter
    if visit is None or visit.status != "closed" or body.occurred_precision != "unknown":
        return False
    return visit.admitted_at_ms is None and visit.discharged_at_ms is None


def news(
    held: CareRelation | None, said: CareRelation, kind: EventType, *, is_undated: bool = False
) -> CareRelation | None:
    """Return the relation to publish, or None when ``said`` (by an event of ``kind``) changes
    nothing. See docs/decisions/0023. One that is undated (``ended_some_day``) is no next visit.
    """
    if held is None:
        return said
    if said.event_id == held.event_id:
        return None
    if not said.encounter or said.encounter == held.encounter:
        return _of_same_visit(held, said, kind)
    return said if not is_undated and _is_next_visit(held, said, kind) else None


def is_movement(kind: EventType) -> bool:
    """Return whether the event is about the visit itself (ADT), not a result that mentions one."""
    return kind.startswith("encounter.")


def _of_same_visit(held: CareRelation, said: CareRelation, kind: EventType) -> CareRelation | None:
    """A movement decides; an update or a result fills in what the movements left open, and never
    brings back who has left: only an end that it states itself (PV1-45) counts.
    """
    if kind in ENDS:  # often sent with a time before the last update: the order of arrival counts
        return None if _is_of_earlier(held, said) else _ended(held, said)
    if said.occurred_at_ms < held.occurred_at_ms:
        return None
    if kind in BEGINS or (kind in PLANS and held.status in {"planned", "cancelled"}):
        return _completed(held, said, said.status)
    if is_movement(kind) and kind not in PLANS:
        return _completed(held, said, "closed" if said.status == "closed" else held.status)
    return _completed(held, said, held.status) if _tells_place(held, said) else None


def _is_of_earlier(held: CareRelation, said: CareRelation) -> bool:
    """Say whether an end that names no visit is that of one before the present one."""
    return not said.encounter and held.from_ms is not None and said.occurred_at_ms < held.from_ms


def _ended(held: CareRelation, said: CareRelation) -> CareRelation:
    """An end may be dated back, but what stands keeps its time: no late movement goes behind it."""
    newest_ms = max(held.occurred_at_ms, said.occurred_at_ms)
    ended = _completed(held, said, said.status)
    return msgspec.structs.replace(ended, occurred_at_ms=newest_ms)


def _tells_place(held: CareRelation, said: CareRelation) -> bool:
    """Say whether a result or a note knows more of where the patient is than the movements."""
    known = bool(held.unit) and not held.mentioned
    moved = (said.unit, said.room, said.bed) != (held.unit, held.room, held.bed)
    return said.mentioned and held.status == "open" and not known and bool(said.unit) and moved


def _is_next_visit(held: CareRelation, said: CareRelation, kind: EventType) -> bool:
    """Say whether an event about another visit means that the patient is there now."""
    if kind in BEGINS:
        visits_only = kind == "encounter.register" and said.class_ not in STAYS
        return said.occurred_at_ms >= held.occurred_at_ms and not (
            visits_only and held.status == "open" and held.class_ == INPATIENT
        )
    if held.status == "open":
        # No movement said where the patient is: then a later word, no movement either, counts.
        return held.mentioned and said.mentioned and said.occurred_at_ms >= held.occurred_at_ms
    if kind in ENDS | PLANS:
        return said.occurred_at_ms >= held.occurred_at_ms
    ended_ms = held.occurred_at_ms if held.to_ms is None else held.to_ms
    return said.from_ms is not None and said.from_ms >= ended_ms


def _completed(held: CareRelation, said: CareRelation, status: EncounterStatus) -> CareRelation:
    return msgspec.structs.replace(
        said,
        encounter=said.encounter or held.encounter,
        status=status,
        class_=said.class_ or held.class_,
        unit=said.unit or held.unit,
        room=said.room if said.unit else held.room,
        bed=said.bed if said.unit else held.bed,
        staff=said.staff or held.staff,
        from_ms=said.from_ms if said.from_ms is not None else held.from_ms,
        to_ms=said.to_ms if said.to_ms is not None or status == "open" else held.to_ms,
        mentioned=said.mentioned and held.mentioned,
    )


def _staff(visit: Encounter, staff_key: bytes, cleaner: Cleaner) -> tuple[StaffRole, ...]:
    roles = (
        StaffRole(staff_token(staff_key, person.id), code_or_empty(person.role, cleaner))
        for person in visit.staff
        if person.id
    )
    return tuple(dict.fromkeys(roles))


def _end_of(body: IdentifiedBody, visit: Encounter) -> int | None:
    if visit.discharged_at_ms is not None or visit.status != "closed":
        return visit.discharged_at_ms
    return body.occurred_at_ms


def _shifted(at_ms: int | None, key: PatientKey) -> int | None:
    return None if at_ms is None else at_ms - key.shift_ms
