"""Training from table to signed folder on made-up stays: what comes out serves and is honest."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from services.inference import manifest as manifests
from services.inference.features import FEATURES, SERIES, SERIES_INDEX, Patients, Rows
from services.inference.icu_mortality import GROUP_OF_FEATURE, NAME
from services.inference.manifest import TrainingData
from services.inference.networks.boosted_trees import DEPTH, BoostedTrees
from services.inference.registry import MANIFEST, ModelRegistry
from tests.support.models import SITE_KEY
from training.icu_mortality.baselines import golden_stays
from training.icu_mortality.boosting import Recipe, examples_of, exported, grown
from training.icu_mortality.crossval import HOURS, cross_validated, raw_logit
from training.icu_mortality.evaluation import (
    auprc,
    auroc,
    brier,
    calibrated,
    calibration_error,
    calibration_line,
    event_1,
    fitted,
    reliability,
)
from training.icu_mortality.pipeline import Data, Plan, train
from training.physionet import Stays

QUICK = Recipe(bags=1, rounds=12, leaf_min=10, feature_share=1.0, partial_copies=1)


def made_up(count: int, seed: int = 0) -> tuple[Stays, np.ndarray]:
    """Return stays in which a low GCS and a high lactate kill."""
    random = np.random.default_rng(seed)
    illness = random.random(count)
    died = (random.random(count) < illness**2).astype(np.int64)
    facts = [
        (stay, minute, SERIES_INDEX[name], value)
        for stay in range(count)
        for minute in range(30, 2880, 360)
        for name, value in (
            ("gcs", round(15 - 11 * illness[stay] + random.normal())),
            ("lactate", 1 + 6 * illness[stay] + random.random()),
            ("heart_rate", 80 + 10 * random.normal()),
        )
    ]
    columns = [np.array(column) for column in zip(*facts, strict=True)]
    patients = Patients(
        random.integers(18, 91, count).astype(float),
        random.integers(0, 2, count).astype(float),
        random.integers(1, 5, count),
    )
    rows = Rows(columns[0], columns[1], columns[2], columns[3].astype(float))
    return Stays(tuple(str(place) for place in range(count)), rows, patients), died


def test_exported_trees_say_what_the_booster_says() -> None:
    random = np.random.default_rng(3)
    x = random.normal(0, 1, (600, len(FEATURES))).astype(np.float32)
    x[random.random(x.shape) < 0.3] = np.nan
    y = (np.nan_to_num(x[:, 0]) * np.nan_to_num(x[:, 5]) + np.isnan(x[:, 9]) > 0.5).astype(int)
    columns = np.arange(0, len(FEATURES), 2)
    booster = HistGradientBoostingClassifier(
        max_iter=30, max_depth=DEPTH, max_leaf_nodes=None, random_state=1
    )
    booster.fit(x[:, columns], y)
    network = BoostedTrees(exported(booster, columns), GROUP_OF_FEATURE)
    said = network(network.patterns(torch.from_numpy(x))).numpy()
    np.testing.assert_allclose(said, booster.decision_function(x[:, columns]), atol=1e-9)


def test_the_same_seed_gives_the_same_trees() -> None:
    stays, died = made_up(120)
    first, second = (
        grown(examples_of(stays, died, QUICK, seed=4), QUICK, seed=4) for _ in range(2)
    )
    assert first.threshold.tobytes() == second.threshold.tobytes()
    assert first.value.tobytes() == second.value.tobytes()


def test_examples_are_whole_stays_and_cut_ones() -> None:
    stays, died = made_up(40)
    examples = examples_of(stays, died, QUICK, seed=0)
    elapsed = examples.x[:, FEATURES.index("elapsed_hours")]
    assert examples.x.shape == (80, len(FEATURES))
    assert examples.weight.tolist() == [1.0] * 40 + [0.5] * 40
    assert (elapsed[:40] >= elapsed[40:]).all()
    assert (elapsed[40:] < 40).any()
    assert examples.y.tolist() == [*died, *died]


def test_nobody_is_scored_by_trees_that_saw_them() -> None:
    stays, died = made_up(150)
    shuffled = np.random.default_rng(0).permutation(died)
    heard: list[str] = []
    out = cross_validated(stays, shuffled, QUICK, folds=3, seed=0, told=heard.append)
    assert len(heard) == 3
    assert np.bincount(out.fold).tolist() == [50, 50, 50]
    # Labels without a reason cannot be learnt: out of fold they stay unknown.
    assert 0.3 < roc_auc_score(shuffled, out.logit[48]) < 0.7
    learnt = cross_validated(stays, died, QUICK, folds=3, seed=0, told=heard.append)
    assert roc_auc_score(died, learnt.logit[48]) > 0.7


def test_calibration_takes_the_folds_apart() -> None:
    stays, died = made_up(200)
    out = cross_validated(stays, died, QUICK, folds=2, seed=0, told=lambda _: None)
    predicted = calibrated(out, died)
    assert set(predicted) == set(HOURS)
    here = out.fold == 0
    moved = died.copy()
    moved[here] = 1 - moved[here]
    again = calibrated(out, moved)
    np.testing.assert_array_equal(predicted[48][here], again[48][here])
    assert min(fitted(out, died).slopes) > 0


def test_event_1_is_the_best_lesser_of_sensitivity_and_precision() -> None:
    died = np.array([1, 1, 0, 0, 0, 0])
    assert event_1(died, np.array([0.9, 0.8, 0.1, 0.1, 0.1, 0.1])) == 1.0
    assert event_1(died, np.array([0.9, 0.1, 0.8, 0.0, 0.0, 0.0])) == pytest.approx(2 / 3)


@pytest.mark.parametrize("decimals", [1, 6])
def test_measures_are_those_of_scikit_learn(decimals: int) -> None:
    random = np.random.default_rng(decimals)
    said = random.random(500).round(decimals)
    died = (random.random(500) < said).astype(np.int64)
    assert auroc(died, said) == pytest.approx(roc_auc_score(died, said))
    assert auprc(died, said) == pytest.approx(average_precision_score(died, said))
    assert brier(died, said) == pytest.approx(brier_score_loss(died, said))


def test_what_is_calibrated_looks_so() -> None:
    random = np.random.default_rng(0)
    truth = random.random(20_000)
    died = (random.random(20_000) < truth).astype(np.int64)
    slope, intercept = calibration_line(died, truth)
    assert slope == pytest.approx(1.0, abs=0.05)
    assert intercept == pytest.approx(0.0, abs=0.05)
    assert calibration_error(died, truth) < 0.02
    assert calibration_error(died, truth**3) > 0.1
    assert sum(size for size, _, _ in reliability(died, truth)) == pytest.approx(1.0)


def test_golden_stays_go_from_well_to_ill_and_are_in_range() -> None:
    stays = golden_stays(0)
    assert stays == golden_stays(0)
    usable = [
        SERIES[SERIES_INDEX[name]].low <= value <= SERIES[SERIES_INDEX[name]].high
        for stay in stays
        for _, name, value in stay.facts
    ]
    assert np.mean(usable) > 0.9


def test_a_trained_folder_serves_once_signed(tmp_path: Path) -> None:
    stays, died = made_up(200)
    origin = TrainingData(
        name="made up",
        files=(),
        sha256="0" * 64,
        stays=200,
        died=int(died.sum()),
        licence="none",
        attribution="nobody",
    )
    plan = Plan(version="1.2.3", created="2026-01-02", folds=2, recipe=QUICK)
    folder = tmp_path / NAME / "1.2.3"
    manifest = manifests.signed(
        train(Data(stays, died, origin), plan, folder, lambda _: None), SITE_KEY
    )
    (folder / MANIFEST).write_bytes(manifests.encode(manifest))
    public = manifests.public_key_of(SITE_KEY)
    registry = ModelRegistry(tmp_path, {manifests.key_id_of(public): public})
    model = registry.verify(NAME, "1.2.3")
    risks = model.probabilities(stays.rows, stays.patients)
    assert risks[died == 1].mean() > risks[died == 0].mean() + 0.1
    card = (folder / "card.md").read_text(encoding="utf-8")
    assert manifest.digest in card
    assert "not externally validated" in card
    assert "{" not in card
    for name in ("roc.svg", "reliability.svg"):
        assert (folder / name).read_text(encoding="utf-8").startswith("<?xml")
    assert manifest.figures["auroc_48h"] > 0.6
    assert sorted(path.name for path in folder.iterdir()) == [
        "card.md",
        "manifest.json",
        "reliability.svg",
        "roc.svg",
        "weights.safetensors",
    ]


def test_raw_log_odds_do_not_depend_on_the_batch() -> None:
    stays, died = made_up(60)
    trees = grown(examples_of(stays, died, QUICK, seed=0), QUICK, seed=0)
    whole = raw_logit(trees, stays)
    half = raw_logit(trees, stays.some(np.arange(30, 60)))
    np.testing.assert_allclose(whole[30:], half, atol=1e-12)
