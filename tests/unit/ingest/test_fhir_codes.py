"""Code systems of FHIR keep a name that privacy passes; a site's own address is none."""

from pathlib import Path

import pytest

from services.ingest.fhir_codes import system_of
from services.ingest.local_codes import load, of_source
from services.ingest.parse import SourceProfile
from tests.support.fhir import bundle, only, parsed, patient
from tests.unit.privacy.bad_inputs import left_of
from tests.unit.privacy.test_bad_inputs_fhir import SUBJECT


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("http://hl7.org/fhir/sid/icd-10-gm", "icd-10-gm"),
        ("http://fhir.de/CodeSystem/bfarm/icd-10-gm", "icd-10-gm"),
        ("http://hl7.org/fhir/sid/icd-10", "I10"),
        ("http://id.who.int/icd/release/11/mms", "icd-11-mms"),
        ("http://snomed.info/sct/900000000000207008/version/20240101", "SCT"),
        ("http://terminology.hl7.org/CodeSystem/v3-ActCode", "v3-ActCode"),
        ("http://hl7.org/fhir/observation-category", "observation-category"),
        ("urn:oid:2.16.156.10011.2.3.3.11.3", "2.16.156.10011.2.3.3.11.3"),
        ("urn:oid:2.16.840.1.113883.6.96", "SCT"),
    ],
)
def test_a_published_system_keeps_its_name_through_privacy(uri: str, name: str) -> None:
    assert system_of(uri) == name
    assert leaves(uri) == name


@pytest.mark.parametrize(
    "uri",
    [
        "http://hosp.example/codes", "https://lab.st-elsewhere.example/fhir/CodeSystem/lab",
        "http://hl7.org.hosp.example/fhir/sid/icd-10-gm", "http://10.1.2.3/codes",
    ],
)  # fmt: skip
def test_the_address_of_a_site_does_not_leave(uri: str) -> None:
    assert leaves(uri) == ""


def leaves(uri: str) -> str:
    """Return what leaves privacy of a code system."""
    coding = {"system": uri, "code": "I10.90", "display": "x"}
    condition = {
        "resourceType": "Condition", "id": "c", "subject": SUBJECT, "code": {"coding": [coding]}
    }  # fmt: skip
    (event,) = left_of(parsed(bundle(patient(), condition))).events
    return event.conditions[0].code.system


def test_an_oid_with_the_number_of_somebody_is_no_plain_oid() -> None:
    assert system_of("urn:oid:2.16.13812345678.1") == "urn:oid:2.16.13812345678.1"


def test_a_local_code_is_found_by_the_uri_of_its_system(tmp_path: Path) -> None:
    path = tmp_path / "codes.csv"
    path.write_text("system,code,loinc,unit\nurn:oid:1.2.3,K,2823-3,mmol/L\n", encoding="utf-8")
    source = SourceProfile("lab", local_codes=of_source(load(path), "lab"))
    result = {
        "resourceType": "Observation", "status": "final", "subject": SUBJECT,
        "code": {"coding": [{"system": "urn:oid:1.2.3", "code": "K"}]},
        "valueQuantity": {"value": 5.4},
    }  # fmt: skip
    (found,) = only(bundle(patient(), result), source=source).observations
    assert (found.code.system, found.code.code) == ("LN", "2823-3")
