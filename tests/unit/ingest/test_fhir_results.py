"""Observation, DiagnosticReport, FamilyMemberHistory of FHIR: values, units, times, corrections."""

from typing import Any

import pytest

from contracts.observation import Code, Observation
from tests.support.fhir import Node, bundle, loinc, observation, of_patient, only, patient, quantity


def one(**said: Any) -> Observation:
    (found,) = only(bundle(patient(), observation(**said))).observations
    return found


def codes(**said: Any) -> list[str]:
    return [f.code for f in only(bundle(patient(), observation(**said))).findings]


@pytest.mark.parametrize(
    ("code", "value", "expected", "unit"),
    [
        ("8310-5", quantity(98.6, "[degF]"), 37.0, "Cel"),
        ("2345-7", quantity(5.55, "mmol/L"), 99.98658, "mg/dL"),
        ("8867-4", {"value": 80, "code": "beats/min", "system": "urn:x"}, 80, "/min"),
        ("29463-7", {"value": 154.3, "unit": "lbs"}, 69.9893037, "kg"),
        ("8867-4", {"value": "80", "unit": "bpm"}, 80, "/min"),
        ("5792-7", quantity(3, "/[HPF]"), 3, "/[HPF]"),
        ("5792-7", {"value": 3, "unit": "per field"}, 3, ""),
    ],
)
def test_quantities_in_canonical_units(code: str, value: Node, expected: float, unit: str) -> None:
    found = one(code=loinc(code), valueQuantity=value)
    assert found.kind == "quantity"
    assert found.value == pytest.approx(expected, rel=1e-6)
    assert found.unit == unit
    assert found.unit_sent == value.get("code", value.get("unit"))


@pytest.mark.parametrize(
    ("value", "finding"),
    [
        (quantity(500, "/min"), "implausible"),
        (quantity(80, "furlong"), "unit_unknown"),
        ({"value": 140}, "unit_assumed"),
    ],
)
def test_what_is_odd_is_kept_and_flagged(value: Node, finding: str) -> None:
    code = "2951-2" if finding == "unit_assumed" else "8867-4"
    found = one(code=loinc(code), valueQuantity=value)
    assert (found.value, found.finding) == (value["value"], finding)


def test_comparators() -> None:
    assert one(valueQuantity=quantity(5, "/min", comparator="<")).comparator == "<"
    assert one(valueQuantity=quantity(5, "/min", comparator="~")).comparator == ""
    assert "103" in codes(valueQuantity=quantity(5, "/min", comparator="~"))


@pytest.mark.parametrize(
    ("said", "kind", "text", "answer"),
    [
        (
            {"valueCodeableConcept": {"coding": [{"system": "http://loinc.org", "code": "LA9"}]}},
            "coded",
            "",
            Code("LN", "LA9"),
        ),
        ({"valueCodeableConcept": {"text": "yellow"}}, "coded", "", Code("", "", "yellow")),
        ({"valueBoolean": True}, "coded", "", Code("HL70136", "Y", "Yes")),
        ({"valueString": " clear "}, "text", "clear", None),
        ({"valueDateTime": "2024-05-01"}, "time", "2024-05-01", None),
        (
            {"valueRange": {"low": quantity(1, "g"), "high": quantity(2, "g")}},
            "text",
            "1-2",
            None,
        ),
        (
            {"valueRatio": {"numerator": quantity(1, "mg"), "denominator": quantity(64, "mL")}},
            "text",
            "1 mg:64 mL",
            None,
        ),
        ({"valueSampledData": {"data": "1 2 3"}}, "attachment", "", None),
        ({"dataAbsentReason": {"text": "unknown"}}, "empty", "", None),
        ({"valueQuantity": {"unit": "/min"}}, "empty", "", None),
        ({"valueFuture": "x"}, "empty", "", None),
    ],
)
def test_other_values(said: Node, kind: str, text: str, answer: Code | None) -> None:
    found = one(**said)
    assert (found.kind, found.text, found.answer, found.value) == (kind, text, answer, None)


def test_numbers_without_a_unit_and_what_is_none() -> None:
    assert one(valueInteger=15, code=loinc("9269-2")).value == 15
    found = one(valueQuantity={"value": "high", "unit": "/min"})
    assert (found.kind, found.text, found.finding) == ("text", "high", "not_a_number")


def test_components_are_observations_of_their_own() -> None:
    body = only(
        bundle(
            patient(),
            observation(
                code=loinc("85354-9"),
                id="bp",
                component=[
                    {"code": loinc("8480-6"), "valueQuantity": quantity(120, "mm[Hg]")},
                    {"code": loinc("8462-4"), "valueQuantity": quantity(10.6, "kPa")},
                ],
            ),
        )
    )
    found = [(one.index, one.code.code, one.value, one.unit) for one in body.observations]
    assert found == [(0, "8480-6", 120, "mm[Hg]"), (1, "8462-4", 79.5065402, "mm[Hg]")]
    assert body.observations[0].series == "bp|0|LN|8480-6"
    assert body.observations[0].at_ms == body.occurred_at_ms


def test_a_note_of_a_panel_is_not_about_another_result() -> None:
    panel = observation("85354-9", hasMember=[{"reference": "Observation/1"}])
    panel["note"] = [{"text": "taken lying down"}]
    body = only(bundle(patient(), observation(valueInteger=1), panel))
    assert [(note.text, note.about) for note in body.notes] == [("taken lying down", -1)]


def test_a_value_beside_its_components_is_kept_too() -> None:
    component = {"code": loinc("9267-6"), "valueInteger": 4}
    body = only(bundle(patient(), observation("9269-2", valueInteger=15, component=[component])))
    assert [one.value for one in body.observations] == [15, 4]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("final", "F"),
        ("preliminary", "P"),
        ("registered", "I"),
        ("amended", "C"),
        ("corrected", "C"),
        ("cancelled", "X"),
        ("entered-in-error", "W"),
        ("unknown", "R"),
        ("of-tomorrow", "R"),
    ],
)
def test_statuses(status: str, expected: str) -> None:
    assert one(status=status, valueQuantity=quantity(1, "/min")).status == expected


@pytest.mark.parametrize(
    "same",
    [{"id": "o1"}, {"id": "o1", "identifier": [{"system": "lab", "value": "F-1"}]}],
)
def test_a_correction_is_tied_to_what_it_corrects(same: Node) -> None:
    first = one(valueQuantity=quantity(80, "/min"), **same)
    second = one(status="corrected", valueQuantity=quantity(88, "/min"), **same)
    other = one(valueQuantity=quantity(80, "/min"), id="o2")
    assert first.series == second.series
    assert other.series != first.series


@pytest.mark.parametrize(
    ("said", "at"),
    [
        ({"effectiveDateTime": "2024-05-01T10:00:00+02:00"}, 1_714_550_400_000),
        ({"effectiveDateTime": "2024-05-01T10:00:00.250Z"}, 1_714_557_600_250),
        ({"effectiveDateTime": "2024-05-01"}, 1_714_521_600_000),
        ({"effectiveDateTime": "2024"}, 1_704_067_200_000),
        (
            {"effectivePeriod": {"start": "2024-04-30", "end": "2024-05-01"}},
            1_714_521_600_000,
        ),
        ({"effectiveInstant": "2024-05-01T10:00:00Z"}, 1_714_557_600_000),
        ({"effectiveTiming": {"event": ["2024-05-01T10:00:00Z"]}}, 1_714_557_600_000),
        ({"issued": "2024-05-01T10:00:00Z"}, 1_714_557_600_000),
        ({}, None),
    ],
)
def test_times(said: Node, at: int | None) -> None:
    plain = {name: value for name, value in observation().items() if name != "effectiveDateTime"}
    (found,) = only(bundle(patient(), plain | {"valueString": "x"} | said)).observations
    assert found.at_ms == at


@pytest.mark.parametrize("raw", ["2024-13-01", "01/05/2024", "2024-05-01T25:00:00Z", "", 7, {}])
def test_what_is_no_time_is_named(raw: object) -> None:
    body = only(bundle(patient(), observation(valueString="x", effectiveDateTime=raw)))
    assert body.observations[0].at_ms is None
    assert [(f.code, f.where) for f in body.findings] == [
        ("102", "Bundle.entry[1].resource.effectiveDateTime")
    ]


def test_flags_range_and_notes() -> None:
    body = only(
        bundle(
            patient(),
            observation(
                valueQuantity=quantity(6.3, "mmol/L"),
                interpretation=[{"coding": [{"code": "H"}]}, {"text": "watch"}],
                referenceRange=[{"low": quantity(3.1, "x"), "high": quantity(6.2, "x")}],
                note=[{"text": "haemolysed"}],
            ),
            observation(valueString="line one\nline two"),
        )
    )
    first = body.observations[0]
    assert (first.flags, first.reference_range) == (("H", "watch"), "3.1-6.2")
    said = [(note.text, note.about, note.kind) for note in body.notes]
    assert said == [("haemolysed", 0, "NTE"), ("line one\nline two", 1, "8867-4")]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"low": {"value": 3}}, ">=3"),
        ({"high": {"value": 6.25}}, "<=6.25"),
        ({"text": "70-80"}, "70-80"),
        ({}, ""),
    ],
)
def test_reference_ranges(said: Node, expected: str) -> None:
    assert one(valueInteger=1, referenceRange=[said]).reference_range == expected


def test_a_report_is_an_order_with_its_results_and_its_conclusion() -> None:
    body = only(
        of_patient(
            "DiagnosticReport",
            status="final",
            code=loinc("58410-2", "CBC"),
            effectiveDateTime="2024-05-01T11:00:00Z",
            conclusion="No anaemia.",
            contained=[
                observation(
                    "6690-2", subject="urn:uuid:p1", id="w", valueQuantity=quantity(7, "10*9/L")
                )
            ],
            result=[{"reference": "#w"}, {"reference": "Observation/elsewhere"}],
        )
    )
    (order,) = body.orders
    assert (order.code.code, order.status, order.at_ms) == ("58410-2", "F", 1_714_561_200_000)
    assert [one.value for one in body.observations] == [7]
    assert [(note.text, note.kind) for note in body.notes] == [("No anaemia.", "CBC")]


def test_family_history_is_said_of_a_relative_not_of_the_patient() -> None:
    body = only(
        of_patient(
            "FamilyMemberHistory",
            status="completed",
            patient={"reference": "urn:uuid:p1"},
            name="Ada March",
            relationship={"coding": [{"code": "MTH", "display": "mother"}]},
            condition=[
                {"code": {"coding": [{"system": "http://snomed.info/sct", "code": "22298006"}]}}
            ],
        )
    )
    assert body.conditions == ()
    (found,) = body.observations
    assert (found.code.code, found.text) == ("8670-2", "mother")
    assert found.answer == Code("SCT", "22298006")
    assert body.patient.others["NAME"] == ("Ada March",)


def test_a_made_up_name_of_a_field_is_told_nowhere() -> None:
    found = only(bundle(patient(), observation(**{"valueGrantham Peter": "x"})))
    assert [one.where for one in found.findings if one.code == "103"] == [
        "Bundle.entry[1].resource.value[x]"
    ]
    assert "Grantham" not in "".join(one.where + one.text for one in found.findings)
