"""A network that reads English with fewer heads and inner numbers: cut from another, it learns to
say the same of each piece, by texts that nobody has to mark. What reads characters, and so
Chinese, stays as it was.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from itertools import chain, islice
from pathlib import Path

import msgspec
import torch
from safetensors.numpy import load, save
from torch import Tensor
from torch.nn import functional
from torch.optim.lr_scheduler import OneCycleLR

from services.privacy.folding import fold
from services.privacy.tagger.context import HEAD_WIDTH, ContextReader, Layer
from services.privacy.tagger.manifest import (
    LOOKING_AGAIN,
    TaggerManifest,
    TaggerRefused,
    load_tagger,
    network_of,
    read_manifest,
    read_weights,
)
from services.privacy.tagger.network import CharacterTagger, Shape
from services.privacy.tagger.packing import packed
from services.privacy.tagger.pieces import pieces_of, stacked
from training.deid.card import LIGHTENED, RANGES
from training.deid.corpus import Writer
from training.deid.fit import RISING, TOLD_EVERY, Progress, learn_from
from training.deid.large_texts import LANG, Texts, written
from training.deid.measuring import measured
from training.deid.pipeline import put
from training.deid.texts import Marked

KEPT = 0.98  # of a mean that goes along
ENDLESS = 1 << 62  # texts: learning takes what it needs

State = dict[str, Tensor]


@dataclass(frozen=True)
class Recipe:
    """What to cut to, and how long and how hard to learn: batches, of about how many pieces, and
    the greatest rate.
    """

    heads: int = 6
    inner: int = 384
    steps: int = 3_000
    pieces: int = 4_000
    rate: float = 3e-3
    threads: int = 1  # more would add up in another order, and give other weights


@dataclass(frozen=True)
class Plan:
    """What to cut: the tagger in the folder ``before``; and the limits of what is cut from it."""

    before: Path
    version: str
    created: str
    threshold: float
    threshold_han: float
    seed: int = 0
    recipe: Recipe = field(default_factory=Recipe)


def lighten(
    texts: Texts, notes: Mapping[str, list[Marked]], plan: Plan, folder: Path, progress: Progress
) -> TaggerManifest:
    """Write a lighter tagger, which learnt from texts written in the way of ``texts``, with the
    ranges of what it reads in ``notes`` by language; its second look stays. Return the manifest, or
    raise ``TaggerRefused`` or ``GoldenDiffers``.
    """
    manifest = read_manifest(plan.before)
    load_tagger(plan.before, manifest.digest)  # learning takes long: what is refused is so now
    weights = read_weights(plan.before, manifest)
    network, shape = network_of(manifest, weights)
    if plan.recipe.heads >= shape.context_heads or plan.recipe.inner >= shape.context_inner:
        raise TaggerRefused(f"{plan.before}: is as light already")
    drawn = (one.marked.text for one in written(texts, Writer(plan.seed), plan.seed, ENDLESS))
    student, apart = lightened(network, shape, drawn, plan.recipe, progress)
    kept = {name: part for name, part in load(weights).items() if name.startswith(LOOKING_AGAIN)}
    joined = save({**packed(student.state_dict()), **kept})
    recipe = {f"light_{name}": float(value) for name, value in asdict(plan.recipe).items()}
    training = {name: said for name, said in manifest.training.items() if name != RANGES}
    again = msgspec.structs.replace(
        manifest,
        version=plan.version,
        created=plan.created,
        shape=asdict(light(shape, plan.recipe)),
        threshold=plan.threshold,
        threshold_han=plan.threshold_han,
        weights_sha256=hashlib.sha256(joined).hexdigest(),
        ranges={},
        training=training | {LIGHTENED: _said(texts, manifest.digest, apart)},
        recipe=manifest.recipe | recipe | {"light_seed": float(plan.seed)},
        figures={},  # those of the tagger before are not this one's
    )
    return put(measured(again, joined, notes), joined, folder)


def _said(texts: Texts, before: str, apart: float) -> str:
    plain = texts.plain.texts.get(LANG, ())
    digest = hashlib.sha256(repr([[note.text for note in texts.notes], plain]).encode())
    return (
        f"of {before}, by {len(texts.notes)} notes and {len(plain)} medical texts,"
        f" {digest.hexdigest()};"
        f" at the end {apart:.4f} of what tells pieces apart is said otherwise"
    )


def light(shape: Shape, recipe: Recipe) -> Shape:
    """Return the shape of what is cut from one of ``shape``."""
    return replace(shape, context_heads=recipe.heads, context_inner=recipe.inner)


def lightened(
    network: CharacterTagger, shape: Shape, texts: Iterable[str], recipe: Recipe, progress: Progress
) -> tuple[CharacterTagger, float]:
    """Return a network of ``light(shape)`` that learnt from ``texts``, and how much of what pieces
    are told apart by it says otherwise than ``network``: 1 as if it said nothing.
    """
    torch.set_num_threads(recipe.threads)
    batches = _batches(texts, recipe.pieces)
    first = next(batches)
    student = CharacterTagger(light(shape, recipe))
    student.load_state_dict(cut(network, first, recipe))
    makes = network.entry.weight[:, -shape.context_width :, 0, 0].detach()  # of what pieces say
    optimiser = torch.optim.AdamW(student.context.parameters(), weight_decay=0.0)
    schedule = OneCycleLR(optimiser, max_lr=recipe.rate, total_steps=recipe.steps, pct_start=RISING)
    apart = 1.0
    for step, pieces in enumerate(islice(chain([first], batches), recipe.steps)):
        progress.wait()
        with torch.no_grad():
            told = network.context(pieces)[1:] @ makes.T
        loss = _apart(student.context(pieces)[1:] @ makes.T, told)
        learn_from(loss, optimiser)
        schedule.step()
        now = loss.item()
        apart = KEPT * apart + (1 - KEPT) * now if step else now
        if step % TOLD_EVERY == 0:
            progress.told(f"{step / recipe.steps:.0%}: step {step}, {apart:.4f} said otherwise")
    return student.eval(), apart


def _batches(texts: Iterable[str], most: int) -> Iterator[Tensor]:
    """Yield stretches of pieces as ``stacked`` does, about ``most`` pieces at a time."""
    stretches: list[list[int]] = []
    count = 0
    for text in texts:
        for stretch in pieces_of(fold(text).folded).stretches:
            stretches.append(stretch)
            count += len(stretch)
        if count >= most:
            yield stacked(stretches)
            stretches, count = [], 0


def _apart(said: Tensor, told: Tensor) -> Tensor:
    """Return how far what is said is from what is told, as a share of how far that lies apart."""
    return (said - told).pow(2).mean() / (told - told.mean(0)).pow(2).mean()


def cut(network: CharacterTagger, pieces: Tensor, recipe: Recipe) -> State:
    """Return the weights without the heads and inner numbers that say least of ``pieces``.

    What one says: how much of it there is, times how much is made of it (Molchanov et al., 2017,
    without the slope).
    """
    state = network.state_dict()
    with torch.no_grad():
        _cut_context(network.context, pieces, recipe, state)
    return state


def _cut_context(reader: ContextReader, pieces: Tensor, recipe: Recipe, state: State) -> None:
    hidden, where = reader.begun(pieces)
    for at, layer in enumerate(reader.layers):
        assert isinstance(layer, Layer)  # noqa: S101 - for mypy
        seen = layer.seen(layer.heads(hidden), where)
        says = seen.pow(2).mean(0).sqrt() * layer.joined.weight.norm(dim=0)
        heads = _most(says.view(-1, HEAD_WIDTH).sum(1), recipe.heads)
        kept = (heads[:, None] * HEAD_WIDTH + torch.arange(HEAD_WIDTH)).flatten()
        thrice = torch.cat([kept + part * seen.shape[1] for part in range(3)])
        joined = layer.norm(hidden + layer.joined(seen))
        inner = functional.gelu(layer.inner(joined))
        said = inner.pow(2).mean(0).sqrt() * layer.outer.weight.norm(dim=0)
        numbers = _most(said, recipe.inner)
        name = f"context.layers.{at}."
        _keep(state, name, {"heads": thrice, "inner": numbers}, {"joined": kept, "outer": numbers})
        hidden = layer.last_norm(joined + layer.outer(inner))


def _most(says: Tensor, count: int) -> Tensor:
    return says.topk(count).indices.sort().values


def _keep(state: State, name: str, made: Mapping[str, Tensor], read: Mapping[str, Tensor]) -> None:
    """Keep of each layer what it has ``made``, and what it ``read``, of these numbers alone."""
    for layer, rows in made.items():
        for part in ("weight", "bias"):
            state[f"{name}{layer}.{part}"] = state[f"{name}{layer}.{part}"][rows]
    for layer, columns in read.items():
        state[f"{name}{layer}.weight"] = state[f"{name}{layer}.weight"][:, columns]
