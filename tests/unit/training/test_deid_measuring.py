"""Ranges are measured, written with the tagger, and used when it is loaded."""

from pathlib import Path

import msgspec
import pytest
import torch
import typer
from torch import nn

from cli.commands.train import train_command
from services.privacy.tagger.manifest import load_tagger, read_manifest, read_weights
from services.privacy.tagger.shipped import SHIPPED_DIR
from training.deid.measuring import WIDTH_MIN, Measured, measured
from training.deid.pipeline import measure
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


def test_the_shipped_ranges_are_those_of_the_training_notes() -> None:
    manifest = read_manifest(SHIPPED)
    notes = {lang: read_notes(NOTES, lang) for lang in ("en", "zh")}
    weights = read_weights(SHIPPED, manifest)
    again = measured(msgspec.structs.replace(manifest, ranges={}), weights, notes)
    assert again.ranges.keys() == manifest.ranges.keys()
    for name, ends in manifest.ranges.items():  # sums differ in their last digits by processor
        assert again.ranges[name] == pytest.approx(ends, abs=0.01)


def test_a_tagger_is_written_once_more_with_what_it_reads(tmp_path: Path) -> None:
    notes = {lang: read_notes(NOTES, lang)[:3] for lang in ("en", "zh")}
    found = measure(SHIPPED, notes, "9.9.9", "2026-01-01", tmp_path / "after")
    before = read_manifest(SHIPPED)
    assert found.ranges.keys() == before.ranges.keys()
    assert found.ranges != before.ranges
    assert (found.weights_sha256, found.version) == (before.weights_sha256, "9.9.9")
    assert load_tagger(tmp_path / "after", found.digest).find("") == []


def test_one_thing_is_done_at_a_time(tmp_path: Path) -> None:
    with pytest.raises(typer.BadParameter, match="not with --measure"):
        train_command("deid", data=tmp_path, second_look=SHIPPED, measure=SHIPPED)
