"""Ranges are measured, written with the tagger, and used when it is loaded."""

from pathlib import Path

import msgspec
import pytest
import torch
import typer
from torch import nn

from cli.commands.train import train_command
from services.privacy.folding import fold
from services.privacy.tagger.manifest import load_tagger, read_manifest, read_weights
from services.privacy.tagger.shipped import SHIPPED_DIR
from tests.support.eight_bits import in_bytes
from training.deid import measuring
from training.deid.measuring import WIDTH_MIN, Measured, measured
from training.deid.pipeline import GOLDEN, GoldenDiffers, measure, put
from training.deid.texts import read_notes

ROOT = Path(__file__).parents[3]
SHIPPED = ROOT / SHIPPED_DIR
NOTES = ROOT / "data" / "training_notes"


def test_a_product_is_measured_by_all_that_it_read() -> None:
    product = Measured(nn.Linear(2, 3))
    assert product.range == (0.0, WIDTH_MIN)
    for row in ([1.0, -2.0], [7.12345, 3.0]):
        product.of(product.prepared(torch.tensor([row])))
    assert product.range == (-2.0, 7.123)


@in_bytes
def test_the_shipped_ranges_hold_what_notes_give() -> None:
    manifest = read_manifest(SHIPPED)
    notes = {lang: read_notes(NOTES, lang)[:20] for lang in ("en", "zh")}
    again = measured(manifest, read_weights(SHIPPED, manifest), notes)
    assert again.ranges.keys() == manifest.ranges.keys()
    for name, (lowest, highest) in manifest.ranges.items():
        low, high = again.ranges[name]
        assert 0.5 * (highest - lowest) < high - low, name
        assert 1.15 * lowest < low, name
        assert high < 1.15 * highest, name
    assert again.training["ranges"].startswith("40 notes, ")


@in_bytes
def test_a_tagger_is_written_once_more_with_what_it_reads(tmp_path: Path) -> None:
    notes = {lang: read_notes(NOTES, lang)[:3] for lang in ("en", "zh")}
    found = measure(SHIPPED, notes, "9.9.9", "2026-01-01", tmp_path / "after")
    before = read_manifest(SHIPPED)
    assert found.ranges.keys() == before.ranges.keys()
    assert found.ranges != before.ranges
    assert (found.weights_sha256, found.version) == (before.weights_sha256, "9.9.9")
    text = fold(GOLDEN[0]).folded
    assert load_tagger(tmp_path / "after", found.digest).find(text)


@in_bytes
def test_ranges_of_which_golden_texts_lose_their_spans_are_not_written(tmp_path: Path) -> None:
    manifest = read_manifest(SHIPPED)
    narrow = msgspec.structs.replace(manifest, ranges=dict.fromkeys(manifest.ranges, (-0.01, 0.01)))
    with pytest.raises(GoldenDiffers, match="8 bits"):
        put(narrow, read_weights(SHIPPED, manifest), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_without_eight_bits_nothing_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "rounds_here", lambda: False)
    manifest = msgspec.structs.replace(read_manifest(SHIPPED), ranges={})
    notes = {"en": read_notes(NOTES, "en")[:1]}
    assert measured(manifest, read_weights(SHIPPED, manifest), notes) == manifest


@in_bytes
def test_a_language_without_notes_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit):
        train_command(
            "deid", data=tmp_path, notes=tmp_path, output=tmp_path / "out", measure=SHIPPED
        )
    assert "no notes" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_one_thing_is_done_at_a_time(tmp_path: Path) -> None:
    with pytest.raises(typer.BadParameter, match="not with --measure"):
        train_command("deid", data=tmp_path, second_look=SHIPPED, measure=SHIPPED)
