"""`auscult predict` and `auscult models`: their contract, their golden pair, their refusals."""

import gzip
import json
from pathlib import Path

import jsonschema
import pytest
import typer

from cli.commands.models import (
    list_command,
    promote,
    roll_back,
    sign_command,
    verify_command,
)
from cli.commands.predict import predict_command, shipped
from cli.stack.programs import MODELS_DIR
from contracts.promoted import PROMOTED, ModelPromoted
from plumbing.clock import ManualClock
from plumbing.event_log import Output
from plumbing.key_files import write_new
from plumbing.memory_log import InMemoryLog
from services.inference import manifest as manifests
from services.inference.icu_mortality import NAME
from services.inference.model import ModelRefused
from tests.support.models import SITE_KEY, a_model_folder

FOLDER = Path(__file__).parents[3] / "contracts" / "cli"
TABLE = FOLDER / "predict.physionet2012.input.csv"


def schema(name: str) -> dict[str, object]:
    found: dict[str, object] = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return found


def lines(path: Path) -> list[dict[str, object]]:
    content = path.read_bytes()
    text = gzip.decompress(content) if path.suffix == ".gz" else content
    return [json.loads(line) for line in text.splitlines()]


def predicted(
    output: Path, table: Path = TABLE, until_minute: int = 2880
) -> list[dict[str, object]]:
    predict_command("physionet2012", table, output, until_minute, MODELS_DIR, "")
    return lines(output)


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz"])
def test_the_golden_pair(tmp_path: Path, name: str) -> None:
    found = predicted(tmp_path / name)
    golden = lines(FOLDER / "predict.physionet2012.output.jsonl")
    for line in found:
        jsonschema.validate(line, schema("predict.physionet2012.schema.json"))
    assert [line["RecordID"] for line in found] == [*range(900001, 900006)]
    for line, expected in zip(found, golden, strict=True):
        assert line.pop("probability") == pytest.approx(expected.pop("probability"), abs=1e-6)
        assert line == expected


def test_less_is_known_at_an_earlier_minute(tmp_path: Path) -> None:
    whole, early = predicted(tmp_path / "w"), predicted(tmp_path / "e", until_minute=60)
    assert [line["RecordID"] for line in early] == [line["RecordID"] for line in whole]
    assert early[1]["probability"] != whole[1]["probability"]


def test_a_bad_table_is_one_line_and_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("RecordID,minute,parameter,value\n1,soon,HR,80\n")
    with pytest.raises(typer.Exit) as caught:
        predicted(tmp_path / "out", bad)
    assert caught.value.exit_code == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_another_task_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(typer.BadParameter):
        predict_command("tea_leaves", TABLE, tmp_path / "out", 0, MODELS_DIR, "")


def test_without_a_model_nothing_is_predicted(tmp_path: Path) -> None:
    with pytest.raises(ModelRefused):
        shipped(NAME, tmp_path)


def test_models_are_listed_and_verified(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = a_model_folder(tmp_path)
    (tmp_path / "site.pub").write_text(manifests.public_key_of(SITE_KEY).hex())
    list_command(tmp_path, as_json=True)
    (line,) = capsys.readouterr().out.splitlines()
    jsonschema.validate(json.loads(line), schema("models.list.schema.json"))
    verify_command(models=tmp_path)
    assert f"{NAME} 1.0.0 ok  {manifest.digest}" in capsys.readouterr().out


def test_an_untrusted_model_is_refused_until_the_site_signs_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = a_model_folder(tmp_path, key=bytes(32))
    key, public = tmp_path / "site.key", tmp_path / "site.pub"
    write_new(key, SITE_KEY)
    public.write_text(manifests.public_key_of(SITE_KEY).hex())
    with pytest.raises(typer.Exit):
        verify_command(models=tmp_path)
    assert "REFUSED: signature" in capsys.readouterr().out
    sign_command(NAME, "1.0.0", key, tmp_path)
    verify_command(NAME, "1.0.0", tmp_path, [public])
    assert manifest.digest in capsys.readouterr().out


def test_the_shipped_models_are_signed_by_the_release_key(
    capsys: pytest.CaptureFixture[str],
) -> None:
    verify_command(models=MODELS_DIR, trust=[MODELS_DIR / "release.pub"])
    assert "REFUSED" not in capsys.readouterr().out


def said(name: str, version: str, digest: str) -> ModelPromoted:
    return ModelPromoted(
        model=name, version=version, digest=digest, state="live", by="test", at_ms=1
    )


def a_log() -> InMemoryLog:
    return InMemoryLog([PROMOTED.name], 1, ManualClock())


def live(log: InMemoryLog) -> list[str]:
    values = [record.value for record in log.records(PROMOTED.name) if record.value]
    return [PROMOTED.decode(value).version for value in values]


async def test_a_promotion_is_taken_back_and_the_taking_back_too() -> None:
    log = a_log()
    assert await roll_back(log, log, NAME, said) is None
    assert await promote(log, log, said(NAME, "1.0.0", "a"))
    assert await roll_back(log, log, NAME, said) is None
    assert await promote(log, log, said("another", "7.0.0", "z"))
    assert await promote(log, log, said(NAME, "1.1.0", "b"))
    assert await promote(log, log, said(NAME, "1.1.0", "b")) is None
    assert await roll_back(log, log, NAME, said)
    assert await roll_back(log, log, NAME, said)
    assert live(log) == ["1.0.0", "7.0.0", "1.1.0", "1.0.0", "1.1.0"]


async def test_a_rollback_needs_the_newest_record_alone() -> None:
    log = a_log()
    newest = ModelPromoted(
        model=NAME, version="1.1.0", digest="b", state="live", by="test", at_ms=1,
        replaces_version="1.0.0", replaces_digest="a",
    )  # fmt: skip
    await log.write([Output(PROMOTED.name, NAME.encode(), PROMOTED.encode(newest))])
    back = await roll_back(log, log, NAME, said)
    assert back is not None
    assert (back.version, back.replaces_version) == ("1.0.0", "1.1.0")
