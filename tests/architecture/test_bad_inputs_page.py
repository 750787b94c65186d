"""docs/bad-inputs.md names every case, and every test that it names is there."""

import re
from pathlib import Path

import pytest

from tests.unit.privacy import test_bad_inputs_fhir as fhir
from tests.unit.privacy import test_bad_inputs_hl7 as hl7
from tests.unit.privacy import test_bad_inputs_text as text

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "bad-inputs.md").read_text(encoding="utf-8")
ROWS = [
    line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| bad")
]
CASES = {
    f"{name}/{case.name}"
    for name, module in (("hl7", hl7), ("text", text), ("fhir", fhir))
    for case in module.CASES
}
NAMED = [name for row in ROWS for name in re.findall(r"`([^`]+)`", row.rpartition(" | ")[2])]


def test_every_case_is_on_the_page_and_every_one_on_the_page_is_a_case() -> None:
    assert {name for name in NAMED if not name.startswith("tests/")} == CASES
    assert sum(len(module.CASES) for module in (hl7, text, fhir)) == len(CASES)


@pytest.mark.parametrize("name", sorted({name for name in NAMED if name.startswith("tests/")}))
def test_every_test_that_is_named_is_there(name: str) -> None:
    path, _, test = name.partition("::")
    written = (ROOT / path).read_text(encoding="utf-8")
    assert not test or re.search(rf"^(?:async )?def {test}\(", written, re.MULTILINE)


def test_every_row_names_a_test() -> None:
    assert len(ROWS) > 40
    assert [
        row for row in ROWS if "`" not in row.rpartition(" | ")[2] and row != "| attack | tests |"
    ] == []
