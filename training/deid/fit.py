"""The training loop: written texts, later marked ones too; one seed gives one set of weights."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional
from torch.optim import Optimizer
from torch.optim.lr_scheduler import OneCycleLR

from services.privacy.tagger.network import CharacterTagger, Shape
from training.deid.feeding import Batch, Corpus, Source, fed
from training.deid.language_model import Weights, begin_as_the_model

PAUSE_S = 1.0
TOLD_EVERY = 50
PARTS = 10_000_000  # of a schedule that goes by time; no batch takes less
RISING = 0.1003  # of the steps; not a tenth: of ten steps that is one, and torch divides by 0
TOLD_SHARE = 0.7  # of what is learnt is what teachers say, where there are any


@dataclass(frozen=True)
class Progress:
    """Who is told how far it is, and the file for which it waits while it exists."""

    told: Callable[[str], None]
    pause: Path | None = None
    clock: Callable[[], float] = time.monotonic

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
    seconds: float = 0.0  # so long instead of so many steps, on a machine that is lent by time


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
) -> int:
    """Train in place, on the network's device, for ``recipe.steps`` batches, or as many as
    ``recipe.seconds`` allow; return how many.

    What a large teacher told of a text is learnt too, of others what ``teachers`` say together.
    """
    torch.set_num_threads(recipe.threads)
    named = list(network.named_parameters())
    # What the language model knows is kept: its layers learn slowly.
    begun = [one for name, one in named if _is_begun(name)]
    new = [one for name, one in named if not _is_begun(name)]
    optimiser = torch.optim.AdamW([{"params": new}, {"params": begun}], weight_decay=1e-3)
    total = PARTS if recipe.seconds else recipe.steps
    rates = [recipe.rate, recipe.context_rate]
    schedule = OneCycleLR(optimiser, max_lr=rates, total_steps=total, pct_start=RISING)
    network.train()
    lost = torch.zeros(())
    device = next(network.parameters()).device
    source = Source(corpus, recipe.more_share, recipe.seed, recipe.chars)
    begun_s = progress.clock()
    for step, batch in enumerate(fed(source, recipe.workers)):
        progress.wait()
        loss = _loss(network, batch.to(device), teachers)
        learn_from(loss, optimiser)
        lost = 0.98 * lost + 0.02 * loss.detach() if step else loss.detach()
        if step % TOLD_EVERY == 0:
            progress.told(f"{schedule.last_epoch / total:.0%}: step {step}, loss {lost:.4f}")
        if recipe.seconds:
            done = int(total * (progress.clock() - begun_s) / recipe.seconds)
            schedule.last_epoch = max(schedule.last_epoch, min(done, total) - 1)
        schedule.step()
        if schedule.last_epoch >= total:
            break
    network.eval()
    return step + 1


def learn_from(loss: Tensor, optimiser: Optimizer) -> None:
    """Take one step down from a loss, no further than slopes of 1 altogether allow."""
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]  # torch does not say
    learning = [one for group in optimiser.param_groups for one in group["params"]]
    torch.nn.utils.clip_grad_norm_(learning, 1.0)
    optimiser.step()


def _is_begun(name: str) -> bool:
    return name.startswith("context.") and not name.startswith("context.exit")


def _loss(
    network: CharacterTagger, batch: Batch, teachers: Sequence[CharacterTagger]
) -> torch.Tensor:
    device = batch.labels.device.type
    # Without tiles for them a processor computes 16 bits more slowly than 32.
    is_quick = device != "cpu" or torch.cpu.get_capabilities().get("amx_bf16", False)
    with torch.autocast(device, dtype=torch.bfloat16, enabled=is_quick):
        scores = _scores(network, batch)
        if teachers:
            with torch.no_grad():
                told = [torch.softmax(_scores(one, batch).float(), dim=1) for one in teachers]
    is_text = batch.labels >= 0
    said, is_said = batch.told, batch.told.sum(dim=1) > 0
    if teachers:
        said = torch.where(is_said[:, None], said, torch.stack(told).mean(dim=0))
        is_said = is_text
    scores = scores.float()
    marked = functional.cross_entropy(
        scores, batch.labels, ignore_index=-1, label_smoothing=0.01, reduction="none"
    )
    apart = functional.cross_entropy(scores, said, reduction="none")
    both = (1 - TOLD_SHARE) * marked + TOLD_SHARE * apart
    return torch.where(is_said, both, marked)[is_text].mean()


def _scores(network: CharacterTagger, batch: Batch) -> torch.Tensor:
    read = batch.read._replace(context=network.context(batch.pieces))
    scores: torch.Tensor = network(read, batch.mask)
    return scores
