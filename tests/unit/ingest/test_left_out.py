"""What was left out of the event in silence: repetitions, components, what was taken back."""

import pytest

from contracts.clinical import Finding
from contracts.observation import Code
from services.ingest.frames import parse_frame
from services.ingest.parse import SourceProfile
from tests.support.fhir import bundle, patient
from tests.support.fhir import parsed as parsed_fhir
from tests.unit.ingest.test_mapping import KEYS, PID, body, segment
from tests.unit.privacy.test_deidentify import clean

SUBJECT = {"reference": "urn:uuid:p1"}
ORDER = "ORC|NW|P1"


def codes_of(findings: tuple[Finding, ...]) -> list[str]:
    return [one.code for one in findings]


def test_each_organism_of_a_repeated_coded_result_is_there() -> None:
    event = body(
        "ORU^R01", PID, "OBR|1||F1|1^x^L",
        "OBX|1|CWE|600-7^Bacteria^LN|1|112283007^E. coli^SCT~3092008^Staph. aureus^SCT||||||F",
        "OBX|2|CWE|600-7^Bacteria^LN|2|112283007^E. coli^SCT||||||F",
    )  # fmt: skip
    first, second = event.observations
    assert first.answer == Code("SCT", "112283007", "E. coli")
    assert first.further_answers == (Code("SCT", "3092008", "Staph. aureus"),)
    assert second.further_answers == ()
    left = clean(event).observations[0]
    assert left.further_answers == (Code("SCT", "3092008", "Staph. aureus"),)


def test_the_components_of_an_infusion_are_medications_of_it() -> None:
    event = body(
        "RDE^O11", PID, ORDER, "RXO|M^mix^L|1||bag", "RXC|A|K^KCl^L|20|mEq",
        "RXE|1|IV^IV mix^L|1||bag", "RXR|IV", "RXC|B|NS^Saline^L|1000|mL", "RXC|A|K^KCl^L|40|mEq",
    )  # fmt: skip
    whole, base, additive = event.medications
    assert (whole.code.text, whole.route, whole.role, whole.part_of) == ("IV mix", "IV", "", -1)
    assert (base.code.text, base.dose, base.dose_unit) == ("Saline", 1000.0, "mL")
    assert (base.role, base.part_of, base.status) == ("B", 0, "NW")
    assert (additive.code.text, additive.dose, additive.role, additive.part_of) == (
        "KCl",
        40,
        "A",
        0,
    )


def test_a_deleted_diagnosis_is_not_active() -> None:
    event = body("ADT^A08", PID, segment("DG1", {1: "1", 3: "I10^HT^I10", 6: "F", 21: "D"}))
    assert [one.status for one in event.conditions] == ["DE"]


@pytest.mark.parametrize(
    "sent",
    [
        "NKDA",
        "^NKDA",
        "^No Known Drug Allergies^L",
        "716186003^x^SCT",
        "^无药物过敏史",
        "^N.K.D.A.",
    ],
)
def test_no_known_allergy_is_no_allergy(sent: str) -> None:
    event = body("ADT^A01", PID, f"AL1|1|DA|{sent}", "AL1|2|FA|^Peanut|SV|hives")
    assert [one.code.text for one in event.allergies] == ["Peanut"]
    assert Finding(
        "info", "AL1-3", "no_known_allergies", "told to have none: that is no allergy"
    ) in (event.findings)


def test_no_known_allergy_of_fhir_is_no_allergy() -> None:
    told = {"coding": [{"system": "http://snomed.info/sct", "code": "716186003"}]}
    given = {"resourceType": "AllergyIntolerance", "patient": SUBJECT, "code": told}
    found = parsed_fhir(bundle(patient("p1"), given))
    assert found.events[0].body.allergies == ()
    assert "no_known_allergies" in codes_of(found.findings)


@pytest.mark.parametrize(
    ("least", "most", "expected"),
    [
        ("1-2", "", (None, None, "1-2")),
        ("1", "2", (1.0, 2.0, "")),
        ("5", "", (5.0, None, "")),
        ("as needed", "2", (None, 2.0, "as needed 2")),
        ("", "", (None, None, "")),
    ],
)
def test_a_range_of_doses_is_kept(
    least: str, most: str, expected: tuple[float | None, float | None, str]
) -> None:
    event = body("RDE^O11", PID, ORDER, f"RXE|1|1^A^L|{least}|{most}|mg")
    (found,) = event.medications
    assert (found.dose, found.dose_max, found.dose_sent) == expected
    assert ("dose_text" in codes_of(event.findings)) == bool(expected[2])


def test_a_vaccine_is_known_by_all_its_codes() -> None:
    sent = "08^HepB^CVX^58160-0820-11^Engerix^NDC~90744^HepB^C4"
    event = body("VXU^V04", PID, f"RXA|0|1|20240101|20240101|{sent}|1|mL")
    (found,) = event.medications
    assert found.code == Code("CVX", "08", "HepB")
    assert found.alternates == (
        Code("NDC", "58160-0820-11", "Engerix"),
        Code("C4", "90744", "HepB"),
    )


@pytest.mark.parametrize(("trigger", "at"), [("T11", 0), ("T02", 17), ("T08", 19)])
def test_a_cancelled_document_says_nothing(trigger: str, at: int) -> None:
    txa = segment("TXA", {1: "1", 2: "DS", 12: "D1"} | ({at: "CA"} if at else {}))
    event = body(f"MDM^{trigger}", PID, txa, "OBX|1|TX|x^y^L||pneumonia||||||F")
    assert event.notes == ()
    assert [one.status for one in event.observations] == ["X"]
    assert "document_cancelled" in codes_of(event.findings)


@pytest.mark.parametrize("status", ["D", "W", "X"])
def test_the_text_of_a_withdrawn_result_is_no_note(status: str) -> None:
    event = body(
        "ORU^R01", PID, "OBR|1||F1|1^x^L",
        f"OBX|1|FT|x^y^L||wrong patient||||||{status}", "NTE|1||see above",
        "OBX|2|FT|x^z^L||all is well||||||F", "NTE|1||seen",
    )  # fmt: skip
    notes = [(one.text, one.status) for one in event.notes]
    assert notes == [("see above", status), ("all is well", ""), ("seen", "")]
    assert [one.status for one in event.observations] == [status, "F"]
    assert codes_of(event.findings).count("note_withdrawn") == 1


@pytest.mark.parametrize(
    ("sent", "text", "finding"),
    [
        ("^1^:^128", "1:128", "ratio"),
        ("^5^-^10", "5-10", "range"),
        (">^1^:^2560", ">1:2560", "ratio"),
        ("^1^/^2", "1/2", "ratio"),
        ("^2^+", "2+", "category"),
        ("617-555-0199^5^-^6", "617-555-0199 5 - 6", "range"),
        (">^5^12 Elm Road^6", "> 5 12 Elm Road 6", "category"),
        ("^10045678A^:^1", "10045678A : 1", "ratio"),
    ],
)
def test_a_structured_value_of_two_numbers_is_written_as_one_writes_it(
    sent: str, text: str, finding: str
) -> None:
    event = body("ORU^R01", PID, f"OBX|1|SN|5196-1^HBsAg^LN||{sent}|{{titer}}|||||F")
    (found,) = event.observations
    assert (found.kind, found.text, found.value, found.finding) == ("text", text, None, finding)
    assert found.unit_sent == "{titer}"
    assert event.findings == ()


def test_a_time_to_the_hour_says_so() -> None:
    event = body("ADT^A08", "EVN||2026010110", PID)
    assert (event.occurred_at_ms, event.occurred_precision) == (1_767_261_600_000, "hour")


def test_other_components_than_carets_are_read_in_times_images_and_nulls() -> None:
    head = "MSH|%~\\&|A|B|||20260101101010%S||ORU%R01|C1|P|2.5.1"
    obx = "OBX|1|ED|x%y%L||%image%png%Base64%iVBORw0KGgoAAAA=||||||F|||20260103%S"
    pid = "PID|1||7%%%H%MR||Doe%Jane||19600101%D|F"
    raw = f"{head}\rEVN||20260102101112%S\r{pid}\r{obx}"
    (found,) = parse_frame(raw.encode(), SourceProfile("test"), KEYS, 1_790_000_000_000).messages
    event = found.events[0].body
    assert event.occurred_at_ms == 1_767_348_672_000
    assert event.patient.birth_date == "1960-01-01"
    assert [one.media_type for one in event.images] == ["image/png"]
    assert event.observations[0].at_ms == 1_767_398_400_000
    assert found.findings == ()


def test_a_time_as_a_value_is_its_first_component() -> None:
    event = body("ORU^R01", PID, "OBX|1|TS|x^y^L||20260101^S||||||F")
    assert (event.observations[0].kind, event.observations[0].text) == ("time", "20260101")
