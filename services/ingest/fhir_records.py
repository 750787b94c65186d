"""Conditions, medications, allergies, orders, procedures, immunizations of FHIR.

What was entered in error or not done is named in a finding and not passed on as if it were so; a
condition taken back has status DE, as a deleted problem of v2 has.
"""

from contracts.clinical import Allergy, Condition, Medication, Order
from contracts.observation import Code
from services.ingest import fhir_notes
from services.ingest.codes import says_no_allergy
from services.ingest.fhir_bundle import Entry
from services.ingest.fhir_codes import (
    ORDER_CONTROL,
    ORDER_STATUS,
    code_of,
    plain_code,
    status_of,
    words_of,
)
from services.ingest.fhir_draft import FhirDraft
from services.ingest.fhir_json import Node, node, nodes, number, text
from services.ingest.times import coarse_of, ms_of

WRONG = frozenset({"entered-in-error"})
NOT_DONE = frozenset({"not-done", "not-taken"})
REFUTED = frozenset({"refuted", "entered-in-error"})
UNSURE = frozenset({"unconfirmed", "provisional", "differential"})
# Reaction severity -> AL1-4 (table 0128), mildest first.
SEVERITY = {"mild": "MI", "moderate": "MO", "severe": "SV"}
SEVERITY_RANK = ("", "MI", "MO", "SV")


def condition(draft: FhirDraft, entry: Entry) -> None:
    """Read Condition."""
    resource = entry.resource
    code = code_of(resource.get("code"))
    if _is_empty(draft, entry, code):
        return
    verified = plain_code(resource.get("verificationStatus"))
    status = plain_code(resource.get("clinicalStatus"))
    if verified in REFUTED:
        status = "DE"
    elif verified in UNSURE:
        status = "W"  # DG1-6: a working diagnosis
    period = node(resource.get("onsetPeriod"))
    at = draft.first_time(
        entry,
        onsetDateTime=resource.get("onsetDateTime"),
        onsetPeriod=period.get("start"),
        recordedDate=resource.get("recordedDate"),
    )
    draft.conditions.append(
        Condition(code=code, at_ms=ms_of(at), status=status, at_precision=coarse_of(at))
    )
    fhir_notes.annotations(draft, entry, -1)


def medication_request(draft: FhirDraft, entry: Entry) -> None:
    """Read MedicationRequest."""
    if text(entry.resource.get("intent")) in {"proposal", "plan", "option"}:
        draft.left_out(entry, "not_ordered", "a proposal, no order")
        return
    dosage = node(entry.resource.get("dosageInstruction"))
    dose = node(node(dosage.get("doseAndRate")).get("doseQuantity"))
    _medication(draft, entry, dose or node(dosage.get("doseQuantity")), dosage, "authoredOn")


def medication_statement(draft: FhirDraft, entry: Entry) -> None:
    """Read MedicationStatement: what the patient says they take."""
    dosage = node(entry.resource.get("dosage"))
    dose = node(node(dosage.get("doseAndRate")).get("doseQuantity"))
    _medication(draft, entry, dose, dosage, "effective")


def medication_administration(draft: FhirDraft, entry: Entry) -> None:
    """Read MedicationAdministration: what was given."""
    dosage = node(entry.resource.get("dosage"))
    _medication(draft, entry, node(dosage.get("dose")), dosage, "effective")


def medication_dispense(draft: FhirDraft, entry: Entry) -> None:
    """Read MedicationDispense: what was handed over."""
    dosage = node(entry.resource.get("dosageInstruction"))
    dose = node(node(dosage.get("doseAndRate")).get("doseQuantity"))
    _medication(draft, entry, dose, dosage, "whenHandedOver")


def immunization(draft: FhirDraft, entry: Entry) -> None:
    """Read Immunization: a medication by its vaccine code, as RXA is."""
    resource = entry.resource
    if _taken_back(draft, entry):
        return
    code = code_of(resource.get("vaccineCode"))
    if _is_empty(draft, entry, code):
        return
    dose = node(resource.get("doseQuantity"))
    at = draft.first_time(entry, occurrenceDateTime=resource.get("occurrenceDateTime"))
    draft.medications.append(
        Medication(
            code=code,
            dose=number(dose.get("value")),
            dose_unit=text(dose.get("code")) or text(dose.get("unit")),
            route=plain_code(resource.get("route")),
            status="CP" if status_of(resource) == "completed" else "",
            start_ms=ms_of(at),
            start_precision=coarse_of(at),
        )
    )
    fhir_notes.annotations(draft, entry, -1)


def allergy(draft: FhirDraft, entry: Entry) -> None:
    """Read AllergyIntolerance: severity is that of its worst reaction, SV where it is critical."""
    resource = entry.resource
    if plain_code(resource.get("verificationStatus")) in REFUTED:
        draft.left_out(entry, "deleted", "an allergy taken back")
        return
    reactions = nodes(resource.get("reaction"))
    code = code_of(resource.get("code"))
    if not (code.code or code.text) and reactions:
        code = code_of(reactions[0].get("substance"))
    if _is_empty(draft, entry, code):
        return
    if says_no_allergy(code):
        draft.left_out(entry, "no_known_allergies", "told to have none: that is no allergy")
        return
    found = [SEVERITY.get(text(one.get("severity")), "") for one in reactions]
    severity = max(found, key=SEVERITY_RANK.index, default="")
    if not severity and text(resource.get("criticality")) == "high":
        severity = "SV"
    said = [words_of(one) for reaction in reactions for one in nodes(reaction.get("manifestation"))]
    reaction = "; ".join(dict.fromkeys(one for one in said if one))
    draft.allergies.append(Allergy(code=code, severity=severity, reaction=reaction))
    draft.time(resource.get("recordedDate"), f"{entry.path}.recordedDate")
    fhir_notes.annotations(draft, entry, -1)


def service_request(draft: FhirDraft, entry: Entry) -> None:
    """Read ServiceRequest: an order."""
    resource = entry.resource
    if _taken_back(draft, entry):
        return
    code = code_of(resource.get("code"))
    if _is_empty(draft, entry, code):
        return
    at = draft.first_time(entry, authoredOn=resource.get("authoredOn"))
    status = status_of(resource)
    draft.orders.append(
        Order(
            code=code,
            control=ORDER_CONTROL.get(status, ""),
            status=ORDER_STATUS.get(status, ""),
            at_ms=ms_of(at),
            at_precision=coarse_of(at),
        )
    )
    fhir_notes.annotations(draft, entry, -1)


def procedure(draft: FhirDraft, entry: Entry) -> None:
    """Read Procedure: an order with how far it has come."""
    resource = entry.resource
    if _taken_back(draft, entry):
        return
    code = code_of(resource.get("code"))
    if _is_empty(draft, entry, code):
        return
    period = node(resource.get("performedPeriod"))
    at = draft.first_time(
        entry,
        performedDateTime=resource.get("performedDateTime"),
        performedPeriod=period.get("start"),
    )
    status = ORDER_STATUS.get(status_of(resource), "")
    draft.orders.append(
        Order(code=code, status=status, at_ms=ms_of(at), at_precision=coarse_of(at))
    )
    fhir_notes.annotations(draft, entry, -1)


def _medication(draft: FhirDraft, entry: Entry, dose: Node, dosage: Node, time_field: str) -> None:
    if _taken_back(draft, entry):
        return
    code = _drug(draft, entry)
    if _is_empty(draft, entry, code):
        return
    resource = entry.resource
    period = node(resource.get(f"{time_field}Period"))
    status = status_of(resource)
    started = draft.first_time(
        entry,
        **{
            time_field: resource.get(time_field),
            f"{time_field}DateTime": resource.get(f"{time_field}DateTime"),
            f"{time_field}Period": period.get("start"),
        },
    )
    draft.medications.append(
        Medication(
            code=code,
            dose=number(dose.get("value")),
            dose_unit=text(dose.get("code")) or text(dose.get("unit")),
            route=plain_code(dosage.get("route")),
            status=ORDER_CONTROL.get(status, "CP" if status == "completed" else ""),
            start_ms=ms_of(started),
            start_precision=coarse_of(started),
        )
    )
    fhir_notes.note(draft, text(dosage.get("text")), "dosage")
    fhir_notes.annotations(draft, entry, -1)


def _drug(draft: FhirDraft, entry: Entry) -> Code:
    resource = entry.resource
    concept = resource.get("medicationCodeableConcept")
    reference = node(resource.get("medicationReference"))
    either = node(resource.get("medication"))  # R5: CodeableReference
    concept = concept or either.get("concept")
    reference = reference or node(either.get("reference"))
    if concept is None and reference:
        found = draft.follow(reference, entry)
        if found is None or found.kind != "Medication":
            return Code("", "", text(reference.get("display")))
        concept = found.resource.get("code")
    return code_of(concept)


def _taken_back(draft: FhirDraft, entry: Entry) -> bool:
    status = status_of(entry.resource)
    if status in WRONG:
        draft.left_out(entry, "entered_in_error", "entered in error")
    elif status in NOT_DONE:
        draft.left_out(entry, "not_done", "not done, not given or not taken")
    return status in WRONG | NOT_DONE


def _is_empty(draft: FhirDraft, entry: Entry, code: Code) -> bool:
    if code.code or code.text:
        return False
    draft.left_out(entry, "101", "no code")
    return True
