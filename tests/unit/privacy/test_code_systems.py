"""Codes: of a public system by their form, of a site only when nothing in them is somebody's."""

import pytest

from contracts.observation import Code, Observation
from services.privacy.code_systems import is_of_system, is_verhoeff
from tests.unit.privacy.bad_inputs import message, sent, shown
from tests.unit.privacy.builders import a_body
from tests.unit.privacy.test_deidentify import clean

# ruff: noqa: E501  (tables)
KEPT = (
    ("LN", "8867-4"), ("LN", "57698-3"), ("LN", "LA6576-8"), ("SCT", "22298006"), ("SCT", "428191000124101"),
    ("I10", "K63.3"), ("I10", "J18.900"), ("I10", "I10.x00x002"), ("I10", "E11"), ("I9", "71596"), ("I9", "V04.5"),
    ("RXNORM", "310965"), ("NDC", "00143963401"), ("NDC", "0143-9634-01"), ("NDC", "50580-449-05"), ("NDC", "50580-4490-1"), ("NDC", "00143-9634-01"), ("CVX", "140"), ("ATC", "C07AB02"),
    ("I10P", "0DTNFZZ"), ("I10P", "0270346"), ("I10P", "10D00Z1"), ("I10P", "30233N1"), ("I10P", "3E0G76Z"), ("I10P", "5A1955Z"),
    ("I10P", "B2151ZZ"), ("I10P", "GZHZZZZ"), ("I10P", "GZ10ZZZ"), ("I10P", "HZ2ZZZZ"), ("I10P", "XW033E5"),
    ("L", "APGAR_SCORE"), ("L", "RANKIN.SCALE"), ("L", "HOLTER_24"), ("L", "WHITE_CELL"), ("L", "HEART.RATE"), ("L", "ROSE_BENGAL"),
    ("L", "GRACE_SCORE"), ("L", "BLOOD_GROUP"), ("L", "GENE.PANEL"), ("L", "MARK.SITE"), ("L", "YOUNG_ADULT"), ("L", "factor-alpha"),
    ("L", "Stevens-Johnson"), ("1.2.840.10008", "CHEST"),
    ("C4", "99213"), ("HCPCS", "J1100"), ("L", "tt-0003-01"), ("L", "3DHISTECH_SLD"), ("L", "12345"),
    ("L", "APGAR"), ("L", "INPATIENT"), ("L", "Positive"), ("2.16.840.1.113883.6.96", "B2"),
)  # fmt: skip
GONE = (
    ("L", "219-09-9999"), ("L", "415-555-2671"), ("L", "2024-03-01"), ("L", "05MAR2024"), ("L", "07MAR1950"),
    ("L", "10.23.44.12"), ("L", "http://grantham.example.org/x"), ("L", "GRANTHAM.PETER"), ("L", "Grantham"),
    ("L", "MRN-5501234"), ("L", "13998765432"), ("SCT", "110105194912310021"), ("SCT", "2190999991"),
    ("L", "SMITH_JOHN"), ("L", "john.smith"), ("L", "Wang.Xiaoming"), ("L", "xiaoming_wang"), ("L", "Margaret.Hall"), ("L", "HALL^MARGARET"),
    ("L", "RX/john/smith"), ("L", "1.2.3.4"), ("L", "2.20.143.12"), ("I10P", "SCHWARZ"), ("I10P", "5551234"), ("I10P", "3015550"),
    ("I10P", "FRANZEN"),
    ("LN", "219099999"), ("LN", "219-09-9999"), ("I10", "110105194912310021"), ("I10", "13998765432"),
    ("NDC", "4155552671"), ("NDC", "415-555-2671"), ("NDC", "219-09-9999"), ("NDC", "0143-963-401"), ("NDC", "123456789"),
    ("RXNORM", "4111111111111111"), ("SCT", "4111111111111111"), ("CVX", "13998765432"),
)  # fmt: skip


def kept(system: str, code: str) -> Code:
    observations = (Observation(index=0, code=Code(system, code), kind="empty"),)
    found: Code = clean(a_body(observations=observations)).observations[0].code
    return found


@pytest.mark.parametrize(("system", "code"), KEPT)
def test_a_code_stays(system: str, code: str) -> None:
    assert kept(system, code) == Code(system, code)


@pytest.mark.parametrize(("system", "code"), GONE)
def test_a_number_or_name_of_somebody_is_no_code(system: str, code: str) -> None:
    assert kept(system, code).code == ""


def test_the_check_digit_of_verhoeff() -> None:
    assert is_verhoeff("22298006")
    assert not any(is_verhoeff(f"2229800{last}") for last in "012345789")


def test_of_another_system_nothing_is_known() -> None:
    assert not is_of_system("8867-4", "L")


@pytest.mark.parametrize(
    "line",
    [
        "OBX|1|CWE|X1^Donor^L||219-09-9999^^L||||||F",
        "OBX|1|CWE|X1^Donor^L||GRANTHAM.PETER^^L||||||F",
        "OBX|1|NM|X1^x^L||80|u|1-2|Grantham.Peter|||F",
        "OBX|1|NM|X1^x^L||80|u|1-2|H|||Grantham",
        "OBX|1|ID|X1^x^L||Grantham||||||F",
    ],
)
def test_no_field_of_codes_lets_a_name_pass(line: str) -> None:
    left = sent(message(more=(line,)))
    assert left.fate == "cleaned"
    assert shown(left, ("Grantham", "219-09-9999")) == []
