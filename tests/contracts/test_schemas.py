"""The exported schemas are the code's, and a change does not break the last release's readers."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest

from contracts.pipeline import PIPELINE
from contracts.schema import FOLDER, breaks, schemas

RELEASED = sorted((FOLDER / "released").glob("*/*.json"))  # a folder for each release


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("name", sorted(schemas()))
def test_the_exported_schema_is_the_code(name: str) -> None:
    path = FOLDER / f"{name}.json"
    assert path.exists(), "run: python -m contracts.schema"
    assert read(path) == json.loads(json.dumps(schemas()[name])), "run: python -m contracts.schema"


def test_no_schema_is_left_over() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(schemas())


def test_there_is_a_release_to_compare_with_and_it_is_whole() -> None:
    first = {path.stem for path in RELEASED if path.parent.name == "0.1.0"}
    assert {topic.name for topic in PIPELINE if not topic.name.endswith(".rejected")} <= first


@pytest.mark.parametrize("path", RELEASED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_what_a_release_wrote_can_still_be_read(path: Path) -> None:
    assert breaks(read(path), schemas()[path.stem]) == []


def test_every_version_of_the_changelog_has_its_schemas() -> None:
    changelog = (FOLDER.parents[1] / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = set(re.findall(r"^## \[?(\d+\.\d+\.\d+)", changelog, re.MULTILINE))
    assert versions <= {path.parent.name for path in RELEASED}


def test_a_break_is_seen() -> None:
    old = schemas()["clinical.assessed.v1"]
    gone = copy.deepcopy(old)
    del gone["$defs"]["Assessment"]["properties"]["status"]
    assert breaks(old, gone) == ["Assessment.status is gone"]
    wider = copy.deepcopy(old)
    wider["$defs"]["Assessment"]["required"] = [*old["$defs"]["Assessment"]["required"], "device"]
    assert breaks(old, wider) == ["Assessment.device became required"]
    other = copy.deepcopy(old)
    other["$defs"]["Assessment"]["properties"]["token"] = {"type": "integer"}
    assert breaks(old, other) == ["Assessment.token changed its type"]
    fewer = copy.deepcopy(old)
    fewer["$defs"]["Assessment"]["properties"]["status"]["enum"] = ["scored"]
    assert breaks(old, fewer) == ["Assessment.status changed its type"]
