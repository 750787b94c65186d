"""The training loop: written texts, later marked ones too; one seed gives one set of weights."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from services.privacy.tagger.lexical import KINDS
from services.privacy.tagger.network import LABELS, CharacterTagger, Read, Shape
from services.privacy.tagger.pieces import stacked
from training.deid.corpus import Example, Learnt, Writer, batches
from training.deid.language_model import Weights, begin_as_the_model

Told = Callable[[str], None]
PAUSE_S = 1.0


@dataclass(frozen=True)
class Recipe:
    """How long and how hard to train."""

    steps: int = 4_000
    chars: int = 12_000
    rate: float = 2e-3
    seed: int = 0
    context_rate: float = 2e-4
    more_share: float = 0.0
    threads: int = 1  # more would add up in another order, and give other weights


def new_network(shape: Shape, seed: int, model: Weights | None = None) -> CharacterTagger:
    """Return a network with weights drawn by ``seed``; what reads pieces begins as ``model``."""
    torch.manual_seed(seed)
    network = CharacterTagger(shape)
    with torch.no_grad():
        for embedding in (network.chars, network.words):
            embedding.weight.mul_(0.3)
        network.words.weight[0].zero_()
    if model is not None:
        begin_as_the_model(network.context, model)
    return network


def fit(
    network: CharacterTagger,
    writer: Writer,
    more: Learnt | None,
    recipe: Recipe,
    told: Told,
    pause: Path | None = None,
) -> CharacterTagger:
    """Train in place for ``recipe.steps`` batches; while ``pause`` exists, wait."""
    torch.set_num_threads(recipe.threads)
    named = list(network.named_parameters())
    # What the language model knows is kept: its layers learn slowly.
    begun = [one for name, one in named if _is_begun(name)]
    new = [one for name, one in named if not _is_begun(name)]
    optimiser = torch.optim.AdamW([{"params": new}, {"params": begun}], weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser,
        max_lr=[recipe.rate, recipe.context_rate],
        total_steps=recipe.steps,
        pct_start=0.1,
    )
    network.train()
    lost = 0.0
    source = batches(writer, more, recipe.more_share, recipe.seed, recipe.chars)
    for step, batch in zip(range(recipe.steps), source, strict=False):
        while pause is not None and pause.exists():
            time.sleep(PAUSE_S)
        loss = _loss(network, batch)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch does not say
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        lost = 0.98 * lost + 0.02 * loss.item() if step else loss.item()
        if step % 50 == 0:
            told(f"step {step} of {recipe.steps}, loss {lost:.4f}")
    return network.eval()


def _is_begun(name: str) -> bool:
    return name.startswith("context.") and not name.startswith("context.exit")


def _loss(network: CharacterTagger, batch: Sequence[Example]) -> torch.Tensor:
    read, labels, mask, pieces = _tensors(batch)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        scores = network(read._replace(context=network.context(pieces)), mask)
    weights = torch.ones(len(LABELS))
    return functional.cross_entropy(
        scores.float(), labels, weight=weights, ignore_index=-1, label_smoothing=0.01
    )


def _tensors(
    batch: Sequence[Example],
) -> tuple[Read, torch.Tensor, torch.Tensor, torch.Tensor]:
    length = max(len(one.chars) for one in batch)
    chars = np.zeros((len(batch), length), dtype=np.int64)
    words, hints, rows, at = (np.zeros_like(chars) for _ in range(4))
    stretches: list[list[int]] = []
    count = 0
    labels = np.full_like(chars, -1)
    kinds = np.zeros((len(batch), length, KINDS), dtype=np.float32)
    for row, one in enumerate(batch):
        size = len(one.chars)
        chars[row, :size], words[row, :size] = one.chars, one.words
        hints[row, :size], rows[row, :size] = one.hints, one.rows
        kinds[row, :size], labels[row, :size] = one.kinds, one.labels
        at[row, :size] = np.where(one.pieces.at > 0, one.pieces.at + count, 0)
        stretches += one.pieces.stretches
        count += sum(map(len, one.pieces.stretches))
    mask = torch.from_numpy((labels >= 0).astype(np.float32))[:, None, None]
    read = Read(
        torch.from_numpy(chars),
        torch.from_numpy(words),
        torch.from_numpy(hints),
        torch.from_numpy(rows),
        torch.from_numpy(kinds),
        torch.from_numpy(at),
        torch.empty(0),
    )
    return read, torch.from_numpy(labels), mask, stacked(stretches)
