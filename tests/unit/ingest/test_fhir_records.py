"""Conditions, medications, allergies, orders, documents of FHIR."""

from base64 import b64encode
from typing import Any

import pytest

from contracts.clinical import Allergy, Condition, Medication, Order
from contracts.observation import Code
from services.ingest.fhir_codes import code_of
from services.ingest.fhir_notes import plain
from tests.support.fhir import Node, bundle, of_patient, only, patient

SNOMED = "http://snomed.info/sct"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
DRUG = {"coding": [{"system": RXNORM, "code": "834061", "display": "Penicillin V 250 mg"}]}
AT_MS = 1_714_561_200_000
AT = "2024-05-01T11:00:00Z"


def concept(code: str, system: str = SNOMED) -> Node:
    return {"coding": [{"system": system, "code": code}]}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"coding": [{"system": "http://loinc.org", "code": "1-8"}]}, Code("LN", "1-8")),
        (
            {"coding": [{"system": "urn:x", "code": "a"}, {"system": SNOMED, "code": "b"}]},
            Code("SCT", "b"),
        ),
        ({"coding": [{"system": "urn:x", "code": "a"}], "text": "A"}, Code("urn:x", "a", "A")),
        (
            {
                "coding": [
                    {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "a"}
                ]
            },
            Code("v3-ActCode", "a"),
        ),
        (
            {"coding": [{"system": f"http://a.example/{'x' * 60}/CodeSystem/wards", "code": "a"}]},
            Code("wards", "a"),
        ),
        ({"text": "only words"}, Code("", "", "only words")),
        ({"coding": "no list"}, Code("", "")),
        (7, Code("", "")),
    ],
)
def test_codes(given: object, expected: Code) -> None:
    assert code_of(given) == expected


@pytest.mark.parametrize(
    ("clinical", "verified", "status"),
    [
        ("active", "confirmed", "active"),
        ("resolved", "", "resolved"),
        ("active", "provisional", "W"),
        ("active", "refuted", "DE"),
        ("", "entered-in-error", "DE"),
    ],
)
def test_conditions(clinical: str, verified: str, status: str) -> None:
    body = only(
        of_patient(
            "Condition",
            code=concept("444814009"),
            clinicalStatus=concept(clinical, "x") if clinical else None,
            verificationStatus=concept(verified, "x") if verified else None,
            onsetDateTime=AT,
        )
    )
    assert body.conditions == (
        Condition(code=Code("SCT", "444814009"), at_ms=AT_MS, status=status),
    )


DOSE = {
    "route": concept("PO", "urn:r"),
    "text": "one tablet",
    "doseAndRate": [{"doseQuantity": {"value": 250, "code": "mg"}}],
}


@pytest.mark.parametrize(
    ("kind", "said", "status"),
    [
        (
            "MedicationRequest",
            {"status": "active", "authoredOn": AT, "dosageInstruction": [DOSE]},
            "NW",
        ),
        (
            "MedicationRequest",
            {"status": "stopped", "authoredOn": AT, "dosageInstruction": DOSE},
            "DC",
        ),
        (
            "MedicationStatement",
            {"status": "active", "effectiveDateTime": AT, "dosage": [DOSE]},
            "NW",
        ),
        (
            "MedicationAdministration",
            {
                "status": "completed",
                "effectivePeriod": {"start": AT},
                "dosage": DOSE | {"dose": {"value": 250, "unit": "mg"}},
            },
            "CP",
        ),
        (
            "MedicationDispense",
            {"status": "completed", "whenHandedOver": AT, "dosageInstruction": [DOSE]},
            "CP",
        ),
    ],
)
def test_medications(kind: str, said: Node, status: str) -> None:
    body = only(of_patient(kind, medicationCodeableConcept=DRUG, **said))
    assert body.medications == (
        Medication(
            code=Code("RXNORM", "834061", "Penicillin V 250 mg"),
            dose=250,
            dose_unit="mg",
            route="PO",
            status=status,
            start_ms=AT_MS,
        ),
    )
    assert [note.text for note in body.notes] == ["one tablet"]


def test_a_medication_by_reference() -> None:
    drug = {"resourceType": "Medication", "id": "m", "code": DRUG}
    request = {
        "resourceType": "MedicationRequest",
        "subject": {"reference": "urn:uuid:p1"},
        "medicationReference": {"reference": "urn:uuid:m"},
    }
    inside = request | {"medicationReference": {"reference": "#m"}, "contained": [drug]}
    elsewhere = request | {
        "medicationReference": {"reference": "Medication/1", "display": "Aspirin"}
    }
    body = only(bundle(patient(), drug, request, inside, elsewhere))
    assert [one.code.code for one in body.medications] == ["834061", "834061", ""]
    assert body.medications[2].code.text == "Aspirin"
    assert body.findings == ()


@pytest.mark.parametrize(
    ("kind", "said", "code"),
    [
        ("MedicationRequest", {"status": "entered-in-error"}, "entered_in_error"),
        ("MedicationRequest", {"intent": "proposal"}, "not_ordered"),
        ("MedicationAdministration", {"status": "not-done"}, "not_done"),
        ("MedicationStatement", {"status": "not-taken"}, "not_done"),
        ("Immunization", {"status": "not-done", "vaccineCode": DRUG}, "not_done"),
        ("Procedure", {"status": "not-done", "code": DRUG}, "not_done"),
        ("ServiceRequest", {"status": "entered-in-error", "code": DRUG}, "entered_in_error"),
        ("Condition", {}, "101"),
        ("Procedure", {}, "101"),
        ("DocumentReference", {"status": "entered-in-error"}, "entered_in_error"),
        ("Composition", {"status": "entered-in-error"}, "entered_in_error"),
        ("AllergyIntolerance", {"verificationStatus": concept("refuted", "x")}, "deleted"),
    ],
)
def test_what_is_not_so_is_named_and_not_passed_on(kind: str, said: Node, code: str) -> None:
    body = only(of_patient(kind, medicationCodeableConcept=DRUG, **said))
    assert [(one.code, one.where) for one in body.findings] == [(code, "Bundle.entry[1].resource")]
    passed_on = (body.medications, body.orders, body.allergies, body.conditions, body.notes)
    assert passed_on == ((), (), (), (), ())


@pytest.mark.parametrize(
    ("said", "severity"),
    [
        ({"reaction": [{"severity": "mild"}, {"severity": "severe"}]}, "SV"),
        ({"reaction": [{"severity": "moderate"}], "criticality": "high"}, "MO"),
        ({"criticality": "high"}, "SV"),
        ({"criticality": "low"}, ""),
    ],
)
def test_allergies(said: Node, severity: str) -> None:
    rash = {"manifestation": [{"text": "rash"}]}
    reactions = [one | rash for one in said.get("reaction", [{}])]
    body = only(of_patient("AllergyIntolerance", code=DRUG, **said | {"reaction": reactions}))
    expected = Code("RXNORM", "834061", "Penicillin V 250 mg")
    assert body.allergies == (Allergy(code=expected, severity=severity, reaction="rash"),)


def test_orders_procedures_and_immunizations() -> None:
    def mine(kind: str, **said: Any) -> Node:
        return {"resourceType": kind, "subject": {"reference": "urn:uuid:p1"}, **said}

    body = only(
        bundle(
            patient(),
            mine("ServiceRequest", status="active", code=concept("1"), authoredOn=AT),
            mine("Procedure", status="completed", code=concept("2"), performedDateTime=AT),
            mine(
                "Immunization",
                status="completed",
                vaccineCode=concept("140", "http://hl7.org/fhir/sid/cvx"),
                occurrenceDateTime=AT,
            ),
        )
    )
    assert body.orders == (
        Order(code=Code("SCT", "1"), control="NW", status="IP", at_ms=AT_MS),
        Order(code=Code("SCT", "2"), status="CM", at_ms=AT_MS),
    )
    assert body.medications == (Medication(code=Code("CVX", "140"), status="CP", start_ms=AT_MS),)


def attached(content: bytes, kind: str) -> Node:
    return {"attachment": {"contentType": kind, "data": b64encode(content).decode()}}


@pytest.mark.parametrize(
    ("content", "text", "codes"),
    [
        (attached("Café".encode(), "text/plain"), "Café", []),
        (attached("Café".encode("cp1252"), "text/plain; charset=cp1252"), "Café", []),
        (attached("胸痛".encode("gb18030"), "text/plain;charset=gb18030"), "胸痛", []),
        (attached(b"<p>a &amp; b</p><p>c</p>", "text/html"), "a & b\nc", []),
        (attached(b"%PDF-1.4", "application/pdf"), None, ["attachment_not_read"]),
        ({"attachment": {"contentType": "text/plain", "data": "%%%"}}, None, ["102"]),
        ({"attachment": {"contentType": "text/plain", "data": 7}}, None, ["102"]),
        ({"attachment": {"url": "http://elsewhere/1"}}, None, ["attachment_not_here"]),
        ({"attachment": {"url": "urn:uuid:b"}}, "from the Binary", []),
    ],
)
def test_documents(content: Node, text: str | None, codes: list[str]) -> None:
    binary = {
        "resourceType": "Binary",
        "id": "b",
        "contentType": "text/plain",
        "data": b64encode(b"from the Binary").decode(),
    }
    document = {
        "resourceType": "DocumentReference",
        "subject": {"reference": "urn:uuid:p1"},
        "type": {"text": "Discharge letter"},
        "content": [content],
    }
    body = only(bundle(patient(), document, binary))
    found = [one.code for one in body.findings if one.where.startswith("Bundle.entry[1]")]
    assert found == codes
    said = [(note.text, note.kind) for note in body.notes]
    assert said == ([(text, "Discharge letter")] if text else [])


def test_a_composition_is_one_note_of_its_sections() -> None:
    body = only(
        of_patient(
            "Composition",
            type={"text": "Summary"},
            section=[
                {"title": "Plan", "text": {"div": "<div>Rest.<br/>Fluids.</div>"}},
                {"section": [{"title": "Later", "text": {"div": "<div>Review</div>"}}]},
            ],
        )
    )
    (note,) = body.notes
    assert (note.text, note.kind, note.lang) == (
        "Plan\nRest.\nFluids.\nLater\nReview",
        "Summary",
        "en",
    )


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("a<script>x</script>b<style>y", "ab"),
        ("1 < 2 and 3 &gt; 2", "1 < 2 and 3 > 2"),
        ("<p>a\nb</p>", "a b"),
        ("O<b>ka</b>for <td>1</td><td>2</td>", "Okafor 1 2"),
        ("<li>x</li><li>y</li>", "x\ny"),
    ],
)
def test_markup(markup: str, text: str) -> None:
    assert plain(markup) == text
