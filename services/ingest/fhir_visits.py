"""Encounter with its Location: where the patient is, who cares for them, since when."""

from collections.abc import Iterator, Sequence

from contracts.clinical import EncounterStatus
from contracts.identified import Encounter, Staff
from services.ingest.fhir_bundle import Entry
from services.ingest.fhir_codes import ENCOUNTER_CLASS, ENCOUNTER_STATUS, STAFF_ROLE, status_of
from services.ingest.fhir_draft import FhirDraft, Visit
from services.ingest.fhir_json import Node, node, nodes, text
from services.ingest.fhir_people import practitioner_name
from services.ingest.patients import written
from services.ingest.times import day_ms

PARTS_MAX = 6  # bed, room, ward, .. site
BED, ROOM = "bd", "ro"
STAFF_KINDS = frozenset({"Practitioner", "PractitionerRole", ""})


def encounter(draft: FhirDraft, entry: Entry) -> None:
    """Read Encounter."""
    resource = entry.resource
    period = node(resource.get("period"))
    path = f"{entry.path}.period"
    start = draft.time(period.get("start"), f"{path}.start")
    end = draft.time(period.get("end"), f"{path}.end")
    status = _status(status_of(resource), has_ended=end is not None)
    unit, room, bed = _place(draft, entry)
    updated = node(resource.get("meta")).get("lastUpdated")
    said = draft.time(updated, f"{entry.path}.meta.lastUpdated", said=status == "open")
    end_ms = day_ms(end, f"{path}.end", draft.find)
    found = Encounter(
        number=_number(draft, entry),
        class_=_class(resource),
        unit=unit,
        room=room,
        bed=bed,
        status=status,
        admitted_at_ms=day_ms(start, f"{path}.start", draft.find),
        discharged_at_ms=end_ms if status == "closed" else None,
        staff=tuple(dict.fromkeys(_staff(draft, entry))),
    )
    times = [one.ms for one in (start, end, said) if one is not None]
    draft.visits.append(
        Visit(entry, found, since_ms=max(times, default=0), is_new=entry.method == "POST")
    )


def current(visits: Sequence[Visit]) -> Visit | None:
    """Return the visit an event is about: an open one before others, of these the newest."""
    return max(visits, key=lambda one: (one.encounter.status == "open", one.since_ms), default=None)


def _status(sent: str, *, has_ended: bool) -> EncounterStatus:
    return ENCOUNTER_STATUS.get(sent, "closed" if has_ended else "open")


def _class(resource: Node) -> str:
    # One Coding in R4, a list of concepts in R5: the first coding of either.
    found = node(resource.get("class"))
    code = text(node(found.get("coding")).get("code")) or text(found.get("code"))
    return ENCOUNTER_CLASS.get(code, code)


def _number(draft: FhirDraft, entry: Entry) -> str:
    values = [text(one.get("value")) for one in nodes(entry.resource.get("identifier"))]
    found = [value for value in values if value]
    for further in found[1:]:
        draft.other("ID", further)
    return found[0] if found else entry.id


def _staff(draft: FhirDraft, entry: Entry) -> Iterator[Staff]:
    for participant in nodes(entry.resource.get("participant")):
        reference = node(participant.get("individual")) or node(participant.get("actor"))
        kind = text(reference.get("type")) or text(reference.get("reference")).rpartition("/")[0]
        if not reference or kind.rpartition("/")[2] not in STAFF_KINDS:
            continue
        number, name = practitioner_name(draft, reference, entry)
        codes = [
            text(coding.get("code"))
            for one in nodes(participant.get("type"))
            for coding in nodes(one.get("coding"))
        ]
        role = next((STAFF_ROLE[code] for code in codes if code in STAFF_ROLE), "participant")
        if number:
            yield Staff(number, role, name)
        else:
            draft.other("STAFF", written(name))


def _place(draft: FhirDraft, entry: Entry) -> tuple[str, str, str]:
    """Return unit, room and bed of where the patient is now."""
    stays = nodes(entry.resource.get("location"))
    for number, stay in enumerate(stays):
        start = node(stay.get("period")).get("start")
        draft.time(start, f"{entry.path}.location[{number}].period.start")
    here = [one for one in stays if text(one.get("status")) in {"active", ""}] or stays
    here = [one for one in here if not node(one.get("period")).get("end")] or here
    return _names(draft, node(here[-1].get("location")), entry) if here else ("", "", "")


def _names(draft: FhirDraft, reference: Node, base: Entry) -> tuple[str, str, str]:
    unit = room = bed = ""
    found = draft.follow(reference, base)
    if found is None:
        return text(reference.get("display")), "", ""
    for _ in range(PARTS_MAX):
        if found is None or unit:
            break
        level = text(node(node(found.resource.get("physicalType")).get("coding")).get("code"))
        name = text(found.resource.get("name")) or found.id
        if level == BED:
            bed = bed or name
        elif level == ROOM:
            room = room or name
        else:
            unit = name
        found = draft.follow(node(found.resource.get("partOf")), found)
    return unit, room, bed
