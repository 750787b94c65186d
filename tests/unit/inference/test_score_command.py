"""`auscult score` prints what its schema says, and its golden pair."""

import gzip
import json
from pathlib import Path

import jsonschema
import pytest
import typer

from cli.commands.score import score_command

FOLDER = Path(__file__).parents[3] / "contracts" / "cli"
SCHEMA = json.loads((FOLDER / "score.schema.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["NEWS2", "qSOFA"])
def test_the_golden_pair(name: str, tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    score_command(name, str(FOLDER / "score.input.jsonl"), str(target))

    lines = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    for line in lines:
        jsonschema.validate(line, SCHEMA)
    golden = (FOLDER / f"score.{name.lower()}.output.jsonl").read_text(encoding="utf-8")
    assert lines == [json.loads(line) for line in golden.splitlines()]


def test_compressed_lines_go_in_and_out(tmp_path: Path) -> None:
    source, target = tmp_path / "in.jsonl.gz", tmp_path / "out.jsonl.gz"
    source.write_bytes(gzip.compress(b'{"id": 1, "input": {"resp_rate": 25}}\n\n'))
    score_command("news2", str(source), str(target))

    (line,) = gzip.decompress(target.read_bytes()).splitlines()
    found = json.loads(line)
    assert (found["total"], found["total_min"], found["total_max"]) == (3, 3, 20)


def test_an_unknown_score_is_wrong_usage() -> None:
    with pytest.raises(typer.BadParameter):
        score_command("APACHE", "-", "-")
