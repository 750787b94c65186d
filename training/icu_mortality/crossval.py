"""Cross-validation: every stay is scored by trees that never saw it, at each hour reported."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from sklearn.model_selection import StratifiedKFold

from services.inference.features import FEATURES, matrix
from services.inference.icu_mortality import GROUP_OF_FEATURE
from services.inference.networks.boosted_trees import BoostedTrees, Trees
from training.icu_mortality.boosting import Recipe, examples_of, grown
from training.physionet import Stays

HOURS = (6, 12, 24, 48)
ROWS_AT_ONCE = 256

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class OutOfFold:
    """Log-odds of each stay from the trees of the folds that it is not in, by hour; and how many
    hours of it were known by then (to its newest fact).
    """

    fold: npt.NDArray[np.int64]
    logit: dict[int, Floats]
    elapsed: dict[int, Floats]


def cross_validated(
    stays: Stays,
    died: npt.NDArray[np.int64],
    recipe: Recipe,
    folds: int,
    seed: int,
    told: Callable[[str], None],
) -> OutOfFold:
    """Return out-of-fold log-odds at each of ``HOURS``; ``told`` hears of each fold."""
    splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
    fold_of = np.zeros(len(died), dtype=np.int64)
    logit = {hour: np.zeros(len(died)) for hour in HOURS}
    split = splitter.split(died, died)
    for number, (training, testing) in enumerate(split):
        told(f"fold {number + 1} of {folds}")
        trees = trained(stays.some(training), died[training], recipe, seed * 100 + number)
        fold_of[testing] = number
        unseen = stays.some(testing)
        for hour in HOURS:
            logit[hour][testing] = raw_logit(trees, unseen.until(hour * 60))
    elapsed = {hour: elapsed_hours(stays.until(hour * 60)) for hour in HOURS}
    return OutOfFold(fold_of, logit, elapsed)


def trained(stays: Stays, died: npt.NDArray[np.int64], recipe: Recipe, seed: int) -> Trees:
    """Return the trees grown on these stays."""
    return grown(examples_of(stays, died, recipe, seed), recipe, seed)


def raw_logit(trees: Trees, stays: Stays) -> Floats:
    """Return the trees' log-odds of each stay, before calibration."""
    network = BoostedTrees(trees, GROUP_OF_FEATURE)
    features = torch.from_numpy(matrix(stays.rows, stays.patients))
    with torch.inference_mode():
        parts = [
            network(network.patterns(features[at : at + ROWS_AT_ONCE]))
            for at in range(0, len(features), ROWS_AT_ONCE)
        ]
    return np.asarray(torch.cat(parts).numpy())


def elapsed_hours(stays: Stays) -> Floats:
    """Return the hours from each admission to the newest fact that the model reads."""
    column = matrix(stays.rows, stays.patients)[:, FEATURES.index("elapsed_hours")]
    return column.astype(np.float64)
