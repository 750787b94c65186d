"""The training loop: written texts, later marked ones too; one seed gives one set of weights."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.nn import functional

from services.privacy.tagger.manifest import quickest_precision
from services.privacy.tagger.network import CharacterTagger, Shape
from training.deid.feeding import Batch, Corpus, Source, fed
from training.deid.language_model import Weights, begin_as_the_model

PAUSE_S = 1.0
TOLD_EVERY = 50
TOLD_SHARE = 0.7  # of what is learnt is what teachers say, where there are any


@dataclass(frozen=True)
class Progress:
    """Who is told how far it is, and the file for which it waits while it exists."""

    told: Callable[[str], None]
    pause: Path | None = None

    def wait(self) -> None:
        """Return as soon as nobody wants the machine."""
        while self.pause is not None and self.pause.exists():
            time.sleep(PAUSE_S)


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
    workers: int = 0  # processes that write texts; 0: the one that learns


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
    corpus: Corpus,
    recipe: Recipe,
    progress: Progress,
    teachers: Sequence[CharacterTagger] = (),
) -> CharacterTagger:
    """Train in place, on the network's device, for ``recipe.steps`` batches.

    Where there are ``teachers``, what they say together is learnt too.
    """
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
    lost = torch.zeros(())
    device = next(network.parameters()).device
    source = Source(corpus, recipe.more_share, recipe.seed, recipe.chars)
    for step, batch in zip(range(recipe.steps), fed(source, recipe.workers), strict=False):
        progress.wait()
        loss = _loss(network, batch.to(device), teachers)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch does not say
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        lost = 0.98 * lost + 0.02 * loss.detach() if step else loss.detach()
        if step % TOLD_EVERY == 0:
            progress.told(f"step {step} of {recipe.steps}, loss {lost:.4f}")
    return network.eval()


def _is_begun(name: str) -> bool:
    return name.startswith("context.") and not name.startswith("context.exit")


def _loss(
    network: CharacterTagger, batch: Batch, teachers: Sequence[CharacterTagger]
) -> torch.Tensor:
    device = batch.labels.device.type
    # Without tiles for them a processor computes 16 bits more slowly than 32.
    is_quick = device != "cpu" or quickest_precision() is torch.bfloat16
    with torch.autocast(device, dtype=torch.bfloat16, enabled=is_quick):
        scores = _scores(network, batch)
        if teachers:
            with torch.no_grad():
                told = [torch.softmax(_scores(one, batch).float(), dim=1) for one in teachers]
    scores = scores.float()
    loss = functional.cross_entropy(scores, batch.labels, ignore_index=-1, label_smoothing=0.01)
    if not teachers:
        return loss
    apart = functional.cross_entropy(scores, torch.stack(told).mean(dim=0), reduction="none")
    is_text = batch.labels >= 0
    return (1 - TOLD_SHARE) * loss + TOLD_SHARE * apart[is_text].mean()


def _scores(network: CharacterTagger, batch: Batch) -> torch.Tensor:
    read = batch.read._replace(context=network.context(batch.pieces))
    scores: torch.Tensor = network(read, batch.mask)
    return scores
