"""Values of results that identify: numbers of somebody, true dates, ages over 89, births."""

# ruff: noqa: E501  (tables)
import pytest

from contracts.observation import Code, Observation
from services.privacy.values import AGE_CLAMPED, BIRTH_DATE, IDENTIFYING_NUMBER, is_identifying
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
        (Observation(index=0, code=Code("LN", "21612-7"), kind="text", text="91-95"), None, "90"),
        (Observation(index=0, code=Code("LN", "21612-7"), kind="text", text="95 years 2 months"), None, "90"),
        (Observation(index=0, code=Code("LN", "21612-7"), kind="text", text="ninety-five"), None, "90"),
        (Observation(index=0, code=Code("L", "A", "Age at death"), kind="quantity", value=97.0), 90.0, ""),
        (Observation(index=0, code=Code("L", "A", "Age"), kind="quantity", value=1164.0, unit_sent="mo"), 1080.0, ""),
        (Observation(index=0, code=Code("L", "A", "Onset"), kind="quantity", value=97.0, unit_sent="yr"), 90.0, ""),
    ],
)  # fmt: skip
def test_an_age_over_89_is_90(found: Observation, value: float | None, text: str) -> None:
    (said,) = clean(a_body(observations=(found,))).observations
    assert (said.value, said.text, said.finding) == (value, text, AGE_CLAMPED)


def test_a_coded_age_over_89_is_90() -> None:
    found = Observation(
        index=0, code=Code("LN", "30525-0"), kind="coded", answer=Code("L", "95", "95 years")
    )
    (said,) = clean(a_body(observations=(found,))).observations
    assert (said.answer, said.finding) == (Code("", "90"), AGE_CLAMPED)


@pytest.mark.parametrize(
    "found",
    [
        Observation(index=0, code=Code("LN", "30525-0"), kind="quantity", value=89.0, unit="a"),
        Observation(
            index=0, code=Code("LN", "30525-0"), kind="quantity", value=400.0, unit_sent="days"
        ),
        Observation(
            index=0, code=Code("LN", "30525-0"), kind="quantity", value=120.0, unit_sent="mo"
        ),
        Observation(index=0, code=Code("LN", "30525-0"), kind="text", text="100 days"),
        Observation(index=0, code=Code("L", "A", "Age in months"), kind="quantity", value=97.0),
        Observation(index=0, code=Code("LN", "30525-0"), kind="quantity", value=400.0, unit="d"),
        Observation(index=0, code=Code("LN", "8867-4"), kind="quantity", value=97.0, unit="/min"),
        Observation(index=0, code=Code("L", "A", "Age of sample"), kind="quantity", value=97.0),
    ],
)
def test_other_numbers_stay(found: Observation) -> None:
    (said,) = clean(a_body(observations=(found,))).observations
    assert (said.value, said.text, said.finding) == (found.value, found.text, "")


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


@pytest.mark.parametrize(
    ("kind", "code", "value"),
    [
        ("NM", "X^Year of birth^L", "1930"),
        ("ST", "X^Birth year^L", "1930"),
        ("CE", "21112-8^Birth date^LN", "1930^1930^L"),
        ("NM", "X^出生年份^L", "1930"),
    ],
)
def test_a_year_of_birth_leaves_by_no_result(kind: str, code: str, value: str) -> None:
    left = sent(message().replace("OBR|1", f"OBX|1|{kind}|{code}||{value}||||||F\rOBR|1"))
    (found,) = left.events[0].observations
    assert (found.kind, found.value, found.finding) == ("empty", None, BIRTH_DATE)
    assert "1930" not in left.out.replace(str(left.events[0].occurred_at_ms), "")


AGE_NAMES = (
    "AGE^^L", "AGE", "PT_AGE^^L", "AGEYRS^^L", "AGE^Age:^L", "AGE^Age (yr)^L", "X^Age yrs^L", "X^Age on admission^L",
    "X^Age at surgery^L", "X^Chronological age^L", "X^Patient's age^L", "X^年龄（岁）^L", "X^年龄(岁)^L", "X^实足年龄^L", "X^病人年龄^L",
)  # fmt: skip
BIRTH_NAMES = (
    "DOB^^L", "PT_DOB", "YOB^^L", "X^Date of Birth (DOB)^L", "X^D.O.B.^L", "X^Birth Date/Time^L", "X^Year born^L",
    "X^生日^L", "X^出生^L", "X^出生时间^L", "X^出生年份（年）^L", "X^Mother's date of birth^L",
)  # fmt: skip


def result(kind: str, name: str, value: str, unit: str = "") -> str:
    """One result of a message that has none else."""
    return message(more=[f"OBX|1|{kind}|{name}||{value}|{unit}|||||F"])


@pytest.mark.parametrize("name", AGE_NAMES)
@pytest.mark.parametrize(
    ("kind", "value"), [("NM", "94"), ("ST", "94"), ("ST", "ninety-four"), ("CWE", "94^94^L")]
)
def test_an_age_over_89_is_90_however_it_is_called(name: str, kind: str, value: str) -> None:
    left = sent(result(kind, name, value))
    (found,) = left.events[0].observations
    told = found.value or (found.answer.code if found.answer else found.text)
    assert (str(told).removesuffix(".0"), found.finding) == ("90", AGE_CLAMPED)
    assert f'"{value}"' not in left.out


@pytest.mark.parametrize(
    ("name", "value", "unit", "kept"),
    [("AGE^Age at surgery^L", "94", "y.o.", 90.0), ("AGE^Age at surgery^L", "94", "YRS OLD", 90.0), ("AGE", "1164", "mo", 1080.0),
     ("AGE_MO", "1164", "", 1080.0), ("X^Age (months)^L", "1164", "", 1080.0), ("X^年龄（月）^L", "1164", "", 1080.0)],
)  # fmt: skip
def test_an_age_over_89_is_90_in_each_unit(name: str, value: str, unit: str, kept: float) -> None:
    (found,) = sent(result("NM", name, value, unit)).events[0].observations
    assert (found.value, found.finding) == (kept, AGE_CLAMPED)


@pytest.mark.parametrize(
    ("name", "value", "unit"),
    [("X^Gestational age^L", "98", ""), ("X^Bone age^L", "96", ""), ("X^BMI-for-age percentile^L", "95", ""),
     ("X^Age-adjusted D-dimer^L", "120", "ng/mL"), ("AGE^Advanced glycation end products^L", "95", ""), ("X^Vascular age^L", "92", ""),
     ("AGE_MO", "97", ""), ("X^Age (months)^L", "97", ""), ("X^月龄^L", "97", ""), ("X^年龄（天）^L", "97", ""), ("X^胎龄^L", "98", ""),
     ("X^Dosage^L", "95", ""), ("X^Sage^L", "95", ""), ("X^Percentage^L", "95", ""), ("X^Stage^L", "95", ""), ("AGE", "999", ""),
     ("AGE", "89", ""), ("AGE", "95", "%"), ("X^Age at onset^L", "100", "d"), ("X^Birth weight^L", "3200", "g"), ("X^出生体重^L", "3200", "g"),
     ("X^出生年龄^L", "3", ""), ("X^出生日龄^L", "30", ""), ("X^Place of birth, code^L", "7", "")],
)  # fmt: skip
def test_what_is_called_nearly_like_an_age_or_birth_stays(name: str, value: str, unit: str) -> None:
    (found,) = sent(result("NM", name, value, unit)).events[0].observations
    assert (found.value, found.finding) == (float(value), "")


@pytest.mark.parametrize(
    "text", ["BP 94/60, 45 y", "45 y, 92 kg", "百日咳", "SpO2 95%", "100 days"]
)
def test_a_text_under_a_name_with_age_in_it_stays(text: str) -> None:
    (found,) = sent(result("ST", "X^Age at onset, weight^L", text)).events[0].observations
    assert (found.text, found.finding) == (text, "")


@pytest.mark.parametrize("name", BIRTH_NAMES)
@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("NM", "1930"),
        ("ST", "1930"),
        ("CWE", "1930^1930^L"),
        ("DT", "19500307"),
        ("TS", "1950030710"),
    ],
)
def test_a_birth_leaves_by_no_result_however_it_is_called(name: str, kind: str, value: str) -> None:
    (found,) = sent(result(kind, name, value)).events[0].observations
    assert (found.value, found.text, found.answer) == (None, "", None)


def test_the_day_a_birth_is_expected_stays() -> None:
    (found,) = sent(result("DT", "EDD^Expected date of birth^L", "20240401")).events[0].observations
    assert found.text.startswith("202")


def test_what_began_over_89_years_ago_leaves_without_its_time() -> None:
    left = sent(
        message("ok", more=["DG1|1||I10^Old^I10||19330101", "DG1|2||I11^New^I10||19360101"])
    )
    old, new = left.events[0].conditions
    assert (old.code.code, old.at_ms) == ("I10", None)
    assert (new.code.code, new.at_ms is None) == ("I11", False)


def test_a_date_of_birth_by_its_name_alone_leaves_by_no_result() -> None:
    left = sent(message().replace("OBR|1", "OBX|1|DT|X^DOB^L||19500307||||||F\rOBR|1"))
    (found,) = left.events[0].observations
    assert (found.kind, found.text) == ("time", "")


@pytest.mark.parametrize(
    ("value", "unit"),
    [("1254321", "copies/mL"), ("17234567", "IU/mL"), ("5254321", "cells/kg"), ("1250001", "CFU/mL"), ("1254321", "拷贝/mL"),
     ("1254321", "拷贝/毫升"), ("5254321", "cells/mm3"), ("152543210", "cp/ml"),
     ("4512345", "{copies}/mL"), ("4512345", "/uL"), ("1234569", "ng/mL")],
)  # fmt: skip
def test_a_count_in_a_unit_that_has_no_name_in_ucum_stays(value: str, unit: str) -> None:
    (found,) = sent(result("NM", "VL^HIV-1 RNA^L", value, unit)).events[0].observations
    assert (found.value, found.finding) == (float(value), "")


@pytest.mark.parametrize(
    ("value", "unit"),
    [("1254321", "MRN"), ("1254321", "id"), ("1254321", "tel/mL"), ("1254321", "copies"), ("1254321", "of ward/mL"), ("1254321", "copies/Smith"), ("1254321", "mL"), ("1254321", "a/b/mL"),
     ("1254321", ""), ("2025550143", "copies/mL"), ("13998765432", "IU/mL")],
)  # fmt: skip
def test_no_other_words_make_a_number_a_count(value: str, unit: str) -> None:
    (found,) = sent(result("NM", "VL^HIV-1 RNA^L", value, unit)).events[0].observations
    assert (found.value, found.finding) == (None, IDENTIFYING_NUMBER)


def test_a_number_of_the_patient_is_no_count_in_whatever_unit() -> None:
    frame = result("NM", "VL^HIV-1 RNA^L", "10045678", "copies/mL")
    (found,) = sent(frame).events[0].observations
    assert (found.value, found.finding) == (None, IDENTIFYING_NUMBER)


@pytest.mark.parametrize(("number", "unit"), [("100456", ""), ("100456", "mL"), ("23456", "/uL")])
def test_a_number_that_is_known_of_the_patient_leaves_by_no_value(number: str, unit: str) -> None:
    pid = EN_PID.replace("10045678", f"00{number}")
    result = f"OBX|1|NM|77777^Contact^L||{number}|{unit}|||||F"
    left = sent(message(pid=pid).replace("OBR|1", f"{result}\rOBR|1"))
    (found,) = left.events[0].observations
    assert (found.kind, found.value, found.finding) == ("empty", None, IDENTIFYING_NUMBER)
    assert shown(left, (number,)) == []


def test_a_dose_that_is_a_number_of_the_patient_does_not_leave() -> None:
    pid = EN_PID.replace("10045678", "100456")
    left = sent(message(pid=pid, kind="RDE^O11^RDE_O11", more=["RXE||R1^Drug^L|100456||mg"]))
    (found,) = left.events[0].medications
    assert (found.code.text, found.dose) == ("Drug", None)


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize("secret", ["617-555-0199", "212-09-9999", "221 Baker Street", "Jane Doe"])
def test_nobody_hides_between_the_parts_of_a_structured_value(place: int, secret: str) -> None:
    parts = [">", "5", "-", "6"]
    parts[place] = secret
    sn = f"OBX|1|SN|X^Y^L||{'^'.join(parts)}||||||F"
    assert shown(sent(message().replace("OBR|1", f"{sn}\rOBR|1")), (secret,)) == []
