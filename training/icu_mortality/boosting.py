"""Boosted trees on features of whole and of cut-off stays; out come tensors, nothing pickled.

scikit-learn grows the trees (histogram gradient boosting); ``exported`` lays them out as the
arrays that ``services.inference.networks.boosted_trees`` evaluates.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier

from services.inference.features import HORIZON_MINUTES, matrix
from services.inference.networks.boosted_trees import DEPTH, LEAVES, NODES, Trees
from training.physionet import Stays

PARTIAL_HOURS_MIN = 2


@dataclass(frozen=True)
class Recipe:
    """How the trees are grown. ``partial_copies`` of each stay are cut off at a random hour."""

    bags: int = 2
    rounds: int = 350
    learning_rate: float = 0.05
    l2: float = 10.0
    leaf_min: int = 60
    feature_share: float = 0.1
    bins: int = 127
    partial_copies: int = 2
    partial_weight: float = 0.5


@dataclass(frozen=True)
class Examples:
    """Features ``(rows, WIDTH)``, labels and weights ``(rows,)``."""

    x: npt.NDArray[np.float32]
    y: npt.NDArray[np.int64]
    weight: npt.NDArray[np.float64]


def examples_of(stays: Stays, died: npt.NDArray[np.int64], recipe: Recipe, seed: int) -> Examples:
    """Return each stay whole, and cut off at ``partial_copies`` random times, weighed less."""
    random = np.random.default_rng(seed)
    count = len(died)
    cuts = [np.full(count, HORIZON_MINUTES)]
    cuts += [
        random.integers(PARTIAL_HOURS_MIN * 60, HORIZON_MINUTES, count)
        for _ in range(recipe.partial_copies)
    ]
    features = [matrix(cut.rows, cut.patients) for cut in map(stays.until, cuts)]
    weights = [1.0] + [recipe.partial_weight] * recipe.partial_copies
    return Examples(
        x=np.concatenate(features),
        y=np.tile(died, len(cuts)),
        weight=np.repeat(weights, count),
    )


def grown(examples: Examples, recipe: Recipe, seed: int) -> Trees:
    """Return the mean of ``bags`` boosted forests, as arrays."""
    forests = []
    for bag in range(recipe.bags):
        booster = HistGradientBoostingClassifier(
            learning_rate=recipe.learning_rate,
            max_iter=recipe.rounds,
            max_depth=DEPTH,
            max_leaf_nodes=None,
            l2_regularization=recipe.l2,
            min_samples_leaf=recipe.leaf_min,
            max_features=recipe.feature_share,
            max_bins=recipe.bins,
            early_stopping=False,
            random_state=seed * 1000 + bag,
        )
        varied = np.fmax.reduce(examples.x, axis=0) > np.fmin.reduce(examples.x, axis=0)
        booster.fit(examples.x[:, varied], examples.y, sample_weight=examples.weight)
        forests.append(exported(booster, np.flatnonzero(varied)))
    return averaged(forests)


def exported(booster: HistGradientBoostingClassifier, columns: npt.NDArray[np.int64]) -> Trees:
    """Return a fitted booster's trees; ``columns`` maps its features to those of the model.

    Reads scikit-learn's private node table; a test holds it to ``decision_function``.
    """
    rounds = booster._predictors  # noqa: SLF001 - there is no public way to the trees
    prior = booster._baseline_prediction  # noqa: SLF001 - nor to the prior log-odds
    predictors = [grown_in_round[0] for grown_in_round in rounds]
    trees = Trees.blank(len(predictors), float(np.ravel(prior)[0]))
    for number, predictor in enumerate(predictors):
        _lay_out(trees, number, predictor.nodes, columns)
    return trees


def averaged(forests: list[Trees]) -> Trees:
    """Return one forest whose sum is the mean of several."""
    return Trees(
        feature=np.concatenate([forest.feature for forest in forests]),
        threshold=np.concatenate([forest.threshold for forest in forests]),
        missing_left=np.concatenate([forest.missing_left for forest in forests]),
        value=np.concatenate([forest.value for forest in forests]) / len(forests),
        bias=np.mean([forest.bias for forest in forests], axis=0),
    )


def _lay_out(
    trees: Trees, number: int, nodes: npt.NDArray[np.void], columns: npt.NDArray[np.int64]
) -> None:
    """Copy one tree into heap order: children of node i are 2i+1 and 2i+2."""
    waiting = [(0, 0, 0)]  # (node of the table, place in the heap, depth)
    while waiting:
        index, place, depth = waiting.pop()
        node = nodes[index]
        if node["is_leaf"]:
            width = LEAVES >> depth
            first = (place + 1) * width - LEAVES
            trees.value[number, first : first + width] = node["value"]
            continue
        assert place < NODES, "a tree deeper than the layout"  # noqa: S101 - max_depth holds it
        trees.feature[number, place] = columns[node["feature_idx"]]
        trees.threshold[number, place] = node["num_threshold"]
        trees.missing_left[number, place] = node["missing_go_to_left"]
        waiting.append((int(node["left"]), 2 * place + 1, depth + 1))
        waiting.append((int(node["right"]), 2 * place + 2, depth + 1))
