"""Which kind of event a patient's part of a FHIR bundle is."""

from contracts.clinical import EventType
from services.ingest.event_types import event_type_of as event_type_of_trigger
from services.ingest.fhir_draft import FhirDraft, Visit

# What an event without a current visit or a named trigger is about: the first kind that is there.
KINDS: tuple[tuple[str, EventType], ...] = (
    ("Observation", "observation.result"),
    ("DiagnosticReport", "observation.result"),
    ("DocumentReference", "document"),
    ("Composition", "document"),
    ("MedicationRequest", "medication.order"),
    ("MedicationAdministration", "medication.order"),
    ("MedicationDispense", "medication.order"),
    ("MedicationStatement", "medication.order"),
    ("Immunization", "immunization"),
    ("ServiceRequest", "order"),
    ("Procedure", "order"),
    ("Condition", "problem"),
    ("AllergyIntolerance", "problem"),
    ("FamilyMemberHistory", "problem"),
    ("link", "identity.merged"),
)
OUTPATIENT = frozenset({"O", "E"})  # PV1-2: registered (A04), not admitted
VISIT_EVENTS: dict[str, EventType] = {
    "planned": "encounter.pre_admit",
    "open": "encounter.update",
    "closed": "encounter.discharge",
    "cancelled": "encounter.cancel_admit",
}


def event_type_of(draft: FhirDraft, trigger: str, visit: Visit | None) -> EventType:
    """Return the kind of event; ``trigger`` is that of an ADT message, "" where there is none."""
    if not draft.ids:
        draft.find("Patient.identifier", "no_patient", "nothing that names a patient")
        return "non_clinical"
    if trigger:
        return event_type_of_trigger("ADT", trigger)
    found = next((said for kind, said in KINDS if kind in draft.kinds), None)
    if visit is not None and (found is None or visit.encounter.status == "open"):
        # What is said of a visit that goes on moves the patient, whatever comes with it.
        if visit.encounter.status == "open" and visit.is_new:
            is_inpatient = visit.encounter.class_ not in OUTPATIENT
            return "encounter.admit" if is_inpatient else "encounter.register"
        return VISIT_EVENTS[visit.encounter.status]
    return found or ("person.update" if "Patient" in draft.kinds else "non_clinical")
