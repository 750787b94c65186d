"""Pure: what an event says of where the patient is and who cares, and when that is news."""

import msgspec

from contracts.identified import Encounter, IdentifiedBody
from contracts.relations import CareRelation, StaffRole
from services.privacy.deidentify import Cleaner, code_or_empty, encounter_token, local_or_empty
from services.privacy.patient_keys import PatientKey, staff_token


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
        unit=local_or_empty(visit.unit, cleaner),
        room=local_or_empty(visit.room, cleaner),
        bed=local_or_empty(visit.bed, cleaner),
        staff=_staff(visit, staff_key, cleaner),
        from_ms=_shifted(visit.admitted_at_ms, key),
        to_ms=_shifted(_end_of(body, visit), key),
        occurred_at_ms=body.occurred_at_ms - key.shift_ms,
        event_id=event_id,
    )


def news(
    held: CareRelation | None, said: CareRelation, *, is_movement: bool
) -> CareRelation | None:
    """Return the relation to publish, or None when ``said`` changes nothing.

    An older movement never overrides a newer one. A result or a note that mentions a visit only
    fills a gap: it does not know whether the patient has moved since.
    """
    if held is None:
        return said
    if said.event_id == held.event_id or said.occurred_at_ms < held.occurred_at_ms:
        return None
    if not is_movement and held.status == "open":
        return None
    if said.encounter != held.encounter:
        return said
    return msgspec.structs.replace(
        said,
        class_=said.class_ or held.class_,
        unit=said.unit or held.unit,
        room=said.room if said.unit else held.room,
        bed=said.bed if said.unit else held.bed,
        staff=said.staff or held.staff,
        from_ms=said.from_ms if said.from_ms is not None else held.from_ms,
    )


def is_movement(body: IdentifiedBody) -> bool:
    """Return whether the event is about the visit itself (ADT), not a result that mentions one."""
    return body.event_type.startswith("encounter.")


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
