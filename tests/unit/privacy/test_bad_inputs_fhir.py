# ruff: noqa: E501  (a case is one line)
"""FHIR: nothing that is planted in any field of any resource leaves, however deep it stands.

docs/bad-inputs.md says which case answers which bad input; a test compares the two.
"""

import base64
import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.fhir import bundle, parsed
from tests.support.shared import DATA
from tests.support.timing import assert_works_within, timed
from tests.unit.privacy.bad_inputs import Fate, Left, left_of, limit_s, shown

Node = dict[str, Any]
FULL = "Anna Vickers, MRN 10045678, 12 Elm Road, tel (555) 123-4567, anna.vickers@example.org"
SECRETS = (
    "Anna Vickers", "Vickers", "10045678", "ACC778812", "12 Elm Road", "(555) 123-4567",
    "anna.vickers@example.org", "1950-03-07", "Robert Vickers", "欧阳晓明", "ZY0098231",
)  # fmt: skip
PATIENT: Node = {
    "resourceType": "Patient",
    "id": "p1",
    "identifier": [
        {"type": {"coding": [{"code": "MR"}]}, "system": "urn:oid:1.2.3", "value": "10045678"},
        {"system": "urn:oid:1.2.4", "value": "ACC778812"},
        {"system": "urn:oid:1.2.5", "value": "ZY0098231"},
    ],
    "name": [{"family": "Vickers", "given": ["Anna"]}, {"family": "欧阳", "given": ["晓明"]}],
    "gender": "female",
    "birthDate": "1950-03-07",
    "address": [{"line": ["12 Elm Road"], "city": "Springfield", "postalCode": "90210"}],
    "telecom": [
        {"system": "phone", "value": "(555) 123-4567"},
        {"system": "email", "value": "anna.vickers@example.org"},
    ],
    "contact": [{"name": {"family": "Vickers", "given": ["Robert"]}}],
}
SUBJECT = {"reference": "urn:uuid:p1", "display": "Anna Vickers 10045678"}
LN = "http://loinc.org"


def observation(**more: Any) -> Node:
    return {
        "resourceType": "Observation", "id": "o1", "status": "final", "subject": SUBJECT,
        "code": {"coding": [{"system": LN, "code": "8867-4", "display": "Heart rate"}]},
        "effectiveDateTime": "2024-03-05T12:00:00Z",
        "valueQuantity": {"value": 88, "unit": "/min", "code": "/min"}, **more,
    }  # fmt: skip


def sent(*resources: Node) -> Left:
    return left_of(parsed(bundle(PATIENT, *resources)))


@dataclass(frozen=True)
class Case:
    """One bad input, as a resource beside the Patient."""

    name: str
    resource: Node
    fate: Fate = "cleaned"
    secrets: tuple[str, ...] = ()
    kept: str = "8867-4"


def document(text: str, kind: str = "text/plain") -> Node:
    data = base64.b64encode(text.encode()).decode()
    return {
        "resourceType": "DocumentReference", "id": "d1", "status": "current", "subject": SUBJECT,
        "content": [{"attachment": {"contentType": kind, "data": data}}],
    }  # fmt: skip


CASES = (
    Case("contained-patient", observation(contained=[{**PATIENT, "id": "c1"}], hasMember=[{"reference": "#c1"}])),
    Case("contained-practitioner", observation(
        contained=[{"resourceType": "Practitioner", "id": "dr", "name": [{"family": "Zorquel", "given": ["Tannith"]}], "identifier": [{"value": "DQ90817"}]}],
        performer=[{"reference": "#dr", "display": "Dr Zorquel"}], note=[{"text": "Zorquel agrees, DQ90817"}],
    ), secrets=("Zorquel", "Tannith"), kept="agrees"),
    Case("contained-observation", observation(
        contained=[observation(id="c2", valueString=FULL, valueQuantity=None)], hasMember=[{"reference": "#c2"}])),
    Case("contained-unused", observation(contained=[{"resourceType": "Basic", "id": "x", "text": {"div": FULL}}])),
    Case("extension", observation(extension=[{"url": "http://x.example/name", "valueString": FULL}, {"url": FULL, "valueHumanName": {"text": "Anna Vickers"}}])),
    Case("extension-within-extension", observation(extension=[{"url": "u", "extension": [{"url": "v", "valueString": FULL}]}])),
    Case("modifier-extension", observation(modifierExtension=[{"url": "http://x.example/n", "valueString": FULL}])),
    Case("primitive-extension", observation(_status={"extension": [{"url": "u", "valueString": FULL}]})),
    Case("narrative", observation(text={"status": "generated", "div": f"<div>{FULL}</div>"})),
    Case("meta", observation(meta={"source": FULL, "tag": [{"display": FULL, "code": "Vickers"}], "security": [{"display": FULL}]})),
    Case("display-of-code", observation(code={"coding": [{"system": LN, "code": "8867-4", "display": f"Heart rate of {FULL}"}], "text": FULL})),
    Case("display-of-reference", observation(subject={**SUBJECT, "display": FULL, "identifier": {"value": "10045678", "assigner": {"display": FULL}}})),
    Case("identifier-in-display", observation(performer=[{"display": FULL}], device={"display": FULL}, basedOn=[{"display": FULL, "identifier": {"value": "ACC778812"}}])),
    Case("name-in-code", observation(code={"coding": [{"system": "urn:local", "code": "Vickers", "display": "Heart"}]}), kept="Heart"),
    Case("number-in-code", observation(valueCodeableConcept={"coding": [{"system": "urn:local", "code": "10045678"}]}, valueQuantity=None)),
    Case("number-in-system", observation(valueCodeableConcept={"coding": [{"system": "urn:10045678", "code": "A", "display": "x"}]}, valueQuantity=None)),
    Case("name-in-unit", observation(valueQuantity={"value": 5, "unit": "Anna Vickers", "code": "Vickers"})),
    Case("name-in-flag", observation(interpretation=[{"text": "seen by Anna Vickers"}, {"coding": [{"code": "Vickers"}]}])),
    Case("name-in-range", observation(referenceRange=[{"text": FULL}])),
    Case("annotation-author", observation(note=[{"authorString": "Dr Zorquel", "text": f"{FULL} ok; Zorquel"}, {"authorReference": {"display": "Anna Vickers"}, "text": "ok"}]), secrets=("Zorquel",), kept="ok"),
    Case("split-over-components", observation(component=[
        {"code": {"text": "a"}, "valueString": "call Vick"}, {"code": {"text": "b"}, "valueString": "ers 1004"}, {"code": {"text": "c"}, "valueString": "5678"}])),
    Case("period-and-ratio", observation(valueQuantity=None, valueRatio={"numerator": {"value": 1, "unit": "Anna Vickers"}, "denominator": {"value": 2}})),
    Case("sampled-data", observation(valueQuantity=None, valueSampledData={"data": FULL, "origin": {"unit": "Vickers"}})),
    Case("document-text", document(FULL), kept="[ID-1]"),
    Case("document-html", document(f"<p>An<b>na</b> Vick<i>ers</i> ok</p><a href='https://x.example/?mrn=10045678&token=eyJhbGci'>x</a><p>{FULL}</p>", "text/html"), secrets=("eyJhbGci",), kept="ok"),
    Case("document-rtf", document("{\\rtf1 \\'41nna {\\b Vick}ers 1004\\'35678 ok}", "text/rtf"), secrets=("\\'41nna",), kept="ok"),
    Case("document-pdf", document("%PDF-1.4 " + FULL, "application/pdf"), kept="attachment_not_read"),
    Case("document-cda", document(f"<ClinicalDocument><name>Anna Vickers</name><id extension='10045678'/>{FULL}</ClinicalDocument>", "text/xml"), kept="ClinicalDocument"),
    Case("document-lone-surrogate", document("a\ufffd " + FULL), "held", kept="undecodable"),
    Case("document-bidi", document("\u202e" + FULL), "held", kept="undecodable"),
    Case("composition", {"resourceType": "Composition", "id": "k", "status": "final", "title": FULL, "subject": SUBJECT, "author": [{"display": "Dr Zorquel"}], "custodian": {"display": FULL},
        "section": [{"title": "Plan for Anna Vickers", "text": {"div": f"<div>An<b>na</b> {FULL} ok</div>"}, "section": [{"text": {"div": "<td>Vick</td><td>ers Zorquel</td>"}}]}]}, secrets=("Zorquel",), kept="ok"),
    Case("medication-display", {"resourceType": "MedicationRequest", "id": "m", "status": "active", "intent": "order", "subject": SUBJECT, "medicationReference": {"display": "aspirin for Anna Vickers"}, "dosageInstruction": [{"text": FULL, "route": {"text": "to Vickers"}}], "requester": {"display": FULL}}, kept="medication.order"),
    Case("allergy", {"resourceType": "AllergyIntolerance", "id": "a", "patient": SUBJECT, "code": {"text": "penicillin of Anna Vickers", "coding": [{"code": "X1"}]}, "reaction": [{"manifestation": [{"text": "rash, says Vickers"}], "description": FULL}], "asserter": {"display": FULL}}, kept="X1"),
    Case("location", {"resourceType": "Encounter", "id": "e", "status": "in-progress", "class": {"code": "IMP"}, "subject": SUBJECT, "identifier": [{"value": "ACC778812"}], "location": [{"location": {"display": "room of Anna Vickers"}}], "reasonCode": [{"text": FULL}], "serviceProvider": {"display": FULL}}, kept="encounter"),
    Case("family-member", {"resourceType": "FamilyMemberHistory", "id": "f", "status": "completed", "patient": SUBJECT, "name": "Zorquel Vickers", "relationship": {"text": "son Zorquel"}, "condition": [{"code": {"text": "asthma of Zorquel", "coding": [{"code": "J45"}]}, "note": [{"text": FULL}]}]}, secrets=("Zorquel",), kept="J45"),
    Case("resource-type", {"resourceType": "Vickers 10045678", "id": "z", "subject": SUBJECT}, kept=""),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@timed
def test_a_bad_resource_lets_nothing_out(case: Case) -> None:
    left = sent(case.resource)
    assert left.fate == case.fate
    assert shown(left, (*SECRETS, *case.secrets)) == []
    assert case.kept in left.out
    size = len(json.dumps(case.resource))
    assert_works_within(limit_s(size), lambda: sent(case.resource))


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"null", b'{"resourceType":"Patient","id":"\\ud800"}', b"<Patient/>", b"\xff\xfe",
     b'{"resourceType":"Bundle","entry":[]}' + b"[" * 100],
)  # fmt: skip
def test_what_is_no_resource_is_refused(body: bytes) -> None:
    assert left_of(parsed(body)).fate == "refused"


# Fields that say what a thing is or what it points at: another value there is another bundle.
STRUCTURE = {
    "resourceType",
    "reference",
    "fullUrl",
    "id",
    "url",
    "method",
    "type",
    "request",
    "data",
    "contentType",
    "birthDate",
}
PLANTS = (
    FULL, "Anna Vickers", "VICKERS, ANNA", "10045678", "ACC778812", "12 Elm Road", "(555) 123-4567",
    "anna.vickers@example.org", "Vickers", "欧阳晓明", "seen by 欧阳晓明 ZY0098231", "Robert Vickers",
    base64.b64encode(b"Anna Vickers 10045678").decode(), b"Anna Vickers".hex(), "An\u200bna Vick\u00aders",
)  # fmt: skip


def planted(value: Any, chance: random.Random, share: float) -> Any:
    """Return a copy with identifiers in the place of strings, and more of them in every object."""
    if isinstance(value, list):
        return [planted(one, chance, share) for one in value]
    if not isinstance(value, dict):
        is_string = isinstance(value, str)
        return chance.choice(PLANTS) if is_string and chance.random() < share else value
    if value.get("resourceType") == "Patient":
        return {**PATIENT, **{name: one for name, one in value.items() if name == "id"}}
    copy = {
        name: one if name in STRUCTURE and isinstance(one, str) else planted(one, chance, share)
        for name, one in value.items()
    }
    if "resourceType" in value and value["resourceType"] != "Bundle":
        copy["text"] = {"div": f"<div>{chance.choice(PLANTS)}</div>"}
        copy.setdefault(
            "note", [{"text": chance.choice(PLANTS), "authorString": chance.choice(PLANTS)}]
        )
    copy["extension"] = [{"url": "urn:x", "valueString": chance.choice(PLANTS)}]
    if "reference" in value or "coding" in value:
        copy["display"] = copy["text"] = chance.choice(PLANTS)
    return copy


def rich() -> list[Node]:
    return [case.resource for case in CASES if case.fate == "cleaned"]


@pytest.mark.parametrize("seed", range(12))
def test_nothing_planted_in_our_own_resources_leaves(seed: int) -> None:
    chance = random.Random(seed)
    resources = [{**one, "id": f"r{place}"} for place, one in enumerate(rich())]
    left = left_of(parsed(planted(bundle(PATIENT, *resources), chance, 0.3)))
    assert left.events
    assert shown(left, SECRETS) == []


@pytest.mark.shared_data
@pytest.mark.parametrize(
    "path", sorted((DATA / "hl7" / "fhir").rglob("*.json")), ids=lambda path: path.stem
)
def test_nothing_planted_in_a_shared_bundle_leaves(path: Path) -> None:
    sent_by_somebody = json.loads(path.read_bytes())
    for share in (0.1, 0.6):
        chance = random.Random(path.name)
        left = left_of(parsed(planted(sent_by_somebody, chance, share)))
        assert shown(left, SECRETS) == []
