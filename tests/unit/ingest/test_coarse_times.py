"""What was sent as a year or a month alone is said beside the time, and dates no event or visit."""

import pytest

from contracts.identified import IdentifiedBody
from services.ingest.cleaning import clean
from tests.support import fhir
from tests.unit.ingest.test_mapping import PID, body

SENT_MS = 1_714_564_800_000  # MSH-7: 2024-05-01T12:00Z
YEAR_MS, MONTH_MS = 1_546_300_800_000, 1_551_398_400_000  # 2019, 2019-03
SODIUM = "OBX|{}|NM|2951-2^Sodium^LN||140|mmol/L|||||F|||{}"


def precisions(found: IdentifiedBody) -> list[tuple[int | None, str]]:
    """Return the times of all facts with how they were sent."""
    return [
        *((one.at_ms, one.at_precision) for one in found.observations),
        *((one.at_ms, one.at_precision) for one in found.conditions),
        *((one.at_ms, one.at_precision) for one in found.orders),
        *((one.start_ms, one.start_precision) for one in found.medications),
    ]


def test_results_of_hl7() -> None:
    head = (PID, "OBR|1||F9||||201903")
    found = body("ORU^R01", *head, *(SODIUM.format(*one) for one in enumerate(("2019", "", "201"))))
    assert precisions(found) == [
        (YEAR_MS, "year"), (MONTH_MS, "month"), (MONTH_MS, "month"), (MONTH_MS, "month"),
    ]  # fmt: skip
    assert (found.occurred_at_ms, found.occurred_precision) == (SENT_MS, "second")


def test_what_has_a_day_has_no_precision() -> None:
    found = body("ORU^R01", PID, "OBR|1||F9||||20190301", SODIUM.format(1, "2019030112"))
    assert [precision for _, precision in precisions(found)] == ["", ""]
    assert (found.occurred_at_ms, found.occurred_precision) == (MONTH_MS, "day")


def test_records_of_hl7() -> None:
    found = body(
        "RDE^O11", PID, "ORC|NW|1|||||||2019", "RXE|1|1191^Aspirin^RXNORM|81||mg",
        "DG1|1||E11^Diabetes^I10||201903", "PRB|AD|20240501|I10^Hypertension^I10||||2019",
        "ORC|NW|2|||||||201903", "OBR|1||F9|X^Y^L",
    )  # fmt: skip
    assert precisions(found) == [
        (MONTH_MS, "month"), (YEAR_MS, "year"), (MONTH_MS, "month"), (YEAR_MS, "year"),
    ]  # fmt: skip


def test_a_year_or_month_alone_is_no_time_of_an_event() -> None:
    found = body("ADT^A08", "EVN|A08|202403|||  |2024", PID)
    assert (found.occurred_at_ms, found.occurred_precision) == (SENT_MS, "second")
    found = body("ADT^A08", "EVN|A08|20240430|||  |2024", PID)
    assert (found.occurred_at_ms, found.occurred_precision) == (SENT_MS - 36 * 3_600_000, "day")


def test_nor_of_a_visit_which_has_ended_all_the_same() -> None:
    pv1 = "|".join(["PV1", "1", "I", "W1", *[""] * 15, "V1", *[""] * 24, "2024", "202404"])
    found = body("ADT^A08", "EVN|A08|20240430", PID, pv1)
    visit = found.encounter
    assert visit is not None
    assert (visit.admitted_at_ms, visit.discharged_at_ms, visit.status) == (None, None, "closed")
    coarse = [one.where for one in found.findings if one.code == "time_coarse"]
    assert coarse == ["PV1-44", "PV1-45"]


@pytest.mark.parametrize(("sent", "precision"), [("2019", "year"), ("2019-03", "month")])
def test_facts_of_fhir(sent: str, precision: str) -> None:
    about = {"subject": {"reference": "urn:uuid:p1"}, "code": fhir.loinc("2951-2")}
    drug = {"medicationCodeableConcept": {"text": "Aspirin"}, "vaccineCode": {"text": "Influenza"}}
    found = fhir.only(
        fhir.bundle(
            fhir.patient(),
            {"resourceType": "Observation", "status": "final", **about,
             "effectiveDateTime": sent, "valueQuantity": fhir.quantity(140, "mmol/L")},
            {"resourceType": "DiagnosticReport", "status": "final", **about,
             "effectivePeriod": {"end": sent}},
            {"resourceType": "Condition", **about, "onsetDateTime": sent},
            {"resourceType": "ServiceRequest", "status": "active", "intent": "order", **about,
             "authoredOn": sent},
            {"resourceType": "Procedure", "status": "completed", **about,
             "performedDateTime": sent},
            {"resourceType": "MedicationStatement", "status": "active", **about, **drug,
             "effectiveDateTime": sent},
            {"resourceType": "Immunization", "status": "completed", **drug,
             "patient": {"reference": "urn:uuid:p1"}, "occurrenceDateTime": sent},
            timestamp="2024-05-01T12:00:00Z",
        )
    )  # fmt: skip
    at_ms = YEAR_MS if precision == "year" else MONTH_MS
    assert precisions(found) == [(at_ms, precision)] * 7
    assert (found.occurred_at_ms, found.occurred_precision) == (SENT_MS, "second")


def test_an_event_of_fhir_with_no_other_time_happened_at_its_receipt() -> None:
    subject = {"subject": {"reference": "urn:uuid:p1"}}
    one = {"resourceType": "Condition", **subject, "code": {"text": "x"}, "onsetDateTime": "2019"}
    found = fhir.only(fhir.bundle(fhir.patient(), one))
    assert (found.occurred_at_ms, found.occurred_precision) == (fhir.RECEIVED_AT_MS, "unknown")
    dated = fhir.only(fhir.bundle(fhir.patient(), one, timestamp="2024"))
    assert dated.occurred_precision == "unknown"


def test_a_visit_of_fhir_has_no_year_alone() -> None:
    visit = {
        "resourceType": "Encounter", "id": "e1", "status": "finished",
        "subject": {"reference": "urn:uuid:p1"}, "period": {"start": "2019", "end": "2019-03"},
    }  # fmt: skip
    found = fhir.only(fhir.bundle(fhir.patient(), visit))
    assert found.encounter is not None
    assert found.encounter.status == "closed"
    assert (found.encounter.admitted_at_ms, found.encounter.discharged_at_ms) == (None, None)
    assert found.occurred_precision == "unknown"


def test_cleaning_keeps_what_was_said_of_a_time() -> None:
    found = body("ORU^R01", PID, "OBR|1||F9||||20240501", SODIUM.format(1, "2019"))
    assert [one.at_precision for one in clean(found).observations] == ["year"]


@pytest.mark.parametrize(
    ("sent", "finding"),
    [("1960", ""), ("196001", ""), ("1959", "time_before_birth"), ("195911", "time_before_birth")],
)
def test_the_year_or_month_of_birth_is_not_before_it(sent: str, finding: str) -> None:
    born = PID.replace("19600101", "19600120")
    found = clean(body("ORU^R01", born, "OBR|1||F9||||20240501", SODIUM.format(1, sent)))
    assert [one.finding for one in found.observations] == [finding]
