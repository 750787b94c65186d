"""`auscult parse` prints what its schema says, and its golden pair."""

import json
from pathlib import Path

import jsonschema
import pytest

from cli.commands.parse import parse_command

REPOSITORY = Path(__file__).parents[3]
FOLDER = REPOSITORY / "contracts" / "cli"
SCHEMA = json.loads((FOLDER / "parse.schema.json").read_text(encoding="utf-8"))


def test_the_golden_pair(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(REPOSITORY)
    parse_command(["contracts/cli/parse.input.hl7", "contracts/cli/parse.input.json"])
    lines = capsys.readouterr().out.splitlines()
    golden = (FOLDER / "parse.output.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [json.loads(line) for line in golden]
    for line in lines:
        jsonschema.validate(json.loads(line), SCHEMA)


def test_a_file_without_a_message_is_one_refusal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "note.txt"
    path.write_text("nothing here\n")
    parse_command([str(path)])
    (line,) = capsys.readouterr().out.splitlines()
    found = json.loads(line)
    jsonschema.validate(found, SCHEMA)
    assert (found["file"], found["index"], found["ack"]) == (str(path), 0, "AR")


def test_framed_and_batched_files_give_a_line_per_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    message = b"MSH|^~\\&|A|B|||2024||ADT^A08|%d|P|2.5\rPID|1||7^^^H^MR\r"
    framed = b"".join(b"\x0b" + message % number + b"\x1c\r" for number in range(3))
    batch = b"FHS|^~\\&\rBHS|^~\\&\r" + message % 8 + message % 9 + b"BTS|2\rFTS|1\r"
    for name, content in (("framed", framed), ("batch", batch)):
        (tmp_path / name).write_bytes(content)
    parse_command([str(tmp_path / "framed"), str(tmp_path / "batch")])
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["index"], one["control_id"], one["ack"]) for one in found] == [
        (0, "0", "AA"), (1, "1", "AA"), (2, "2", "AA"), (0, "8", "AA"), (1, "9", "AA"),
    ]  # fmt: skip


def test_several_patients_are_several_events(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "two.hl7"
    path.write_bytes(
        b"MSH|^~\\&|A|B|||2024||ORU^R01|1|P|2.5\rPID|1||1^^^H^MR\rOBX|1|ST|X||a\r"
        b"PID|2||2^^^H^MR\rOBX|1|ST|X||b\r"
    )
    parse_command([str(path)])
    found = json.loads(capsys.readouterr().out)
    jsonschema.validate(found, SCHEMA)
    assert found["observations"] == 2
    assert [one["patient"]["ids"][0]["value"] for one in found["further_events"]] == ["2"]


def test_fhir_files_give_a_line_for_each_body(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "one.ndjson").write_text(
        '{"resourceType":"Patient","id":"1"}\n{"resourceType":"Patient","id":"2"}\n'
    )
    (tmp_path / "bad.json").write_text('{"resourceType":')
    parse_command([str(tmp_path / "one.ndjson"), str(tmp_path / "bad.json")])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    for line in lines:
        jsonschema.validate(line, SCHEMA)
    assert [(line["index"], line["ack"]) for line in lines] == [(0, "AA"), (1, "AA"), (0, "AR")]
    assert [line["findings"][0]["code"] for line in lines[2:]] == ["structure"]
    assert {(line["msh9"], line["msh12"], line["control_id"]) for line in lines} == {("", "", "")}
