"""A lighter tagger: what says least is cut, and the rest learns to say the same."""

from dataclasses import replace
from importlib.util import find_spec
from itertools import cycle
from pathlib import Path

import pytest
import torch
import typer
from torch import Tensor

from cli.commands.train import train_command
from services.privacy.folding import fold
from services.privacy.tagger import products
from services.privacy.tagger.context import HEAD_WIDTH, HEADS
from services.privacy.tagger.manifest import (
    TaggerRefused,
    load_tagger,
    read_manifest,
    read_weights,
    second_look_of,
)
from services.privacy.tagger.network import CharacterTagger, Shape
from services.privacy.tagger.pieces import pieces_of, stacked
from services.privacy.tagger.shipped import SHIPPED_DIR
from training.deid import measuring
from training.deid.fit import Progress, new_network
from training.deid.large_texts import Texts
from training.deid.lightening import Plan, Recipe, cut, light, lighten, lightened
from training.deid.pipeline import GOLDEN, begun
from training.deid.plain_texts import Plain
from training.deid.planning import Plan as TrainingPlan
from training.deid.texts import read_notes

ROOT = Path(__file__).parents[3]
SHIPPED = ROOT / SHIPPED_DIR
NOTES = ROOT / "data" / "training_notes"
SMALL = Shape(
    char_width=4, word_width=4, width=12, dilations=(1, 2), context_layers=1, context_width=4
)
SAID = (
    "Seen in clinic today with her daughter, who lives nearby.",
    "He was asked to come back in three weeks; bloods were taken, and a scan is booked.",
)
QUIET = Progress(lambda _: None)
pytestmark = pytest.mark.skipif(
    find_spec("jieba") is None or find_spec("spellchecker") is None,
    reason="the word lists are in the training extra",
)


def pieces() -> Tensor:
    return stacked([one for text in SAID for one in pieces_of(fold(text).folded).stretches])


def with_few(heads: list[int], inner: int) -> CharacterTagger:
    """A network in which these heads and the last inner numbers alone say anything."""
    network = new_network(SMALL, 1)
    head = torch.tensor(heads)[:, None] * HEAD_WIDTH + torch.arange(HEAD_WIDTH)
    silent = torch.ones(HEADS * HEAD_WIDTH, dtype=torch.bool)
    silent[head.flatten()] = False
    state = network.state_dict()
    state["context.layers.0.joined.weight"][:, silent] = 0
    state["context.layers.0.outer.weight"][:, :-inner] = 0
    return network.eval()


def test_what_says_nothing_is_cut_and_the_rest_says_the_same() -> None:
    recipe = Recipe(heads=5, inner=64)
    before = with_few([0, 3, 4, 8, 11], 64)
    after = CharacterTagger(light(SMALL, recipe))
    after.load_state_dict(cut(before, pieces(), recipe))
    with torch.no_grad():
        assert torch.allclose(after.context(pieces()), before.context(pieces()), atol=1e-5)


def test_nothing_is_cut_off_one_that_is_as_light() -> None:
    before = new_network(SMALL, 1)
    kept = cut(before, pieces(), Recipe(heads=HEADS, inner=SMALL.context_inner))
    assert kept.keys() == before.state_dict().keys()
    assert all(torch.equal(kept[name], one) for name, one in before.state_dict().items())


def test_it_learns_what_was_cut_and_reads_characters_as_before() -> None:
    before = new_network(SMALL, 1)
    short = Recipe(heads=3, inner=32, steps=1, pieces=30)
    _, apart = lightened(before, SMALL, cycle(SAID), short, QUIET)
    told: list[str] = []
    after, learnt = lightened(
        before, SMALL, cycle(SAID), replace(short, steps=60), Progress(told.append)
    )
    assert learnt < 0.8 * apart
    state = after.state_dict()
    for name, one in before.state_dict().items():
        assert name.startswith("context.") or torch.equal(state[name], one), name
    assert told[-1].startswith("83%: step 50")


def test_a_lighter_tagger_is_written_with_the_second_look_of_the_one_before(
    tmp_path: Path,
) -> None:
    notes = {lang: read_notes(NOTES, lang)[:4] for lang in ("en", "zh")}
    recipe = Recipe(heads=5, inner=256, steps=2, pieces=200)
    plan = Plan(SHIPPED, "9.9.9", "2026-01-01", 0.2, 0.3, 3, recipe)
    found = lighten(Texts(notes["en"], (), Plain({})), notes, plan, tmp_path / "out", QUIET)
    before = read_manifest(SHIPPED)
    assert found.shape == before.shape | {"context_heads": 5, "context_inner": 256}
    assert (found.threshold, found.threshold_han, found.figures) == (0.2, 0.3, {})
    assert found.training["lightened"].startswith(f"of {before.digest}, by 4 notes and 0 medical")
    assert found.training["lightened"] in (tmp_path / "out" / "card.md").read_text("utf-8")
    tagger = load_tagger(tmp_path / "out", found.digest)
    assert tagger.find(fold(GOLDEN[0]).folded)
    old, seen = second_look_of(read_weights(SHIPPED, before), tagger.shape)
    assert old is not None
    assert tagger.second is not None
    assert torch.equal(old.inner.weight, tagger.second.inner.weight)
    assert seen is not None
    assert tagger.seen is not None
    assert (seen.keys == tagger.seen.keys).all()
    network, shape = begun(TrainingPlan("1", "", 0.1, 0.1, begin=tmp_path / "out"))
    assert shape == tagger.shape  # what goes on from it is as light
    assert len(network.context.layers) == shape.context_layers


def test_one_that_is_as_light_is_not_cut(tmp_path: Path) -> None:
    plan = Plan(SHIPPED, "9.9.9", "2026-01-01", 0.2, 0.3, 3, Recipe(heads=HEADS))
    with pytest.raises(TaggerRefused, match="as light"):
        lighten(Texts((), (), Plain({})), {}, plan, tmp_path / "out", QUIET)


def test_a_folder_that_cannot_be_lightened_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad" / "en").mkdir(parents=True)
    (tmp_path / "bad" / "en" / "a.txt").write_text("=== a-1\nno line of dashes\n")
    for before, data, notes, message in (
        (tmp_path, tmp_path, NOTES, "manifest"),
        (SHIPPED, tmp_path, NOTES, "as light already"),
        (SHIPPED, tmp_path / "none", NOTES, "no such folder"),
        (SHIPPED, tmp_path, tmp_path, "en: no notes"),
        (SHIPPED, tmp_path, tmp_path / "bad", "no line of three dashes"),
    ):
        with pytest.raises(typer.Exit):
            train_command("deid", data=data, notes=notes, output=tmp_path / "out", lighten=before)
        assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_without_eight_bits_it_says_nothing_of_ranges(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (measuring, products):
        monkeypatch.setattr(module, "rounds_here", lambda: False)
    notes = {lang: read_notes(NOTES, lang)[:1] for lang in ("en", "zh")}
    recipe = Recipe(heads=5, inner=256, steps=10, pieces=20)  # of ten steps a tenth is one
    plan = Plan(SHIPPED, "9.9.9", "2026-01-01", 0.2, 0.3, 3, recipe)
    found = lighten(Texts(notes["en"], (), Plain({})), notes, plan, tmp_path / "out", QUIET)
    assert not found.ranges
    assert "ranges" not in found.training
    assert load_tagger(tmp_path / "out", found.digest).find(fold(GOLDEN[0]).folded)
