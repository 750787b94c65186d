"""Trees and their Shapley values against a plain walk and the definition, by brute force."""

from itertools import permutations

import numpy as np
import pytest
import torch

from services.inference.networks.boosted_trees import (
    DEPTH,
    NODES,
    BoostedTrees,
    ShapleyTable,
    Trees,
)
from tests.support.models import some_trees

GROUPS = np.array([0, 0, 1, 1, 2, 3])
WIDTH = len(GROUPS)


def small(seed: int) -> Trees:
    trees = some_trees(seed, count=12)
    return Trees(
        feature=trees.feature % WIDTH,
        threshold=np.random.default_rng(seed).normal(0, 1, trees.threshold.shape),
        missing_left=trees.missing_left,
        value=trees.value,
        bias=trees.bias,
    )


def rows(seed: int, count: int = 8) -> np.ndarray:
    random = np.random.default_rng(seed + 100)
    x = random.normal(0, 1, (count, WIDTH)).astype(np.float32)
    x[random.random(x.shape) < 0.2] = np.nan
    return x


def walked(trees: Trees, row: np.ndarray) -> float:
    total = float(trees.bias[0])
    for tree in range(len(trees.value)):
        node = 0
        for _ in range(DEPTH):
            value = row[trees.feature[tree, node]]
            missing = bool(np.isnan(value))
            left = (
                trees.missing_left[tree, node] if missing else value <= trees.threshold[tree, node]
            )
            node = 2 * node + (1 if left else 2)
        total += float(trees.value[tree, node - NODES])
    return total


def shapley(trees: Trees, row: np.ndarray, baseline: np.ndarray) -> np.ndarray:
    """Average over all orders in which the groups move from the baseline to the row."""
    orders = list(permutations(range(GROUPS.max() + 1)))
    total = np.zeros(GROUPS.max() + 1)
    for order in orders:
        current = baseline.copy()
        before = walked(trees, current)
        for group in order:
            current[group == GROUPS] = row[group == GROUPS]
            after = walked(trees, current)
            total[group] += after - before
            before = after
    return total / len(orders)


@pytest.mark.parametrize("seed", range(5))
def test_log_odds_are_those_of_a_walk(seed: int) -> None:
    trees, x = small(seed), rows(seed)
    network = BoostedTrees(trees, GROUPS)
    said = network(network.patterns(torch.from_numpy(x))).numpy()
    np.testing.assert_allclose(said, [walked(trees, row) for row in x], atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_attributions_are_the_shapley_values(seed: int) -> None:
    trees, x = small(seed), rows(seed)
    network = BoostedTrees(trees, GROUPS)
    baseline = x[0]
    table = ShapleyTable(network, torch.from_numpy(baseline))
    patterns = network.patterns(torch.from_numpy(x))
    said = table(patterns).numpy()
    np.testing.assert_allclose(said, [shapley(trees, row, baseline) for row in x], atol=1e-12)
    whole = network(patterns).numpy() - walked(trees, baseline)
    np.testing.assert_allclose(said.sum(axis=1), whole, atol=1e-12)


def test_a_blank_tree_says_nothing() -> None:
    network = BoostedTrees(Trees.blank(3, -1.5), np.zeros(1, dtype=np.int64))
    x = torch.tensor([[float("nan")], [1e30], [-1e30]])
    assert network(network.patterns(x)).tolist() == [-1.5, -1.5, -1.5]
