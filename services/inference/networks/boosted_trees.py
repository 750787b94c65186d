"""Boosted trees of depth three as tensors, with exact Shapley values for groups of features.

A tree asks at most seven yes-no questions, so it has 128 patterns of answers. For a fixed baseline
patient the Shapley value of each question's parameter is a function of the pattern alone: all of
them are worked out once when the model is loaded. Explaining a patient is then one look-up a tree,
with no sampling and no gradient, and the values add up to the difference in log-odds exactly.

Everything is float64: a row's answer does not depend on its neighbours in the batch.
"""

from dataclasses import dataclass
from itertools import product
from math import factorial

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

DEPTH = 3
NODES = (1 << DEPTH) - 1
LEAVES = 1 << DEPTH
PATTERNS = 1 << NODES
ARCHITECTURE = "boosted_trees.depth3.v1"


@dataclass(frozen=True)
class Trees:
    """A forest as arrays; node i has children 2i+1 (left: value <= threshold) and 2i+2.

    ``feature``, ``threshold``, ``missing_left`` are ``(trees, NODES)``, ``value`` is
    ``(trees, LEAVES)``, ``bias`` is ``(1,)``. A shallower tree repeats its leaf's value below it.
    """

    feature: npt.NDArray[np.int64]
    threshold: npt.NDArray[np.float64]
    missing_left: npt.NDArray[np.bool_]
    value: npt.NDArray[np.float64]
    bias: npt.NDArray[np.float64]

    @classmethod
    def blank(cls, count: int, bias: float) -> "Trees":
        """Return ``count`` trees that ask nothing (always left) and say zero."""
        return cls(
            feature=np.zeros((count, NODES), dtype=np.int64),
            threshold=np.full((count, NODES), np.inf),
            missing_left=np.ones((count, NODES), dtype=np.bool_),
            value=np.zeros((count, LEAVES)),
            bias=np.array([bias]),
        )


class BoostedTrees(nn.Module):
    """Log-odds of a forest, and what each group of features did to them.

    ``group_of_feature`` is ``(features,)``, the group (parameter) of each feature.
    """

    feature: Tensor
    threshold: Tensor
    missing_left: Tensor
    bit: Tensor
    tree: Tensor
    by_pattern: Tensor
    bias: Tensor

    def __init__(self, trees: Trees, group_of_feature: npt.NDArray[np.int64]) -> None:
        super().__init__()
        self.trees = trees
        self.groups = int(group_of_feature.max()) + 1
        self.group_of_node = group_of_feature[trees.feature]  # (trees, NODES)
        self.register_buffer("feature", torch.from_numpy(trees.feature))
        self.register_buffer("threshold", torch.from_numpy(trees.threshold))
        self.register_buffer("missing_left", torch.from_numpy(trees.missing_left))
        self.register_buffer("bit", torch.from_numpy(1 << np.arange(NODES)))
        self.register_buffer("tree", torch.arange(len(trees.feature)))
        self.register_buffer("by_pattern", torch.from_numpy(trees.value[:, LEAF_OF_PATTERN]))
        self.register_buffer("bias", torch.from_numpy(trees.bias))

    def patterns(self, x: Tensor) -> Tensor:
        """Return the pattern of answers of each row and tree; bit i set: right at node i."""
        asked = x.double()[:, self.feature]  # (rows, trees, NODES)
        left = (asked <= self.threshold) | (asked.isnan() & self.missing_left)
        return ((~left) * self.bit).sum(dim=2)  # (rows, trees)

    def forward(self, patterns: Tensor) -> Tensor:
        """Return the log-odds ``(rows,)`` of rows given by their patterns."""
        return self.bias + self.by_pattern[self.tree, patterns].sum(dim=1)


class ShapleyTable(nn.Module):
    """Exact Shapley values of the groups, against one baseline row."""

    effect: Tensor
    to_group: Tensor
    tree: Tensor
    baseline_logit: Tensor

    def __init__(self, network: BoostedTrees, baseline: Tensor) -> None:
        """Work the table out for ``baseline``, the features ``(features,)`` of one patient."""
        super().__init__()
        self.groups = network.groups
        pattern = network.patterns(baseline[None, :].cpu().to(network.bias.device))
        effect = _effects(network.trees, network.group_of_node, pattern[0].cpu().numpy())
        one_hot = np.eye(network.groups)[network.group_of_node.reshape(-1)]
        self.register_buffer("effect", torch.from_numpy(effect))  # (trees, PATTERNS, NODES)
        self.register_buffer("to_group", torch.from_numpy(one_hot))  # (trees * NODES, groups)
        self.register_buffer("tree", torch.arange(len(effect)))
        self.register_buffer("baseline_logit", network(pattern).detach()[0])

    def forward(self, patterns: Tensor) -> Tensor:
        """Return ``(rows, groups)``: log-odds that each group adds to the baseline's."""
        by_node = self.effect[self.tree, patterns]  # (rows, trees, NODES)
        return by_node.flatten(1) @ self.to_group


def _walk(pattern: int) -> int:
    node = 0
    for _ in range(DEPTH):
        node = 2 * node + 1 + (pattern >> node & 1)
    return node - NODES


LEAF_OF_PATTERN = np.array([_walk(pattern) for pattern in range(PATTERNS)])


def _path(leaf: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the nodes above a leaf, root last, and the answer (1 right) that leads to it."""
    nodes, answers = [], []
    node = leaf + NODES
    while node:
        answers.append(1 - node % 2)
        node = (node - 1) // 2
        nodes.append(node)
    return tuple(nodes), tuple(answers)


def _effects(
    trees: Trees, group_of_node: npt.NDArray[np.int64], baseline: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Return ``(trees, PATTERNS, NODES)``; a group asked at several nodes is booked at its first.

    The game of one leaf pays its value when all its path's groups agree with it. Groups that only
    the patient satisfies must all join, groups that only the baseline satisfies must all stay out.
    """
    effect = np.zeros((len(trees.value), PATTERNS, NODES))
    bits = np.arange(PATTERNS)[:, None] >> np.arange(NODES)[None, :] & 1  # (PATTERNS, NODES)
    baseline_bits = baseline[:, None] >> np.arange(NODES)[None, :] & 1  # (trees, NODES)
    for leaf in range(LEAVES):
        nodes, answers = _path(leaf)
        agrees = bits[:, nodes] == np.array(answers)  # (PATTERNS, DEPTH)
        baseline_agrees = baseline_bits[:, nodes] == np.array(answers)  # (trees, DEPTH)
        same = group_of_node[:, nodes, None] == group_of_node[:, None, nodes]
        patient_ok = _all_of_group(np.broadcast_to(agrees, (len(same), *agrees.shape)), same)
        baseline_ok = _all_of_group(baseline_agrees[:, None, :], same)
        first = ~np.tril(same, -1).any(axis=2)[:, None, :]  # (trees, 1, DEPTH)
        share = _leaf_shares(patient_ok, np.broadcast_to(baseline_ok, patient_ok.shape), first)
        effect[:, :, nodes] += share * trees.value[:, leaf, None, None]
    return effect


def _all_of_group(
    agrees: npt.NDArray[np.bool_], same: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Return, for each step of the path, whether all steps of its group agree."""
    return np.asarray((agrees[:, :, None, :] | ~same[:, None, :, :]).all(axis=3))


def _leaf_shares(
    patient: npt.NDArray[np.bool_], baseline: npt.NDArray[np.bool_], first: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    """Return the Shapley value of each step for a leaf that pays 1; all ``(trees, P, DEPTH)``."""
    only_patient = patient & ~baseline & first
    only_baseline = baseline & ~patient & first
    joining = only_patient.sum(axis=2, keepdims=True)
    staying = only_baseline.sum(axis=2, keepdims=True)
    possible = (patient | baseline).all(axis=2, keepdims=True)
    gain = _GAIN[joining, staying] * only_patient
    loss = _LOSS[joining, staying] * only_baseline
    return np.asarray((gain - loss) * possible)


def _weights(joining_less: int, staying_less: int) -> npt.NDArray[np.float64]:
    """Return (a - joining_less)! (b - staying_less)! / (a + b)! for a, b in 0..DEPTH."""
    table = np.zeros((DEPTH + 1, DEPTH + 1))
    for a, b in product(range(DEPTH + 1), repeat=2):
        if a >= joining_less and b >= staying_less:
            table[a, b] = factorial(a - joining_less) * factorial(b - staying_less)
            table[a, b] /= factorial(a + b)
    return table


_GAIN = _weights(1, 0)
_LOSS = _weights(0, 1)
