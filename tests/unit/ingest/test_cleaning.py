"""The preprocessing step: canonical units, plausibility, duplicates, impossible times, bounds."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.clinical import Condition, Finding, Medication, Order
from contracts.identified import Encounter, IdentifiedBody, Patient, PatientId
from contracts.observation import Code, Observation
from services.ingest.analytes import ANALYTES, BY_LOINC, IMPLIED, normalised
from services.ingest.cleaning import FINDINGS_MAX, TEXTS, clean, cleaned, window_of
from services.ingest.codes import is_loinc
from services.ingest.far_times import is_far
from services.ingest.fhir import parse_fhir
from services.ingest.frames import parse_frame
from services.ingest.identity import Keys
from services.ingest.parse import SourceProfile
from services.ingest.units import UCUM
from tests.support.fhir import bundle, observation, parsed, patient, quantity

DAY_MS = 86_400_000
NOW_MS = 1_714_600_000_000  # 2024-05-01
KEYS = Keys(event=b"e" * 32, route=b"r" * 32)


def result(code: str = "8867-4", value: float | None = 80, /, **more: Any) -> Observation:
    made: dict[str, Any] = {
        "index": 0,
        "code": Code("LN", code),
        "kind": "quantity",
        "value": value,
    }
    return Observation(**(made | {"at_ms": NOW_MS, "unit_sent": "/min"} | more))


def body(*observations: Observation, born: str = "1960-04-12", **more: Any) -> IdentifiedBody:
    made: dict[str, Any] = {
        "event_type": "observation.result",
        "message_type": "ORU^R01",
        "received_at_ms": NOW_MS,
        "occurred_at_ms": NOW_MS,
        "patient": Patient(ids=(PatientId("7"),), birth_date=born),
        "observations": observations,
    }
    return IdentifiedBody(**(made | more))


def codes(found: IdentifiedBody) -> list[tuple[str, str]]:
    return [(one.code, one.where) for one in found.findings]


def test_what_is_well_comes_back_as_it_is() -> None:
    well = body(result(), result("8310-5", 37.0, unit_sent="Cel"))
    assert clean(well) is well


@pytest.mark.parametrize(
    ("code", "value", "sent", "expected", "unit", "finding"),
    [
        ("718-7", 140, "g/L", 14, "g/dL", ""),
        ("718-7", 8.7, "mmol/L", 14.02, "g/dL", ""),
        ("59260-0", 8.7, "", 14.02, "g/dL", "unit_assumed"),
        ("718-7", 14, "", 14, "g/dL", "unit_assumed"),
        ("718-7", 140, "g/dL", 140, "g/dL", "implausible"),
        ("17861-6", 2.4, "mmol/L", 9.62, "mg/dL", ""),
        ("2000-8", 2.4, "mmol/L", 9.62, "mg/dL", ""),
        ("2777-1", 1.1, "mmol/L", 3.41, "mg/dL", ""),
        ("3084-1", 350, "umol/L", 5.88, "mg/dL", ""),
        ("2571-8", 1.7, "mmol/L", 150.5, "mg/dL", ""),
        ("2085-9", 1.3, "mmol/L", 50.3, "mg/dL", ""),
        ("4548-4", 53, "mmol/mol", 7.0, "%", ""),
        ("59261-8", 53, "", 7.0, "%", "unit_assumed"),
        ("1988-5", 1.2, "mg/dL", 12, "mg/L", ""),
        ("789-8", 4.5, "10*12/L", 4.5, "10*6/uL", ""),
        ("3016-3", 2.1, "uIU/mL", 2.1, "m[IU]/L", ""),
        ("6301-6", 2.5, "", 2.5, "1", ""),
        ("6301-6", 2.5, "{INR}", 2.5, "1", ""),
        ("2532-0", 3.5, "µkat/L", 210, "U/L", ""),
        ("718-7", 14, "furlong", 14, "", "unit_unknown"),
        ("2345-7", 5.55, "mmol/L", 100, "mg/dL", ""),
        ("99999-9", 1, "mmol/L", 1, "mmol/L", ""),
    ],
)
def test_units_per_loinc(
    code: str, value: float, sent: str, expected: float, unit: str, finding: str
) -> None:
    found, canonical_unit, odd = normalised(code, value, sent)
    assert found == pytest.approx(expected, rel=2e-3)
    assert (canonical_unit, odd) == (unit, finding)


def test_what_was_sent_is_kept_beside_the_canonical_value() -> None:
    found = clean(body(result("718-7", 140.0, unit="g/L", unit_sent="g/L")))
    (one,) = found.observations
    assert (one.value, one.unit, one.unit_sent, one.finding) == (14.0, "g/dL", "g/L", "")
    assert found.findings == ()


@pytest.mark.parametrize(
    ("value", "sent", "code"), [(300, "g/dL", "implausible"), (14, "x", "unit_unknown")]
)
def test_what_cannot_be_right_is_flagged_and_kept(value: float, sent: str, code: str) -> None:
    found = clean(body(result("718-7", value, unit_sent=sent)))
    assert (found.observations[0].value, found.observations[0].finding) == (value, code)
    assert codes(found) == [(code, "observations.0")]


def test_every_analyte_has_codes_units_and_a_range() -> None:
    assert [code for code in (*BY_LOINC, *IMPLIED) if not is_loinc(code)] == []
    forms = set(UCUM.values())
    for analyte in ANALYTES:
        assert {analyte.unit, *analyte.factors} <= forms
        assert analyte.low < analyte.high
        assert set(analyte.implied.values()) <= {analyte.unit, *analyte.factors, "mmol/mol"}
    listed = [code for one in ANALYTES for code in (*one.loinc, *one.implied)]
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize(
    ("at_ms", "code"),
    [
        (NOW_MS + 2 * DAY_MS, "time_future"),
        (NOW_MS + DAY_MS // 2, ""),  # a zone may have been assumed wrongly
        (-307_000_000_000, "time_before_birth"),  # 1960-04-10
        (-305_900_000_000, ""),  # 1960-04-22
        (-2_300_000_000_000, "time_before_1900"),
        (None, ""),
    ],
)
def test_impossible_times(at_ms: int | None, code: str) -> None:
    found = clean(body(result(at_ms=at_ms)))
    assert found.observations[0].finding == code
    assert codes(found) == ([(code, "observations.0")] if code else [])
    assert found.observations[0].at_ms == (None if code == "time_before_1900" else at_ms)


def test_a_finding_that_stands_already_is_kept() -> None:
    found = clean(body(result(at_ms=NOW_MS + 9 * DAY_MS, finding="implausible")))
    assert found.observations[0].finding == "implausible"
    assert codes(found) == [("time_future", "observations.0")]


def test_times_of_the_event_the_visit_and_conditions() -> None:
    visit = Encounter(admitted_at_ms=NOW_MS + 9 * DAY_MS, discharged_at_ms=NOW_MS)
    found = clean(
        body(
            occurred_at_ms=NOW_MS + 9 * DAY_MS,
            encounter=visit,
            conditions=(Condition(code=Code("", "a"), at_ms=-2_300_000_000_000),),
        )
    )
    assert codes(found) == [
        ("time_before_1900", "conditions.0"),
        ("time_future", "occurred_at"),
        ("time_order", "encounter.discharged_at"),
        ("time_future", "encounter.admitted_at"),
    ]
    planned = Encounter(status="planned", admitted_at_ms=NOW_MS + 90 * DAY_MS)
    assert clean(body(encounter=planned)).findings == ()


@pytest.mark.parametrize("at_ms", [253_402_300_799_000 + 12 * 3_600_000, -62_135_640_000_000])
def test_no_time_leaves_that_no_calendar_has(at_ms: int) -> None:
    far = body(
        result(at_ms=at_ms),
        occurred_at_ms=at_ms,
        encounter=Encounter(status="planned", admitted_at_ms=at_ms, discharged_at_ms=at_ms),
        conditions=(Condition(code=Code("", "a"), at_ms=at_ms),),
        orders=(Order(code=Code("", "a"), at_ms=at_ms), Order(code=Code("", "b"), at_ms=NOW_MS)),
        medications=(Medication(code=Code("", "a"), start_ms=at_ms),),
    )
    found = clean(far)
    code = "time_future" if at_ms > 0 else "time_before_1900"
    assert (found.occurred_at_ms, found.occurred_precision) == (NOW_MS, "unknown")
    assert found.encounter is not None
    assert (found.encounter.admitted_at_ms, found.encounter.discharged_at_ms) == (None, None)
    assert [one.at_ms for one in found.observations] == [None]
    assert [one.at_ms for one in found.conditions] == [None]
    assert [one.at_ms for one in found.orders] == [None, NOW_MS]
    assert [one.start_ms for one in found.medications] == [None]
    assert {one for one, _ in codes(found)} == {code}
    assert {where for _, where in codes(found)} == {
        "occurred_at", "encounter.admitted_at", "encounter.discharged_at", "observations.0",
        "conditions.0", "orders.0", "medications.0",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("born", "code"),
    [("2025-01-01", "time_future"), ("1850", "time_before_1900"), ("1960-13-45", None), ("", None)],
)
def test_birth_dates(born: str, code: str | None) -> None:
    found = clean(body(born=born))
    births = [one.code for one in found.findings if one.where == "patient.birth_date"]
    assert births == ([code] if code else [])


def test_without_a_time_of_receipt_nothing_is_in_the_future() -> None:
    assert clean(body(result(at_ms=NOW_MS), received_at_ms=0)).findings == ()


@pytest.mark.parametrize(
    ("other", "is_duplicate"),
    [
        ({}, True),
        ({"at_ms": NOW_MS - 1}, False),
        ({"value": 81}, False),
        ({"comparator": "<"}, False),
        ({"status": "C"}, False),
        ({"series": "F9|LN|8867-4|2"}, False),  # OBX-4: another sub-id
        ({"series": "G9|LN|8867-4|1"}, True),
    ],
)
def test_duplicates_in_one_message(other: dict[str, object], *, is_duplicate: bool) -> None:
    series = {"series": "F9|LN|8867-4|1"}
    found = clean(body(result(**series), result(**({"index": 1} | series | other))))
    assert len(found.observations) == 2
    assert {one.finding for one in found.observations} == {""}
    duplicates = [one for one in found.findings if one.code == "duplicate"]
    assert len(duplicates) == is_duplicate


def test_lines_of_a_document_may_repeat() -> None:
    line = result("11506-3", None, kind="text", text="----")
    assert clean(body(line, line)).findings == ()


def test_a_bound_is_named_and_a_number_in_text_too() -> None:
    bound = result(value := "8867-4", 5, comparator="<")
    text = result("2160-0", None, index=1, kind="text", text="<0.3", unit_sent="")
    words = result("2160-0", None, index=2, kind="text", text="3 of 4 samples", unit_sent="")
    other = result("11506-3", None, index=3, kind="text", text="12", unit_sent="")
    found = clean(body(bound, text, words, other))
    assert value == found.observations[0].code.code
    assert codes(found) == [
        ("comparator", "observations.0"),
        ("number_in_text", "observations.1"),
    ]
    assert found.findings[0].level == "info"
    assert {one.finding for one in found.observations} == {""}  # both are still read as before


def test_findings_are_bounded_and_observations_all_kept() -> None:
    many = [result(at_ms=NOW_MS + 9 * DAY_MS, value=place) for place in range(FINDINGS_MAX + 9)]
    found = clean(body(*many))
    assert len(found.findings) == FINDINGS_MAX
    assert {one.finding for one in found.observations} == {"time_future"}


def test_both_doors_are_cleaned_and_counted() -> None:
    message = (
        b"MSH|^~\\&|A|B|||20240501||ORU^R01|1|P|2.5\rPID|1||7^^^H^MR||||1960\r"
        b"OBX|1|NM|718-7^Hb^LN||140|g/L|||||F|||20340101\rOBX|2|NM|8867-4^HR^LN||<5|/min|||||F\r"
    )
    (hl7,) = parse_frame(message, SourceProfile("t"), KEYS, NOW_MS).messages
    fhir = parsed(
        bundle(
            patient(),
            observation("718-7", valueQuantity=quantity(140, "g/L"), effectiveDateTime="2034"),
            observation(valueQuantity=quantity(5, "/min", comparator="<")),
        )
    )
    for found in (hl7, fhir):
        first = found.events[0].body.observations[0]
        assert (first.value, first.unit, first.finding) == (14.0, "g/dL", "time_future")
        assert {"time_future", "comparator"} <= {one.code for one in found.findings}
        assert set(found.findings) == set(found.events[0].body.findings)


def test_a_message_that_is_well_is_not_copied() -> None:
    well = parse_fhir(b'{"resourceType":"Patient","id":"1"}', SourceProfile("t"), KEYS, NOW_MS)
    assert cleaned(well) is well


def test_every_code_has_a_text() -> None:
    assert all(TEXTS.values())
    assert window_of(0, "").code_of(0) == ""


@given(
    st.lists(
        st.builds(
            Observation,
            index=st.integers(0, 9),
            code=st.builds(Code, st.sampled_from(["LN", ""]), st.sampled_from(sorted(BY_LOINC))),
            kind=st.sampled_from(["quantity", "coded", "text", "time", "attachment", "empty"]),
            value=st.none() | st.floats(allow_nan=False),
            text=st.text(max_size=5),
            unit_sent=st.sampled_from(["", "mg/dL", "mmol/L", "?"]),
            at_ms=st.none() | st.integers(-(2**60), 2**60),
        ),
        max_size=6,
    ),
    st.text(max_size=10),
)
def test_nothing_is_lost_and_nothing_sent_is_changed(given: list[Observation], born: str) -> None:
    found = clean(body(*given, born=born))
    assert len(found.observations) == len(given)
    for ours, theirs in zip(found.observations, given, strict=True):
        assert ours.at_ms == theirs.at_ms or is_far(theirs.at_ms, NOW_MS)
        kept = msgspec.structs.replace(
            ours, value=theirs.value, unit=theirs.unit, finding=theirs.finding, at_ms=theirs.at_ms
        )
        assert kept == theirs
    assert all(isinstance(one, Finding) for one in found.findings)


def test_an_event_from_the_future_happened_at_its_receipt() -> None:
    found = clean(body(result(), occurred_at_ms=NOW_MS + 400 * DAY_MS))
    assert (found.occurred_at_ms, found.occurred_precision) == (NOW_MS, "unknown")
    assert ("time_future", "occurred_at") in codes(found)
