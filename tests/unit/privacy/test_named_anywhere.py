"""Whom a message names in whatever field is gone from all else that it says, sent to privacy."""

from typing import Any

import pytest

from tests.support.fhir import bundle, parsed
from tests.unit.privacy.bad_inputs import left_of, message, sent
from tests.unit.privacy.test_bad_inputs_fhir import PATIENT, SUBJECT, observation
from tests.unit.privacy.test_kinds import segment

ADE = {"display": "Ade Okpo"}
OBR = "OBR|1|PL-884412||X^y^L"


@pytest.mark.parametrize(
    "segments",
    [
        [segment("OBR", {4: "X^y^L", 16: "D77^Okpo^Ade"}), "OBX|1|ST|C^^L||notified okpo||||||F"],
        [segment("OBR", {4: "X^y^L", 32: "D7&Okpo&Ade"}), "OBX|1|NM|C^told okpo^L||5||||||F"],
        [OBR, "OBX|1|ST|C^Comment^L||notified okpo||||||F|||||D77^Okpo^Ade"],
        [segment("ORC", {1: "NW", 12: "D7^Okpo^Ade"}), OBR, "OBX|1|CWE|C^^L||A^told okpo||||||F"],
        ["ROL|1|AD|AT|D77^Okpo^Ade", OBR, "OBX|1|IS|VER^Verified by^L||OKPO||||||F"],
        ["PRT||AD||X|D77^Okpo^Ade", "DG1|1||X^rash, told okpo^L"],
    ],
)
def test_staff_is_gone_from_results_without_a_note(segments: list[str]) -> None:
    left = sent(message(more=segments))
    assert left.fate == "cleaned"
    assert "okpo" not in left.out.casefold()


@pytest.mark.parametrize(
    "said",
    [
        observation(valueString="told okpo", valueQuantity=None, performer=[ADE]),
        observation(interpretation=[{"text": "told okpo"}], performer=[ADE]),
        {
            "resourceType": "Condition", "id": "c", "subject": SUBJECT,
            "code": {"text": "rash told okpo"}, "recorder": ADE,
        },
    ],
)  # fmt: skip
def test_staff_is_gone_from_fhir_results_without_a_note(said: dict[str, Any]) -> None:
    said = {name: value for name, value in said.items() if value is not None}
    left = left_of(parsed(bundle(PATIENT, said)))
    assert left.fate == "cleaned"
    assert "okpo" not in left.out.casefold()


def test_the_number_of_an_order_is_gone_from_an_answer_that_quotes_it() -> None:
    left = sent(message(more=[OBR, "OBX|1|CWE|C^Sample^L||R^repeat of PL 884412^L||||||F"]))
    assert left.fate == "cleaned"
    assert "884412" not in left.out
    assert "repeat of" in left.out


@pytest.mark.parametrize(
    ("kind", "value", "secret", "said"),
    [
        ("CX", "123456^^^HOSP^MR", "123456", "see 123456"),
        ("CX", "ZA4432^^^HOSP^MR~ZB4432", "4432", "see za 4432 and ZB4432"),
        ("XCN", "D5512^Zorqvel^Tannith", "Zorqvel", "told zorqvel"),
        ("PPN", "D5512^Zorqvel", "5512", "told D5512"),
        ("CN", "D5512^Zorqvel", "Zorqvel", "told zorqvel"),
        ("XPN", "Zorqvel^Tannith", "Zorqvel", "told zorqvel"),
        ("PN", "Zorqvel^Tan\\T\\nith", "Zorqvel", "told zorqvel"),
        ("XAD", "7 Cobbler's Yard^^Nether Wallop", "Cobbler", "at 7 cobbler's yard"),
        ("AD", "7 Cobbler's Yard^^Nether Wallop", "Wallop", "from nether wallop"),
        ("XTN", "^PRN^PH^^^415^5552671", "5552671", "call 555 2671"),
        ("TN", "(415)555-2671", "2671", "call 555 2671"),
        ("XON", "Cobham Ironworks^L", "Cobham", "works for Cobham ironworks"),
        ("DLN", "K8812345^CA", "8812345", "licence K8812345"),
        ("PL", "7 Cobbler's Yard^1^A", "Cobbler", ""),
    ],
)
def test_a_value_type_of_people_passes_nowhere_and_is_known(
    kind: str, value: str, secret: str, said: str
) -> None:
    rows = [f"OBX|1|{kind}|DON^Donor^L||{value}||||||F", f"OBX|2|ST|C^^L||stable, {said}||||||F"]
    left = sent(message(more=[OBR, *rows]))
    assert left.fate == "cleaned"
    assert secret.casefold() not in left.out.casefold().replace(" ", "")
    somebodys, comment = left.events[0].observations
    assert (somebodys.kind, somebodys.finding) == ("empty", "identifying_value")
    assert somebodys.answer is None
    assert comment.text.startswith("stable")


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("NK1", {2: "Smith^A", 26: "Okpo^Ade"}),
        ("GT1", {3: "Smith^A", 16: "Okpo^Ade"}),
        ("GT1", {3: "Smith^A", 42: "Okpo^Ade"}),
        ("IN1", {6: "Okpo^Ade"}),
        ("IN2", {3: "7^Okpo^Ade"}),
        ("IN2", {22: "Okpo^Ade"}),
        ("PV2", {13: "7^Okpo^Ade"}),
        ("PRD", {1: "RP", 2: "Okpo^Ade"}),
        ("CTD", {1: "PR", 2: "Okp\\T\\o^Ade~Okpo^Ade"}),
        ("AIP", {1: "1", 3: "7^Okpo^Ade"}),
        ("IAM", {2: "DA", 3: "X^rash^L", 6: "A", 14: "Okpo^Ade"}),
        ("IAM", {2: "DA", 3: "X^rash^L", 6: "D", 14: "Okpo^Ade"}),
        ("FT1", {20: "7^Okpo^Ade"}),
        ("SCH", {16: "7^Okpo^Ade"}),
        ("PDA", {5: "7^Okpo^Ade"}),
        ("CON", {24: "Okpo^Ade"}),
        ("CON", {24: "7^Okpo^Ade"}),
    ],
)
@pytest.mark.parametrize("said", ["NTE|1||told okpo", "OBX|1|ST|C^^L||told okpo||||||F"])
def test_whoever_is_named_in_a_segment_is_known_to_the_scrub(
    name: str, fields: dict[int, str], said: str
) -> None:
    left = sent(message(more=[said, segment(name, fields)]))
    assert left.fate == "cleaned"
    assert "okpo" not in left.out.casefold()


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("NK1", {13: "Cobham Ironworks^L^4432"}), ("IN1", {11: "Cobham Ironworks"}),
        ("GT1", {21: "Cobham Ironworks"}), ("GT1", {51: "Cobham Ironworks"}),
    ],
)  # fmt: skip
def test_employers_are_known_to_the_scrub(name: str, fields: dict[int, str]) -> None:
    left = sent(message("smelter at cobham  ironworks, retired", more=[segment(name, fields)]))
    assert "cobham" not in left.out.casefold()
    kept = sent(
        message("was retired at 60", more=[segment(name, {**fields, max(fields): "Retired"})])
    )
    assert "was retired at 60" in kept.out
