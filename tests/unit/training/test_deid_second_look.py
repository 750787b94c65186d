from pathlib import Path

import numpy as np
import pytest
import typer
from safetensors.numpy import load

from cli.commands.train import train_command
from services.privacy.tagger.manifest import (
    SECOND,
    SEEN,
    WEIGHTS,
    load_tagger,
    read_manifest,
    read_weights,
)
from services.privacy.tagger.second_look import FEATURES
from services.privacy.tagger.seen import KEYS
from services.privacy.tagger.shipped import SHIPPED_DIR
from training.deid.looking_again import APART, Plan, Texts, look_again, new_notes
from training.deid.second_look import (
    FOLDS,
    INNER,
    MEMBERS,
    Examples,
    Recipe,
    _parts,
    learn,
    precision,
    recall,
)

THRESHOLD = 0.09
ROOT = Path(__file__).parents[3]
SHIPPED = ROOT / SHIPPED_DIR
ALL = Recipe(passes=20, words=32)


def made_up(count: int, *, seed: int = 0) -> Examples:
    """Words of which one feature tells whether they must go, and the network alone knows little."""
    rng = np.random.default_rng(seed)
    goes = rng.random(count) < 0.3
    features = rng.normal(size=(count, FEATURES + 4)).astype(np.float32)
    features[:, 7] += 3 * goes
    return Examples(
        features=features,
        goes=goes,
        is_ruled=goes & (rng.random(count) < 0.2),
        chars=rng.integers(2, 9, count),
        alone=np.where(goes, 0.3, 0.15).astype(np.float32) * rng.random(count).astype(np.float32),
        note=np.arange(count) // 20,
        writer=np.arange(count) // 200,
    )


def test_what_tells_is_learnt_and_the_limit_stays() -> None:
    found, others = made_up(3_000), made_up(3_000, seed=1)
    second, apart = learn(found, found.note >= 0, 5, THRESHOLD, ALL)
    shares = second.probabilities(others.features)
    asked = precision(others, others.alone, THRESHOLD)
    assert precision(others, shares, THRESHOLD) > asked - 0.03
    assert recall(others, shares, THRESHOLD) > recall(others, others.alone, THRESHOLD) + 0.1
    assert abs(apart - recall(others, shares, THRESHOLD)) < 0.05


def test_all_words_of_a_writer_are_kept_aside_together() -> None:
    found = made_up(2_000)  # of ten writers
    parts = _parts(found)
    assert len(np.unique(parts)) == FOLDS
    for writer in np.unique(found.writer):
        assert len(np.unique(parts[found.writer == writer])) == 1
    few = _parts(found._replace(writer=np.zeros(2_000, dtype=np.int64)))
    assert len(np.unique(few)) == FOLDS


def test_the_same_seed_learns_the_same() -> None:
    found = made_up(400)
    one, other, third = (
        learn(found, found.note >= 0, seed, THRESHOLD, Recipe(passes=1))[0] for seed in (1, 1, 2)
    )
    shares = one.probabilities(found.features)
    assert (shares == other.probabilities(found.features)).all()
    assert not np.allclose(shares, third.probabilities(found.features), atol=1e-6)


def test_the_answer_is_the_mean_of_several() -> None:
    second, _ = learn(made_up(300), np.ones(300, dtype=np.bool_), 1, THRESHOLD, Recipe(passes=1))
    assert len(second.inner.bias) == MEMBERS * INNER
    assert second.exit.weight.shape == (1, MEMBERS * INNER)


def test_a_folder_that_looks_again_is_written_and_verified(tmp_path: Path) -> None:
    notes = new_notes(ROOT / "data" / "training_notes", "nv[ab]-admission-1")
    plan = Plan(SHIPPED, "nv[ab]*", "9.9.9", "2026-01-01", 0.07)
    told: list[str] = []
    texts = Texts(notes, lines=[], counted=notes)
    read = look_again(texts, lambda _: [], plan, tmp_path / "after", told.append)
    again = load_tagger(tmp_path / "after", read.digest)
    assert again.second is not None
    assert len(again.second.inner.bias) == MEMBERS * INNER
    before = load(read_weights(SHIPPED, read_manifest(SHIPPED)))
    after = load((tmp_path / "after" / WEIGHTS).read_bytes())
    changed = {name for name in before if not np.array_equal(before[name], after[name])}
    assert changed
    assert all(name.startswith((SECOND, SEEN)) for name in changed)
    assert again.seen is not None
    assert len(again.seen.keys) < len(before[SEEN + KEYS])
    assert (read.version, again.threshold) == ("9.9.9", 0.07)
    assert f"{len(notes)} notes (nv[ab]*)" in read.training["second_look"]
    assert 0 < read.figures[APART] <= 1
    assert read.training["second_look"] in (tmp_path / "after" / "card.md").read_text("utf-8")
    assert any("learning" in said for said in told)


def test_no_such_notes_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit):
        train_command(
            "deid",
            data=tmp_path,
            notes=ROOT / "data" / "training_notes",
            output=tmp_path / "out",
            second_look=SHIPPED,
            new_notes="nothing*",
        )
    assert "no notes in files named nothing*" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
