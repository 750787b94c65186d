import pytest

from contracts.identified import Patient
from services.privacy.areas import SMALL, area_of
from tests.support.fhir import bundle, only, patient
from tests.unit.privacy.bad_inputs import EN_PID, message, sent
from tests.unit.privacy.builders import ANNA


@pytest.mark.parametrize(
    ("postcode", "country", "area"),
    [
        ("90210", "USA", "902"),
        ("90210-1234", "us", "902"),
        ("902101234", "840", "902"),
        ("03602", "US", "000"),
        ("20305", "US", "000"),
        ("90210", "", ""),
        ("80331", "DE", ""),
        ("100020", "CN", ""),
        ("9021", "US", ""),
        ("\u0669\u0660\u0662\u0661\u0660", "US", ""),
        ("90210 Vickers", "US", ""),
        ("", "US", ""),
    ],
)
def test_an_area_is_three_digits_or_none(postcode: str, country: str, area: str) -> None:
    assert area_of(postcode, country) == area


def test_small_areas_are_those_of_the_guidance() -> None:
    guidance_2012 = {
        "036", "059", "063", "102", "203", "556", "692", "790", "821", "823", "830", "831", "878",
        "879", "884", "890", "893",
    }  # fmt: skip
    assert guidance_2012 <= SMALL
    assert all(len(one) == 3 and one.isdecimal() for one in SMALL)


def test_only_the_area_of_a_postcode_leaves_hl7() -> None:
    pid = EN_PID.replace("Springfield^XX", "Springfield^XX^90210-4477^USA")
    left = sent(message("of 90210-4477, ok", pid=pid))
    assert left.events[0].area == "902"
    assert "90210" not in left.out
    assert "4477" not in left.out


def test_the_home_of_a_fhir_patient_is_read() -> None:
    home = [{"line": ["1 Elm"], "postalCode": "90210", "country": "US"}]
    body = only(bundle(patient("p1", "700123", address=home)))
    assert (body.patient.postcode, body.patient.country) == ("90210", "US")


def test_a_patient_without_a_postcode_has_no_area() -> None:
    assert isinstance(ANNA, Patient)
    assert sent(message("ok")).events[0].area == ""
