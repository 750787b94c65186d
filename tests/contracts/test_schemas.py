"""The exported schemas are the code's, and a change does not break the last release's readers."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from contracts.schema import FOLDER, breaks, schemas

RELEASED = FOLDER / "released"


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


@pytest.mark.parametrize("path", sorted(RELEASED.glob("*.json")), ids=lambda path: path.stem)
def test_the_last_release_can_still_be_read(path: Path) -> None:
    assert breaks(read(path), schemas()[path.stem]) == []


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
