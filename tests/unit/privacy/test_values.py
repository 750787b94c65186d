"""Values of results that identify: numbers of somebody, true dates, ages over 89, births."""

# ruff: noqa: E501  (tables)
import pytest

from contracts.observation import Code, Observation
from services.privacy.values import AGE_CLAMPED, IDENTIFYING_NUMBER, is_identifying
from tests.unit.privacy.bad_inputs import EN_PID, message, sent, shown
from tests.unit.privacy.builders import a_body
from tests.unit.privacy.test_deidentify import clean


@pytest.mark.parametrize(
    ("value", "unit", "is_somebodys"),
    [
        (13998765432.0, "", True),
        (13998765432.0, "x", True),
        (2025550143.0, "/uL", True),
        (219099999.0, "", True),
        (20240301.0, "", True),
        (202403051159.0, "", True),
        (97.0, "", False),
        (123456.0, "", False),
        (1_500_000.0, "", False),
        (20_000_000_000.0, "{copies}/mL", False),
        (4_512_345.0, "{copies}/mL", False),
        (7.4123456, "", False),
        (1e300, "", True),
        (float("inf"), "", False),
        (float("nan"), "", False),
    ],
)
def test_a_number_identifies_by_its_digits(value: float, unit: str, *, is_somebodys: bool) -> None:
    assert is_identifying(value, unit) is is_somebodys


@pytest.mark.parametrize(
    ("kind", "value"),
    [("NM", "13998765432"), ("NM", "219099999"), ("SN", "^219099999"), ("NM", "20240301")],
)
def test_no_number_of_somebody_leaves_as_a_value(kind: str, value: str) -> None:
    left = sent(message().replace("OBR|1", f"OBX|1|{kind}|77777^Contact^L||{value}||||||F\rOBR|1"))
    assert left.fate == "cleaned"
    assert shown(left, (value.strip("^"),)) == []
    (found,) = left.events[0].observations
    assert (found.kind, found.value, found.finding) == ("empty", None, IDENTIFYING_NUMBER)


@pytest.mark.parametrize(
    ("found", "value", "text"),
    [
        (Observation(index=0, code=Code("LN", "30525-0"), kind="quantity", value=97.0, unit="a", text="97"), 90.0, ""),
        (Observation(index=0, code=Code("LN", "30525-0"), kind="quantity", value=97.0, text="97"), 90.0, ""),
        (Observation(index=0, code=Code("LN", "30525-0"), kind="quantity", value=1164.0, unit="mo"), 1080.0, ""),
        (Observation(index=0, code=Code("L", "A", "Age"), kind="quantity", value=97.0), 90.0, ""),
        (Observation(index=0, code=Code("L", "A", "年龄"), kind="text", text="97岁"), None, "90"),
        (Observation(index=0, code=Code("LN", "21612-7"), kind="text", text="97"), None, "90"),
    ],
)  # fmt: skip
def test_an_age_over_89_is_90(found: Observation, value: float | None, text: str) -> None:
    (said,) = clean(a_body(observations=(found,))).observations
    assert (said.value, said.text, said.finding) == (value, text, AGE_CLAMPED)


@pytest.mark.parametrize(
    "found",
    [
        Observation(index=0, code=Code("LN", "30525-0"), kind="quantity", value=89.0, unit="a"),
        Observation(index=0, code=Code("LN", "30525-0"), kind="quantity", value=400.0, unit="d"),
        Observation(index=0, code=Code("LN", "8867-4"), kind="quantity", value=97.0, unit="/min"),
        Observation(index=0, code=Code("L", "A", "Age of sample"), kind="quantity", value=97.0),
    ],
)
def test_other_numbers_stay(found: Observation) -> None:
    (said,) = clean(a_body(observations=(found,))).observations
    assert (said.value, said.finding) == (found.value, "")


@pytest.mark.parametrize(
    ("code", "text", "passes"),
    [
        ("21112-8", "19200307", False),
        ("21112-8", "19800307", False),
        ("1-8", "19200307", False),
        ("1-8", "1920-03-07T10:00", False),
        ("1-8", "19500307", True),
        ("8665-2", "20240301", True),
    ],
)
def test_a_date_of_birth_leaves_by_no_result(code: str, text: str, *, passes: bool) -> None:
    pid = EN_PID.replace("19500307", "19200307")
    left = sent(
        message(("DT", text), pid=pid)
        .replace("11506-3^Progress note^LN||1", f"{code}^x^LN||1")
        .replace("11506-3^Progress note^LN||2", f"{code}^x^LN||2")
    )
    (found,) = left.events[0].observations
    assert found.code.code == code
    assert bool(found.text) is passes
