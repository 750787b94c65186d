"""A site's own codes: mapped by its file, kept as sent, counted where nothing maps them."""

from pathlib import Path

import pytest

from contracts.observation import Code, Observation
from services.ingest.codes import LocalCode
from services.ingest.local_codes import LocalCodesInvalid, load, of_source
from services.ingest.parse import SourceProfile
from tests.support.fhir import bundle, only, patient
from tests.unit.ingest.conftest import MakeBench, sender
from tests.unit.ingest.test_mapping import PID, body, segment
from tests.unit.privacy.test_deidentify import clean

FILE = """\
system,code,loinc,unit,source
99LAB,K,2823-3,mmol/L,
99LAB,LAK,2524-7,mmol/L,
,HB,718-7,g/L,
L,CRP,1988-5,mg/L,
L,CRP,2160-0,umol/L,icu
"""


def table(tmp_path: Path, text: str = FILE) -> Path:
    path = tmp_path / "codes.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def source(tmp_path: Path) -> SourceProfile:
    return SourceProfile("lab", local_codes=of_source(load(table(tmp_path)), "lab"))


def result(source: SourceProfile, code: str, value: str, unit: str = "") -> Observation:
    obx = segment("OBX", {1: "1", 2: "NM", 3: code, 5: value, 6: unit, 11: "F"})
    (found,) = body("ORU^R01", PID, "OBR|1||F1", obx, source=source).observations
    return found


def test_a_local_code_becomes_loinc_and_what_was_sent_is_kept(source: SourceProfile) -> None:
    found = result(source, "K^Kalium^99LAB", "5.4")
    assert found.code == Code("LN", "2823-3", "Kalium")
    assert found.code_sent == Code("99LAB", "K", "Kalium")
    assert (found.value, found.unit, found.unit_sent, found.finding) == (5.4, "mmol/L", "", "")
    assert found.series == "F1|99LAB|K|"


def test_a_unit_that_is_sent_goes_before_that_of_the_map(source: SourceProfile) -> None:
    found = result(source, "HB", "13.1", "g/dL")
    assert found.code.code == "718-7"
    assert (found.unit_sent, found.value) == ("g/dL", 13.1)
    assumed = result(source, "HB", "131")
    assert (assumed.unit, assumed.value, assumed.finding) == ("g/dL", 13.1, "")


def test_loinc_that_is_sent_beside_a_local_code_is_taken(source: SourceProfile) -> None:
    found = result(source, "K^Kalium^99LAB^6298-4^Potassium^LN", "5.4", "mmol/L")
    assert (found.code.code, found.code_sent) == ("6298-4", None)


def test_the_same_code_of_another_door_is_another(tmp_path: Path) -> None:
    rows = load(table(tmp_path))
    assert of_source(rows, "lab")["L", "CRP"] == LocalCode("1988-5", "mg/L")
    assert of_source(rows, "icu")["L", "CRP"] == LocalCode("2160-0", "umol/L")


def test_what_nothing_maps_is_a_finding_of_its_event(source: SourceProfile) -> None:
    event = body(
        "ORU^R01", PID, "OBR|1||F1",
        "OBX|1|NM|XX^x^99LAB||1|mmol/L", "OBX|2|NM|YY^y^99LAB||1|mmol/L",
        "OBX|3|NM|K^Kalium^99LAB||5|mmol/L",
        source=source,
    )  # fmt: skip
    assert [one.code for one in event.findings] == ["local_code"]
    assert event.observations[0].code == Code("99LAB", "XX", "x")
    mapped = body("ORU^R01", PID, "OBX|1|NM|K^Kalium^99LAB||5|mmol/L", source=source)
    assert mapped.findings == ()


def test_both_codes_pass_privacy(source: SourceProfile) -> None:
    event = body("ORU^R01", PID, "OBX|1|NM|K^Kalium^99LAB||5|mmol/L", source=source)
    (left,) = clean(event).observations
    assert (left.code.code, left.code_sent) == ("2823-3", Code("99LAB", "K", "Kalium"))


def test_a_local_code_of_fhir_becomes_loinc(source: SourceProfile) -> None:
    def observed(code: str) -> dict[str, object]:
        coding = [{"system": "http://lab.example/codes/99LAB", "code": code}]
        return {
            "resourceType": "Observation",
            "status": "final",
            "subject": {"reference": "urn:uuid:p1"},
            "code": {"coding": coding},
            "valueQuantity": {"value": 5},
        }

    key = only(bundle(patient(), observed("XX")), source).observations[0].code.system
    known = {(key, "K"): LocalCode("2823-3", "mmol/L")}
    event = only(
        bundle(patient(), observed("K"), observed("XX")), SourceProfile("f", local_codes=known)
    )
    first, second = event.observations
    assert (first.code.code, first.value, first.unit) == ("2823-3", 5.0, "mmol/L")
    assert first.code_sent == Code(key, "K")
    assert (second.code.code, second.code_sent) == ("XX", None)
    assert [one.code for one in event.findings if one.code == "local_code"] == ["local_code"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("code,loinc\nK,2823-3\n", "the first line must be system,code,loinc,unit"),
        ("", "the first line must be system,code,loinc,unit"),
        ("system,code,loinc,unit\nL,K,2823-4,\n", "line 2: '2823-4' is not a LOINC code"),
        ("system,code,loinc,unit\nL,K,2823-3,furlong\n", "line 2: 'furlong' is no unit known here"),
        ("system,code,loinc,unit\nL,,2823-3,\n", "line 2: needs"),
        ("system,code,loinc,unit\nL,K,2823-3,mmol/L,x,y\n", "line 2: needs"),
        ("system,code,loinc,unit\nL,K,2823-3,\nL,K,2951-2,\n", "L K stands there with two"),
    ],
)
def test_a_file_that_cannot_be_right_is_told_in_one_line(
    tmp_path: Path, text: str, told: str
) -> None:
    with pytest.raises(LocalCodesInvalid, match=r"codes\.csv") as raised:
        load(table(tmp_path, text))
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(LocalCodesInvalid, match="cannot be read"):
        load(tmp_path / "none.csv")


async def test_the_setting_reaches_what_is_stored(make_bench: MakeBench, tmp_path: Path) -> None:
    frame = (
        b"MSH|^~\\&|A|B|||20240501120000||ORU^R01|C1|P|2.5.1\r"
        b"PID|1||7^^^H^MR\rOBX|1|NM|K^Kalium^99LAB||5|mmol/L\r"
    )
    async with make_bench(local_codes=table(tmp_path)) as bench:
        async with sender(bench.service.mllp.port) as line:
            await line.send(frame)
        (stored,) = bench.bodies()
    assert stored.observations[0].code.code == "2823-3"
