"""`auscult train` from four files to a signed folder; wrong usage before any work."""

import gzip
import random
from pathlib import Path

import pytest
import typer

from cli.commands.models import verify_command
from cli.commands.train import train_command
from plumbing.key_files import write_new
from services.inference import manifest as manifests
from services.inference.icu_mortality import NAME
from tests.support.models import SITE_KEY


def a_data_folder(folder: Path, stays: int = 30) -> Path:
    """Write sets a and b: who has a low GCS dies."""
    rng = random.Random(5)
    folder.mkdir()
    for number, name in enumerate("ab"):
        table = ["RecordID,minute,parameter,value"]
        outcomes = ["RecordID,SAPS-I,In-hospital_death"]
        for stay in range(stays):
            record, ill = 1000 * (number + 1) + stay, stay % 3 == 0
            table += [f"{record},0,Age,{rng.randint(20, 90)}", f"{record},0,Gender,{stay % 2}"]
            table += [f"{record},0,ICUType,{1 + stay % 4}"]
            table += [
                f"{record},{minute},GCS,{rng.randint(3, 8) if ill else rng.randint(12, 15)}"
                for minute in range(10, 2880, 200)
            ]
            outcomes.append(f"{record},9,{int(ill)}")
        text = "\n".join(table).encode()
        (folder / f"icu_{name}_long.csv.gz").write_bytes(gzip.compress(text))
        (folder / f"icu_{name}_outcomes.csv").write_text("\n".join(outcomes))
    return folder


def test_four_files_become_a_signed_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, models, key = a_data_folder(tmp_path / "data"), tmp_path / "models", tmp_path / "key"
    write_new(key, SITE_KEY)
    train_command(NAME, data=data, output=models, version="2.0.0", folds=2, rounds=8, key=key)
    told = capsys.readouterr().out
    assert "auroc_48h" in told
    (models / "site.pub").write_text(manifests.public_key_of(SITE_KEY).hex())
    verify_command(models=models)
    assert f"{NAME} 2.0.0 ok" in capsys.readouterr().out


def test_another_task_and_another_key_are_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(typer.BadParameter):
        train_command("tea_leaves", data=tmp_path)
    (tmp_path / "key").write_text("short")
    with pytest.raises(typer.BadParameter):
        train_command(NAME, data=tmp_path, key=tmp_path / "key")


def test_another_data_set_is_one_line_and_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = a_data_folder(tmp_path / "data", stays=3)
    (data / "icu_b_outcomes.csv").write_text("RecordID,SAPS-I,In-hospital_death\n1,2,0\n")
    with pytest.raises(typer.Exit) as caught:
        train_command(NAME, data=data, output=tmp_path / "models")
    assert caught.value.exit_code == 1
    assert "not the task's data set" in capsys.readouterr().err
