"""Patient and Encounter of FHIR: identifiers, names, what identifies, where and with whom."""

import json

import pytest

from contracts.identified import PatientId, PersonName, Staff
from services.ingest.fhir import parse_fhir
from services.ingest.parse import SourceProfile, parse
from tests.support.fhir import KEYS, SOURCE, Node, bundle, of_patient, only, patient

KIND = "http://terminology.hl7.org/CodeSystem/v2-0203"


def identifier(value: str, code: str = "", **more: object) -> Node:
    kind = {"type": {"coding": [{"system": KIND, "code": code}]}} if code else {}
    return {"value": value, **kind, **more}


def test_identifiers_in_order_of_preference_with_assigner_and_type() -> None:
    body = only(
        {
            "resourceType": "Patient",
            "identifier": [
                identifier("9", "SS", system="http://hl7.org/fhir/sid/us-ssn"),
                identifier("old", "MR", system="urn:oid:1.2.3", use="old"),
                identifier("5", "PI", assigner={"display": "Clinic"}),
                identifier("7", "MR", system="urn:oid:1.2.3"),
                identifier("8"),
                identifier(""),
            ],
        }
    )
    assert body.patient.ids == (
        PatientId("7", "1.2.3", "MR"),
        PatientId("5", "Clinic", "PI"),
        PatientId("9", "http://hl7.org/fhir/sid/us-ssn", "SS"),
        PatientId("8", SOURCE.assigner, ""),
        PatientId("old", "1.2.3", "MR"),
    )


def test_a_system_may_be_known_by_the_name_that_v2_feeds_use() -> None:
    source = SourceProfile("ehr", assigners={"https://hospital.example/mrn": "WESTBROOK"})
    number = identifier("700123", "MR", system="https://hospital.example/mrn")
    fhir = parse_fhir(
        json.dumps({"resourceType": "Patient", "identifier": [number]}).encode(), source, KEYS, 0
    )
    hl7 = parse(
        b"MSH|^~\\&|A|B|||2024||ADT^A08|1|P|2.5\rPID|1||700123^^^WESTBROOK^MR\r", source, KEYS, 0
    )
    assert fhir.events[0].body.patient.ids == hl7.events[0].body.patient.ids
    assert fhir.events[0].route_key == hl7.events[0].route_key  # one partition, in order


def test_who_it_is() -> None:
    body = only(
        patient(
            name=[
                {"family": "Chalmers", "given": ["Peter", "James"], "prefix": ["Dr"]},
                {"text": "Jim"},
                {"use": "usual"},
            ],
            gender="male",
            birthDate="1974-12",
            deceasedDateTime="2024-04-30T10:00:00Z",
        )
    )
    assert body.patient.names == (
        PersonName("Chalmers", "Peter", "James", prefix="Dr"),
        PersonName(family="Jim"),
    )
    assert (body.patient.sex, body.patient.birth_date) == ("M", "1974-12")
    assert body.patient.deceased
    assert body.patient.others["DATE"] == ("2024-04-30",)


@pytest.mark.parametrize(
    ("birth_date", "read", "codes"),
    [
        ("1974-12-25", "1974-12-25", []),
        ("1974", "1974", []),
        ("1974-13-45", "1974", ["102"]),
        ("yesterday", "", ["102"]),
        (7, "", ["102"]),
    ],
)
def test_birth_dates(birth_date: object, read: str, codes: list[str]) -> None:
    body = only(patient(birthDate=birth_date))
    assert body.patient.birth_date == read
    assert [one.code for one in body.findings] == codes


def test_every_string_that_tells_on_them_is_known_to_the_scrub() -> None:
    body = only(
        bundle(
            patient(
                address=[{"line": ["534 Erewhon St"], "city": "Vic", "postalCode": "3999"}],
                telecom=[
                    {"system": "phone", "value": "555 6473"},
                    {"system": "email", "value": "p@example.org"},
                    {"value": "q@example.org"},
                    {"system": "url", "value": "example.org/p"},
                ],
                contact=[{"name": {"family": "March", "given": ["Ada"]}}],
                extension=[
                    {
                        "url": "http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName",
                        "valueString": "Bernier",
                    },
                    {"url": "birthPlace", "valueAddress": {"city": "Turin"}},
                ],
                generalPractitioner=[{"reference": "urn:uuid:d1"}],
            ),
            {"resourceType": "Practitioner", "id": "d1", "name": [{"family": "Okafor"}]},
            {
                "resourceType": "RelatedPerson",
                "patient": {"reference": "urn:uuid:p1"},
                "name": [{"family": "Bixby", "given": ["Kent"]}],
                "birthDate": "1950-02-03",
            },
            {
                "resourceType": "Coverage",
                "beneficiary": {"reference": "urn:uuid:p1"},
                "identifier": [{"value": "POL-1"}],
                "subscriberId": "SUB-1",
            },
            {
                "resourceType": "Account",
                "subject": [{"reference": "urn:uuid:p1"}],
                "identifier": [{"value": "ACC-1"}],
            },
            {
                "resourceType": "DocumentReference",
                "subject": {"reference": "urn:uuid:p1"},
                "description": "seen by Okafor",
            },
        )
    )
    assert body.findings == ()
    assert body.patient.others == {
        "LOC": ("534 Erewhon St", "Vic", "3999", "Turin"),
        "PHONE": ("555 6473",),
        "EMAIL": ("p@example.org", "q@example.org"),
        "ID": ("example.org/p", "POL-1", "SUB-1", "ACC-1"),
        "NAME": ("Ada March", "Bernier", "Kent Bixby"),
        "STAFF": ("Okafor",),
        "DATE": ("1950-02-03",),
    }


def test_the_visit() -> None:
    body = only(
        bundle(
            patient(),
            {
                "resourceType": "Encounter",
                "id": "e1",
                "identifier": [{"value": "V-55"}],
                "status": "in-progress",
                "class": {"code": "IMP"},
                "subject": {"reference": "urn:uuid:p1"},
                "period": {"start": "2024-05-01T08:00:00+02:00"},
                "participant": [
                    {
                        "type": [{"coding": [{"code": "ATND"}]}],
                        "individual": {"reference": "urn:uuid:r1"},
                    },
                    {"individual": {"reference": "Practitioner/77", "display": "Dr Lang"}},
                    {"individual": {"display": "Nurse Low"}},
                    {"individual": {"reference": "RelatedPerson/1"}},
                ],
                "location": [
                    {"location": {"display": "Ward 1"}, "period": {"end": "2024-05-01T09:00:00Z"}},
                    {"location": {"reference": "urn:uuid:bed"}},
                ],
            },
            {
                "resourceType": "PractitionerRole",
                "id": "r1",
                "practitioner": {"reference": "urn:uuid:d1"},
            },
            {
                "resourceType": "Practitioner",
                "id": "d1",
                "identifier": [{"value": "S100"}],
                "name": [{"family": "Okafor", "given": ["Ngozi"]}],
            },
            *places(),
        )
    )
    assert body.findings == ()
    visit = body.encounter
    assert visit is not None
    assert (visit.number, visit.class_, visit.status) == ("V-55", "I", "open")
    assert (visit.unit, visit.room, visit.bed) == ("MICU", "2", "1")
    assert visit.admitted_at_ms == 1_714_543_200_000
    assert visit.staff == (
        Staff("S100", "attending", PersonName("Okafor", "Ngozi")),
        Staff("77", "participant", PersonName(family="Dr Lang")),
    )
    assert body.patient.others["STAFF"] == ("Nurse Low",)


SUBJECT = {"reference": "urn:uuid:p1"}


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("Condition", {"code": {"text": "x"}, "recorder": {"display": "Dr Quarn"}}),
        ("Condition", {"code": {"text": "x"}, "asserter": {"display": "Dr Quarn"}}),
        ("Procedure", {"code": {"text": "x"}, "performer": [{"actor": {"display": "Dr Quarn"}}]}),
        ("ServiceRequest", {"code": {"text": "x"}, "requester": {"display": "Dr Quarn"}}),
        ("Observation", {"code": {"text": "x"}, "performer": [{"display": "Dr Quarn"}]}),
        ("CareTeam", {"participant": [{"member": {"reference": "urn:uuid:d1"}}]}),
        ("EpisodeOfCare", {"careManager": {"display": "Dr Quarn"}}),
    ],
)
def test_staff_whom_any_resource_names_are_known_to_notes(kind: str, fields: Node) -> None:
    body = only(
        bundle(
            patient(),
            {"resourceType": kind, "subject": SUBJECT, **fields},
            {"resourceType": "Practitioner", "id": "d1", "name": [{"text": "Dr Quarn"}]},
            {"resourceType": "DocumentReference", "subject": SUBJECT, "description": "Quarn came"},
        )
    )
    assert body.patient.others["STAFF"] == ("Dr Quarn",)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("Device", {"serialNumber": "SN-77"}),
        ("Device", {"identifier": [{"value": "SN-77"}]}),
        ("EpisodeOfCare", {"identifier": [{"value": "SN-77"}]}),
    ],
)
def test_numbers_of_devices_and_episodes_are_known(kind: str, fields: Node) -> None:
    body = only(bundle(patient(), {"resourceType": kind, "patient": SUBJECT, **fields}))
    assert body.patient.others["ID"] == ("SN-77",)
    assert [one.code for one in body.findings] == ["not_mapped"]


def places() -> list[Node]:
    levels = (("bed", "1", "bd", "room"), ("room", "2", "ro", "ward"), ("ward", "MICU", "wa", ""))
    return [
        {
            "resourceType": "Location",
            "id": name,
            "name": called,
            "physicalType": {"coding": [{"code": level}]},
        }
        | ({"partOf": {"reference": f"urn:uuid:{above}"}} if above else {})
        for name, called, level, above in levels
    ]


def test_the_open_visit_is_the_current_one_and_the_others_are_named() -> None:
    def visit(number: str, status: str, start: str) -> Node:
        return {
            "resourceType": "Encounter",
            "identifier": [{"value": number}],
            "status": status,
            "subject": {"reference": "urn:uuid:p1"},
            "period": {"start": start},
        }

    body = only(
        bundle(
            patient(),
            visit("old", "finished", "2020-01-01"),
            visit("now", "in-progress", "2024-04-01"),
            visit("next", "planned", "2024-06-01"),
        )
    )
    assert body.encounter is not None
    assert body.encounter.number == "now"
    assert {one.where for one in body.findings if one.code == "earlier_visit"} == {
        "Bundle.entry[1].resource",
        "Bundle.entry[3].resource",
    }


@pytest.mark.parametrize(
    "kind",
    [{"code": "EMER"}, [{"coding": [{"code": "EMER"}]}], {"coding": [{"code": "EMER"}]}],
)
def test_the_class_of_r4_and_r5(kind: object) -> None:
    body = only(of_patient("Encounter", **{"class": kind, "status": "in-progress"}))
    assert body.encounter is not None
    assert body.encounter.class_ == "E"


def test_a_ring_of_locations_ends() -> None:
    ring = {"resourceType": "Location", "id": "l", "partOf": {"reference": "urn:uuid:l"}}
    ring["physicalType"] = {"coding": [{"code": "bd"}]}
    visit = {
        "resourceType": "Encounter",
        "subject": {"reference": "urn:uuid:p1"},
        "location": [{"location": {"reference": "urn:uuid:l"}}],
    }
    body = only(bundle(patient(), visit, ring))
    assert body.encounter is not None
    assert (body.encounter.bed, body.encounter.unit) == ("l", "")


@pytest.mark.parametrize(
    ("kind", "fields", "told"),
    [
        ("ServiceRequest", {"identifier": [{"value": "PL-88231"}]}, ("PL-88231",)),
        ("ServiceRequest", {"requisition": {"value": "RQ-88231"}}, ("RQ-88231",)),
        ("Specimen", {"accessionIdentifier": {"value": "FS-0101"}}, ("FS-0101",)),
        ("DiagnosticReport", {"identifier": [{"value": "8823"}]}, ()),
    ],
)
def test_numbers_of_orders_and_specimens_are_told_when_there_are_words(
    kind: str, fields: Node, told: tuple[str, ...]
) -> None:
    note = {"resourceType": "DocumentReference", "subject": SUBJECT, "description": "see PL-88231"}
    one = {"resourceType": kind, "subject": SUBJECT, **fields}
    assert only(bundle(patient(), one, note)).numbers == told
    assert only(bundle(patient(), one)).numbers == ()
