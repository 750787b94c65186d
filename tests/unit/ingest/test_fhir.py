"""FHIR bodies as a whole: what is refused, whose each entry is, ids, kinds of event, accounting."""

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.identified import IdentityLink, PatientId
from services.ingest.fhir import control_id_of, parse_fhir
from services.ingest.fhir_json import DEPTH_MAX, ENTRIES_MAX
from services.ingest.fhir_outcome import operation_outcome
from services.ingest.parse import SourceProfile
from tests.support.fhir import (
    KEYS,
    RECEIVED_AT_MS,
    SOURCE,
    Node,
    bundle,
    observation,
    only,
    parsed,
    patient,
    quantity,
)
from tests.support.timing import assert_within, timed

VALUE = quantity(80, "/min")


def words(text: str) -> list[str]:
    return text.split()


def codes(found: Any) -> list[str]:
    return [finding.code for finding in found.findings]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "structure"),
        (b"{", "structure"),
        (b"MSH|^~\\&|", "structure"),
        (b'{"a":1e999}', "structure"),
        (b'"\\ud800"', "structure"),
        (b'{"resourceType":"Patient","x":"\xff"}', "structure"),
        (b"<Patient xmlns='http://hl7.org/fhir'/>", "not_supported"),
        (b" \n<Bundle/>", "not_supported"),
        (b"[]", "no_resource_type"),
        (b"{}", "no_resource_type"),
        (b'{"resourceType":7}', "no_resource_type"),
        (b"[" * 1_000_000, "too_deep"),
        (b'{"resourceType":"X","a":' + b"[" * DEPTH_MAX + b"]" * DEPTH_MAX + b"}", "too_deep"),
        (
            json.dumps({"resourceType": "Bundle", "entry": [{}] * (ENTRIES_MAX + 1)}).encode(),
            "too_many_entries",
        ),
    ],
)
def test_only_what_cannot_be_worked_with_is_refused(body: bytes, code: str) -> None:
    found = parsed(body)
    assert (found.code, codes(found), found.events) == ("AR", [code], ())
    outcome = json.loads(operation_outcome(found.findings))
    assert outcome["resourceType"] == "OperationOutcome"
    (issue,) = outcome["issue"]
    assert issue["severity"] == "error"
    assert issue["details"]["coding"][0]["code"] == code


@pytest.mark.parametrize(
    ("raw", "charset"),
    [
        (lambda said: said.encode("utf-8-sig"), "utf-8"),
        (lambda said: said.encode("utf-16"), "utf-16"),
        (lambda said: said.encode("gb18030"), "gb18030"),
    ],
)
def test_charsets(raw: Any, charset: str) -> None:
    body = json.dumps(patient(name="p9") | {"name": [{"family": "张"}]}, ensure_ascii=False)
    found = parsed(raw(body), SourceProfile("test", charset="gb18030"))
    assert (found.code, found.charset) == ("AA", charset)
    assert found.events[0].body.patient.names[0].family == "张"


def test_the_same_content_has_the_same_id_however_it_is_written() -> None:
    sent = bundle(patient(), observation(valueQuantity=VALUE), id="b1", timestamp="2024-05-01")
    reordered = dict(reversed(sent.items())) | {"timestamp": "2024-05-02T10:00:00Z"}
    first, again = parsed(sent), parsed(json.dumps(reordered, indent=3).encode())
    other = parsed(bundle(patient(), observation(valueQuantity=quantity(81, "/min")), id="b1"))
    assert first.events[0].event_id == again.events[0].event_id
    assert first.content == again.content
    assert other.events[0].event_id != first.events[0].event_id
    assert other.answer_key == first.answer_key  # the same bundle id with other content
    assert control_id_of(first) == "b1"


def test_a_single_resource_has_no_control_id() -> None:
    one = parsed(observation(subject="Patient/7", valueQuantity=VALUE, id="o1"))
    two = parsed(observation(subject="Patient/7", valueQuantity=quantity(9, "/min"), id="o1"))
    assert control_id_of(one) == ""
    assert one.answer_key != two.answer_key


def test_several_patients_are_several_events_none_of_which_holds_another() -> None:
    found = parsed(
        bundle(
            patient("a", "1"),
            observation(subject="urn:uuid:b", valueQuantity=VALUE),
            patient("b", "2", name=[{"family": "Zweig"}]),
            observation(subject="urn:uuid:a", valueQuantity=VALUE),
            {"resourceType": "Claim", "patient": {"reference": "urn:uuid:b"}, "id": "c"},
            {"resourceType": "CarePlan", "id": "n"},
        )
    )
    *patients, nobody = found.events
    assert [event.body.patient.ids[0].value for event in patients] == ["1", "2"]
    assert [len(event.body.observations) for event in patients] == [1, 1]
    assert len({event.event_id for event in found.events}) == 3
    assert len({event.route_key for event in found.events}) == 3
    assert b"Zweig" not in found.events[0].body.raw
    assert b"Zweig" in found.events[1].body.raw
    assert codes(patients[1].body) == ["not_mapped"]
    # What is nobody's is stored too, alone; each entry stands in exactly one event.
    assert (nobody.body.event_type, nobody.body.patient.ids) == ("non_clinical", ())
    stored = [
        one["resource"].get("id") for e in found.events for one in json.loads(e.body.raw)["entry"]
    ]
    assert sorted(filter(None, stored)) == ["a", "b", "c", "n"]
    assert sorted(codes(found)) == ["no_patient", "not_mapped", "not_mapped"]


@pytest.mark.parametrize(
    ("reference", "value", "assigner"),
    [
        ({"reference": "Patient/9"}, "9", "fhir:H"),
        ({"reference": "Patient/9/_history/3"}, "9", "fhir:H"),
        ({"reference": "https://ehr.example/r4/Patient/9"}, "9", "https://ehr.example/r4"),
        ({"reference": "Patient?identifier=urn:oid:1.2.3|700"}, "700", "1.2.3"),
        ({"identifier": {"system": "urn:oid:1.2.3", "value": "700"}}, "700", "1.2.3"),
        ({"identifier": {"value": "700"}}, "700", "H"),
    ],
)
def test_a_patient_who_is_only_referred_to(reference: Node, value: str, assigner: str) -> None:
    said = observation(valueQuantity=VALUE) | {"subject": reference}
    body = only(said)
    assert (body.patient.ids[0].value, body.patient.ids[0].assigner) == (value, assigner)
    assert body.event_type == "observation.result"


@pytest.mark.parametrize(
    "reference",
    [
        {"reference": "urn:uuid:p1"},
        {"reference": "Patient/p1"},
        {"reference": "Patient?identifier=urn:oid:1.2.3|700123"},
        {"identifier": {"system": "urn:oid:1.2.3", "value": "700123"}, "type": "Patient"},
    ],
)
def test_a_patient_in_the_bundle_is_found_by_every_kind_of_reference(reference: Node) -> None:
    body = only(bundle(patient(), observation(valueQuantity=VALUE) | {"subject": reference}))
    assert body.patient.ids == (PatientId("700123", "1.2.3", "MR"),)


def test_a_contained_patient_and_the_urls_of_a_server() -> None:
    held = observation(valueQuantity=VALUE, subject="#me") | {"contained": [patient("me", "5")]}
    assert only(held).patient.ids == (PatientId("5", "1.2.3", "MR"),)
    server = "https://ehr.example/r4"
    found = {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [
            {"fullUrl": f"{server}/Patient/p1", "resource": patient()},
            {
                "fullUrl": f"{server}/Observation/o1",
                "resource": observation(subject="Patient/p1", valueQuantity=VALUE, id="o1"),
            },
        ],
    }
    body = only(found)
    logical = PatientId("p1", server, "RI")
    assert body.patient.ids == (PatientId("700123", "1.2.3", "MR"), logical)
    # An Observation that comes alone later names only this id.
    assert body.links == (IdentityLink(other=logical, link=True, trigger="RI"),)


def test_the_id_in_a_post_is_not_one_the_server_gives() -> None:
    sent = bundle(patient(), kind="transaction")
    sent["entry"][0]["request"] = {"method": "POST", "url": "Patient"}
    assert only(sent).links == ()
    sent["entry"][0]["request"] = {"method": "PUT", "url": "Patient/p1"}
    assert [link.other.value for link in only(sent).links] == ["p1"]


@pytest.mark.parametrize(
    ("subject", "code"),
    [
        ({"reference": "Group/1"}, "reference_unresolved"),
        ({"reference": "urn:uuid:nowhere"}, "reference_unresolved"),
        ({"display": "somebody"}, "reference_unresolved"),
        ({"reference": "urn:uuid:g"}, "subject_not_patient"),
    ],
)
def test_an_entry_whose_patient_cannot_be_told_is_named(subject: Node, code: str) -> None:
    group = {"resourceType": "Group", "id": "g"}
    sent = bundle(patient(), group, observation(valueQuantity=VALUE) | {"subject": subject})
    found = parsed(sent)
    assert found.events[0].body.observations == ()
    assert {(one.code, one.where) for one in found.findings} == {
        ("not_mapped", "Bundle.entry[1].resource"),
        (code, "Bundle.entry[2].resource"),
    }


def test_without_a_subject_the_visit_tells_then_the_only_patient() -> None:
    visit = {"resourceType": "Encounter", "id": "e1", "subject": {"reference": "urn:uuid:b"}}
    of_visit = observation(valueQuantity=VALUE) | {"encounter": {"reference": "urn:uuid:e1"}}
    del of_visit["subject"]
    found = parsed(bundle(patient("a", "1"), patient("b", "2"), visit, of_visit))
    assert [len(event.body.observations) for event in found.events] == [0, 1]
    lone = observation(valueQuantity=VALUE)
    del lone["subject"]
    assert codes(only(bundle(patient(), lone))) == ["subject_assumed"]
    nobodys = parsed(bundle(patient("a", "1"), patient("b", "2"), lone)).events[2].body
    assert codes(nobodys) == ["no_subject", "no_patient"]


@pytest.mark.parametrize(
    ("resources", "event_type"),
    [
        ([], "person.update"),
        ([observation(valueQuantity=VALUE)], "observation.result"),
        ([{"resourceType": "Encounter", "status": "in-progress"}], "encounter.update"),
        ([{"resourceType": "Encounter", "status": "finished"}], "encounter.discharge"),
        ([{"resourceType": "Encounter", "status": "planned"}], "encounter.pre_admit"),
        ([{"resourceType": "Encounter", "status": "cancelled"}], "encounter.cancel_admit"),
        (
            [
                {"resourceType": "Encounter", "status": "finished"},
                observation(valueQuantity=VALUE),
            ],
            "observation.result",
        ),
        (
            [
                {"resourceType": "Encounter", "status": "cancelled"},
                observation(valueQuantity=VALUE),
            ],
            "observation.result",
        ),
        (
            [
                {"resourceType": "Encounter", "status": "in-progress"},
                observation(valueQuantity=VALUE),
            ],
            "encounter.update",
        ),
        ([{"resourceType": "Condition", "code": {"text": "x"}}], "problem"),
        ([{"resourceType": "ServiceRequest", "code": {"text": "x"}}], "order"),
        ([{"resourceType": "Immunization", "vaccineCode": {"text": "x"}}], "immunization"),
        (
            [{"resourceType": "MedicationRequest", "medicationCodeableConcept": {"text": "x"}}],
            "medication.order",
        ),
        ([{"resourceType": "Composition"}], "document"),
    ],
)
def test_kinds_of_event(resources: list[Node], event_type: str) -> None:
    mine = [{"subject": {"reference": "urn:uuid:p1"}} | one for one in resources]
    assert only(bundle(patient(), *mine)).event_type == event_type


def test_a_message_header_names_the_trigger() -> None:
    header = {
        "resourceType": "MessageHeader",
        "eventCoding": {
            "system": "http://terminology.hl7.org/CodeSystem/v2-0003",
            "code": "A02",
        },
        "source": {"name": "EHR", "endpoint": "http://ehr.example"},
    }
    body = only(bundle(header, patient(), kind="message", id="m1"))
    assert (body.event_type, body.application, body.control_id) == (
        "encounter.transfer",
        "EHR",
        "m1",
    )
    assert body.findings == ()


def test_each_part_of_a_message_has_its_header() -> None:
    header = {"resourceType": "MessageHeader", "source": {"name": "EHR"}}
    found = parsed(bundle(header, patient("a", "1"), patient("b", "2"), kind="message"))
    for event in found.events:
        entries = json.loads(event.body.raw)["entry"]
        assert [one["resource"]["resourceType"] for one in entries] == ["MessageHeader", "Patient"]


@pytest.mark.parametrize(
    ("kind", "event_type"),
    [("IMP", "encounter.admit"), ("EMER", "encounter.register"), ("AMB", "encounter.register")],
)
def test_a_new_visit_is_an_admission_or_a_registration(kind: str, event_type: str) -> None:
    visit = {
        "resourceType": "Encounter",
        "status": "in-progress",
        "class": {"code": kind},
        "subject": {"reference": "urn:uuid:p1"},
    }
    sent = bundle(patient(), visit, kind="transaction")
    sent["entry"][1]["request"] = {"method": "POST", "url": "Encounter"}
    assert only(sent).event_type == event_type


def test_replaced_records_are_linked() -> None:
    linked = [{"other": {"reference": "urn:uuid:old"}, "type": "replaces"}]
    found = parsed(bundle(patient(link=linked), patient("old", "600")))
    first = found.events[0].body
    assert first.event_type == "identity.merged"
    assert first.links == (
        IdentityLink(other=PatientId("600", "1.2.3", "MR"), link=True, trigger="replaces"),
    )


def test_without_a_patient_the_event_is_not_clinical() -> None:
    found = parsed({"resourceType": "Organization", "name": "x"})
    assert found.events[0].body.event_type == "non_clinical"
    assert sorted(codes(found)) == ["no_patient", "not_mapped"]


def test_older_versions_of_a_history_are_left() -> None:
    newer = observation(valueQuantity=VALUE, id="o1")
    older = observation(valueQuantity=quantity(10, "/min"), id="o1")
    body = only(bundle(patient(), newer, older, kind="history"))
    assert [one.value for one in body.observations] == [80]
    assert codes(body) == ["older_version"]


def test_what_happened_last_says_when_and_no_future_time_does() -> None:
    sent = bundle(
        patient(meta={"lastUpdated": "2024-05-01T12:00:00Z"}),
        observation(valueQuantity=VALUE),
        observation(valueQuantity=VALUE, effectiveDateTime="2024-05-01T10:30:00+02:00"),
        observation(valueQuantity=VALUE, effectiveDateTime="2094-05-01"),
    )
    body = only(sent)
    assert body.occurred_at_ms == 1_714_561_200_000  # 11:00Z
    assert (body.occurred_precision, body.occurred_zone) == ("second", "sent")
    alone = only(bundle(patient(), timestamp="2024-05-01T09:00:00+02:00"))
    assert alone.occurred_at_ms == 1_714_546_800_000
    never = only(patient())
    assert (never.occurred_at_ms, never.occurred_precision) == (RECEIVED_AT_MS, "unknown")


def test_each_entry_is_mapped_or_named() -> None:
    sent = bundle(
        patient(),
        observation(valueQuantity=VALUE),
        {"resourceType": "Claim", "id": "c"},
        {"resourceType": "Practitioner", "id": "d"},
        {"resourceType": "John Doe, born 1950"},
        {},
    )
    found = only(sent)
    named = {one.where: (one.code, one.text) for one in found.findings}
    assert named == {
        "Bundle.entry[2].resource": ("not_mapped", "Claim"),
        "Bundle.entry[3].resource": ("not_mapped", "Practitioner: nothing here uses it"),
        "Bundle.entry[4].resource": ("not_mapped", "no resource type of FHIR"),
        "Bundle.entry[5]": ("no_resource", "an entry without a resource"),
    }
    issues = json.loads(operation_outcome(found.findings))["issue"]
    assert {issue["severity"] for issue in issues} == {"information"}
    assert issues[0]["expression"] == ["Bundle.entry[2].resource"]


def test_warnings_are_bounded_apart_from_what_was_left_out() -> None:
    odd = [observation(valueString="x", effectiveDateTime="soon") for _ in range(60)]
    left = [{"resourceType": "Goal", "subject": {"reference": "urn:uuid:p1"}} for _ in range(70)]
    found = codes(only(bundle(patient(), *left, *odd)))
    assert (found.count("not_mapped"), found.count("102")) == (70, 50)


def test_a_deletion_is_named() -> None:
    sent = bundle(patient(), {})
    sent["entry"][1] = {"request": {"method": "DELETE", "url": "Observation/1"}}
    (finding,) = only(sent).findings
    assert (finding.code, finding.text) == ("not_mapped", "a deletion")


@pytest.mark.parametrize(
    "more",
    [
        {
            "contained": [observation(id=f"c{n}", valueInteger=n) for n in range(3000)],
            "result": [{"reference": f"#c{n}"} for n in range(3000)],
        },
        {
            "contained": [
                {"resourceType": "Practitioner", "id": "d", "identifier": [{"value": ""}] * 20_000}
            ],
            "performer": [{"reference": "#d"}] * 20_000,
        },
        {"conclusion": "<" * 1_000_000, "presentedForm": [{"contentType": "text/html"}]},
    ],
)
@timed
def test_work_grows_with_the_size_alone(more: Node) -> None:
    report = {"resourceType": "DiagnosticReport", "code": {"text": "x"}} | more
    report["subject"] = {"reference": "urn:uuid:p1"}
    raw = json.dumps(bundle(patient(), report)).encode()
    began_s = time.process_time()
    assert parsed(raw).code == "AA"
    assert_within(time.process_time() - began_s, 5 * (1 + len(raw) / 1_000_000))


def test_an_outcome_has_an_issue_even_when_all_is_well() -> None:
    (issue,) = json.loads(operation_outcome(()))["issue"]
    assert (issue["severity"], issue["code"]) == ("information", "informational")


FIELDS = st.sampled_from(
    words(
        "identifier name telecom address contact link status class participant location period "
        "code coding system value valueQuantity valueString valueRatio component subject reference "
        "effectiveDateTime note text reaction dosageInstruction content attachment data "
        "contentType section result hasMember contained meta lastUpdated type display given family "
        "url medicationReference medicationCodeableConcept resourceType id start end"
    )
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=4),
    max_leaves=20,
)
KINDS = st.sampled_from(
    words(
        "Patient Observation Encounter Condition MedicationRequest MedicationAdministration "
        "AllergyIntolerance FamilyMemberHistory ServiceRequest DiagnosticReport DocumentReference "
        "Composition Immunization Procedure RelatedPerson Coverage Practitioner Location Foo"
    )
)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(KINDS, st.dictionaries(FIELDS, JSON, max_size=8)), max_size=4))
def test_nothing_that_is_json_makes_it_raise(resources: list[tuple[str, Node]]) -> None:
    made = [
        {"subject": {"reference": "urn:uuid:p1"}, **said, "resourceType": kind}
        for kind, said in resources
    ]
    sent = {
        "resourceType": "Bundle",
        "entry": [{"fullUrl": "urn:uuid:p1", "resource": patient()}]
        + [{"resource": one} for one in made],
    }
    raw = json.dumps(sent, allow_nan=False) if _is_finite(sent) else "{}"
    found = parse_fhir(raw.encode(errors="replace"), SOURCE, KEYS, RECEIVED_AT_MS)
    assert found.code in {"AA", "AR"}
    json.loads(operation_outcome(found.findings))


def _is_finite(value: object) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return True


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_nothing_that_is_bytes_makes_it_raise(body: bytes) -> None:
    assert parse_fhir(body, SOURCE, KEYS, 0).code in {"AA", "AR"}
