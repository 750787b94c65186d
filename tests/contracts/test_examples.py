"""Each topic has golden examples; each is valid, decodes, and survives a newer minor version."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from contracts.identified import IdentifiedBody
from contracts.pipeline import PIPELINE
from contracts.schema import schemas

EXAMPLES = Path(__file__).parents[2] / "contracts" / "examples"
FOLDERS = {topic.name: topic.event for topic in PIPELINE} | {
    "clinical.identified.v1.body": IdentifiedBody
}
CASES = sorted(path for path in EXAMPLES.rglob("*.json"))


def test_every_topic_has_an_example_and_every_folder_is_a_topic() -> None:
    with_examples = {path.parent.name for path in CASES}
    assert with_examples == set(FOLDERS)


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_an_example_is_valid_and_round_trips(path: Path) -> None:
    event_type: type[Any] = FOLDERS[path.parent.name]
    raw = path.read_bytes()
    jsonschema.validate(json.loads(raw), schemas()[path.parent.name])
    event = msgspec.json.decode(raw, type=event_type)
    assert msgspec.json.decode(msgspec.json.encode(event), type=event_type) == event


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_field_of_a_newer_minor_version_is_ignored_and_not_passed_on(path: Path) -> None:
    event_type: type[Any] = FOLDERS[path.parent.name]
    newer = json.loads(path.read_bytes()) | {"schema_version": "1.99", "of_tomorrow": "canary-7"}
    event = msgspec.json.decode(json.dumps(newer).encode(), type=event_type)
    assert b"of_tomorrow" not in msgspec.json.encode(event)
    assert b"canary-7" not in msgspec.json.encode(event)


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_an_example_is_used_by_a_producer_or_a_consumer_test(path: Path) -> None:
    """Some other test names the example's folder and its case, or reads the whole folder."""
    here = Path(__file__).resolve()
    tests = [p for p in here.parents[1].rglob("*.py") if p.resolve() != here]
    text = "\n".join(p.read_text(encoding="utf-8") for p in tests)
    assert path.stem in text or f'"{path.parent.name}"' in text, f"nothing uses {path.name}"
