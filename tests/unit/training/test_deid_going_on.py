"""A tagger that learns on: half of what it was and half of what it became."""

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
import typer

from cli.commands.train import train_command
from services.privacy.folding import fold
from services.privacy.tagger.manifest import load_tagger, read_manifest, read_weights
from services.privacy.tagger.network import CharacterTagger
from services.privacy.tagger.packing import packed
from services.privacy.tagger.shipped import SHIPPED_DIR
from training.deid import going_on
from training.deid.fit import Progress
from training.deid.going_on import RECIPE, Plan, go_on
from training.deid.pipeline import GOLDEN, Texts, between
from training.deid.plain_texts import Plain
from training.deid.renewing import trained
from training.deid.texts import read_notes

ROOT = Path(__file__).parents[3]
SHIPPED = ROOT / SHIPPED_DIR
NOTES = ROOT / "data" / "training_notes"
pytestmark = pytest.mark.skipif(
    find_spec("jieba") is None or find_spec("spellchecker") is None,
    reason="the word lists are in the training extra",
)


def some_texts() -> Texts:
    notes = {lang: read_notes(NOTES, lang)[:4] for lang in ("en", "zh")}
    plain = Plain({lang: [("No rash was seen.",)] for lang in notes})
    return Texts(notes, notes, notes["en"], plain, (), "0" * 64, ("some notes",))


def test_it_becomes_the_mean_of_what_it_was_and_what_it_learnt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learnt: list[dict[str, torch.Tensor]] = []

    def kept(was: dict[str, torch.Tensor], network: CharacterTagger) -> CharacterTagger:
        learnt.append({name: one.clone() for name, one in network.state_dict().items()})
        return between(was, network)

    monkeypatch.setattr(going_on, "between", kept)
    recipe = replace(RECIPE, steps=2, chars=2_000)
    plan = Plan(SHIPPED, "9.9.9", "2026-01-01", 0.2, 0.3, 3, recipe)
    told: list[str] = []
    found = go_on(some_texts(), plan, tmp_path / "out", Progress(told.append))
    assert told
    was = trained(SHIPPED).network.state_dict()
    half = {name: (was[name] + one) / 2 for name, one in learnt[0].items()}
    written = trained(tmp_path / "out").network.state_dict()
    assert any(not torch.equal(was[name], one) for name, one in learnt[0].items())
    # As they are written: some in eight bits.
    assert packed(half).keys() <= packed(written).keys()
    for name, one in half.items():
        assert torch.allclose(one, written[name], atol=float(one.abs().max()) / 100), name
    before = read_manifest(SHIPPED)
    assert (found.shape, found.figures) == (before.shape, {})
    assert found.training["further"].startswith(f"{before.digest}, by 8 notes")
    assert found.training["further"] in (tmp_path / "out" / "card.md").read_text("utf-8")
    assert found.recipe["further_steps"] == 2


def test_its_second_look_stays(tmp_path: Path) -> None:
    plan = Plan(SHIPPED, "9.9.9", "2026-01-01", 0.2, 0.3, 3, replace(RECIPE, steps=2, chars=2_000))
    found = go_on(some_texts(), plan, tmp_path / "out", Progress(lambda _: None))
    tagger, before = load_tagger(tmp_path / "out", found.digest), read_manifest(SHIPPED)
    old = load_tagger(SHIPPED, before.digest).second
    assert old is not None
    assert tagger.second is not None
    assert torch.equal(old.inner.weight, tagger.second.inner.weight)
    assert tagger.find(fold(GOLDEN[0]).folded)
    assert len(read_weights(tmp_path / "out", found)) < 6_000_000


def test_what_cannot_go_on_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "dev_en.jsonl").touch()
    for before, message in ((SHIPPED, "dev_zh.jsonl"), (tmp_path, "manifest")):
        with pytest.raises(typer.Exit):
            train_command("deid", data=data, notes=NOTES, output=tmp_path / "out", further=before)
        assert message in capsys.readouterr().err
        (data / "dev_zh.jsonl").touch()
    assert not (tmp_path / "out").exists()
