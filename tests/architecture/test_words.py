"""Words that may not stand where they would be a leak of one part into another."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CLINICAL = re.compile(
    r"\b(patients?|clinical|clinicians?|hl7|fhir|loinc|icu|news2|vitals?|diagnos\w+|mrn)\b",
    re.IGNORECASE,
)
PRODUCT = ("services", "plumbing", "contracts", "cli", "simulator", "deploy")


@pytest.mark.parametrize("path", sorted((ROOT / "plumbing").glob("*.py")), ids=lambda p: p.name)
def test_the_pipes_know_no_clinical_word(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if CLINICAL.search(line)] == []


@pytest.mark.parametrize("folder", PRODUCT)
def test_the_product_never_reaches_for_the_shared_data(folder: str) -> None:
    files = [p for p in (ROOT / folder).rglob("*") if p.is_file() and p.suffix != ".pyc"]
    found = [p for p in files if b"../shared" in p.read_bytes()]
    assert found == []


def test_no_name_says_nothing() -> None:
    empty = {"utils.py", "helpers.py", "common.py", "core.py", "misc.py", "types.py"}
    packages = ("contracts", "plumbing", "services", "training", "simulator", "bench", "cli")
    found = [p for package in packages for p in (ROOT / package).rglob("*.py") if p.name in empty]
    assert found == []
