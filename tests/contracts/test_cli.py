"""Every command with a machine-readable answer has a schema, and golden files that it accepts."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from cli.accounting import NON_CLINICAL, Seen, reconcile
from cli.main import COMMANDS

FOLDER = Path(__file__).parents[2] / "contracts" / "cli"
SCHEMAS = sorted(FOLDER.glob("*.schema.json"))


def goldens(schema: Path) -> list[Path]:
    """Return the golden answers of a schema: ``<command>[.<case>].output.json[l]``."""
    command = schema.name.removesuffix(".schema.json")
    return sorted(p for p in FOLDER.glob(f"{command}.*") if ".output." in p.name)


def answers(path: Path) -> Iterator[Any]:
    text = path.read_text(encoding="utf-8")
    yield from (json.loads(line) for line in text.splitlines() if line.strip())


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda path: path.name)
def test_a_schema_is_valid_belongs_to_a_command_and_accepts_its_goldens(schema: Path) -> None:
    told = json.loads(schema.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(told)
    assert schema.name.split(".")[0] in COMMANDS
    found = goldens(schema)
    assert found, f"{schema.name} has no golden file"
    for path in found:
        for answer in answers(path):
            jsonschema.validate(answer, told)


def test_every_golden_has_a_schema() -> None:
    belonging = {path for schema in SCHEMAS for path in goldens(schema)}
    outputs = {path for path in FOLDER.iterdir() if ".output." in path.name}
    assert outputs == belonging


def test_reconcile_answers_as_its_golden_file() -> None:
    uuid = "6f1b2c3d-0000-4000-8000-00000000000{}".format
    found = reconcile(
        Seen(
            accepted={
                uuid(1): "observation.result",
                uuid(2): NON_CLINICAL,
                uuid(3): "document",
                uuid(4): "document",
            },
            refused={uuid(3): "identity_guard"},
            scored={uuid(1): 2},
            visible=frozenset({uuid(1)}),
            visible_entries=1,
        )
    )
    (golden,) = answers(FOLDER / "reconcile.output.json")
    answer = json.loads(json.dumps(asdict(found) | {"balanced": found.balanced}))
    assert answer == golden
