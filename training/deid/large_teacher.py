"""Large teachers learn on a GPU, each from two parts of the notes, and tell of the third."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from services.privacy.tagger.network import LABELS
from training.deid.corpus import grouped, labels_of
from training.deid.fit import Progress, learn_from
from training.deid.large_model import LargeTeacher, State, Vocabulary, Words, begin_as_bert
from training.deid.large_texts import PARTS, Dealt
from training.deid.texts import Marked
from training.deid.told import Shares, Told, worth_saying

PIECES_MAX = 360  # a longer text is read in stretches, cut at the end of a line that is near
NEAR = 60
STEP = 16
HIDDEN_SHARE = 0.05  # of pieces, so that what stands around must tell
POOL = 4_000  # stretches that are put into batches together
TOLD_EVERY = 50


@dataclass(frozen=True)
class Recipe:
    """How each learns: so many seconds, ``pieces`` a batch."""

    seconds: float = 42.0
    pieces: int = 16_384
    rate: float = 1e-4
    decay: float = 0.01
    warm_share: float = 0.06


class Stretch(NamedTuple):
    """Some pieces of a text on end: of which text, from which to which."""

    text: int
    start: int
    end: int


@dataclass(frozen=True)
class Read:
    """All texts as pieces, with the label of each, and in stretches."""

    vocabulary: Vocabulary
    dealt: Sequence[Dealt]
    words: Sequence[Words]
    labels: Sequence[list[int]]
    stretches: Sequence[Stretch]


def read(vocabulary: Vocabulary, dealt: Sequence[Dealt]) -> Read:
    """Return texts as teachers read them."""
    words = [vocabulary.words(one.marked.text) for one in dealt]
    stretches = [
        Stretch(text, start, end)
        for text, one in enumerate(words)
        for start, end in cuts(one.numbers, vocabulary.line)
    ]
    labels = [_labels(one.marked, its) for one, its in zip(dealt, words, strict=True)]
    return Read(vocabulary, dealt, words, labels, stretches)


def cuts(numbers: Sequence[int], line: int) -> Iterator[tuple[int, int]]:
    """Yield where stretches of no more than ``PIECES_MAX`` begin and end, about as long."""
    places = [0]
    while len(numbers) - places[-1] > PIECES_MAX:
        left = len(numbers) - places[-1]
        wanted = places[-1] + -(-left // -(-left // PIECES_MAX))
        lines = (at for at in range(wanted, wanted - NEAR, -1) if numbers[at] == line)
        places.append(next(lines, wanted))
    yield from pairwise([*places, len(numbers)] if numbers else [])


def tell(
    weights: State, texts: Read, recipe: Recipe, device: str, progress: Progress
) -> list[Told]:
    """Return the texts that are to be told of, each as the teacher tells that has not learnt from
    the part it was written from.
    """
    found: dict[int, Shares] = {}
    for part in range(PARTS):
        teacher = begin_as_bert(weights, part).to(device)
        learn(teacher, texts, part, recipe, progress)
        wanted = [at for at, one in enumerate(texts.dealt) if one.is_told and one.part == part]
        found |= shares_of(teacher, texts, wanted, recipe.pieces)
        progress.told(f"teacher {part + 1} of {PARTS} told of {len(wanted)} texts")
    return [
        Told(texts.dealt[at].marked, [*worth_saying(*texts.words[at][1:], shares)])
        for at, shares in sorted(found.items())
    ]


def learn(
    teacher: LargeTeacher, texts: Read, part: int, recipe: Recipe, progress: Progress
) -> None:
    """Teach in place by the texts of the other parts, as long as the recipe says."""
    some = [one for one in texts.stretches if texts.dealt[one.text].part != part]
    tables = [one for one in teacher.parameters() if one.dim() > 1]
    others = [one for one in teacher.parameters() if one.dim() == 1]
    optimiser = torch.optim.AdamW(tables, recipe.rate, weight_decay=recipe.decay)
    optimiser.add_param_group({"params": others, "weight_decay": 0.0})
    device = teacher.exit.weight.device
    teacher.train()
    begun_s = progress.clock()
    for step, batch in enumerate(_batches(some, texts, recipe.pieces, random.Random(part))):
        progress.wait()
        done = (progress.clock() - begun_s) / recipe.seconds
        if done >= 1:
            break
        for group in optimiser.param_groups:
            group["lr"] = recipe.rate * min(done / recipe.warm_share + 0.02, 1, (1 - done) / 0.9)
        numbers, mask, labels = (one.to(device, non_blocking=True) for one in batch)
        hides = (torch.rand(numbers.shape, device=device) < HIDDEN_SHARE) & (labels >= 0)
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type != "cpu"):
            scores = teacher(numbers.masked_fill(hides, texts.vocabulary.hidden), mask)
        loss = functional.cross_entropy(
            scores.float().flatten(0, 1), labels.flatten(), ignore_index=-1, label_smoothing=0.01
        )
        learn_from(loss, optimiser)
        if step % TOLD_EVERY == 0:
            progress.told(f"teacher {part + 1} of {PARTS}: {done:.0%}, loss {loss.item():.4f}")
    teacher.eval()


def shares_of(
    teacher: LargeTeacher, texts: Read, wanted: Sequence[int], pieces: int
) -> dict[int, Shares]:
    """Return the share of each label by piece, ``(pieces, labels)``, of each text ``wanted``."""
    found = {at: np.zeros((len(texts.words[at].numbers), len(LABELS)), np.float32) for at in wanted}
    device = teacher.exit.weight.device
    some = sorted((one for one in texts.stretches if one.text in found), key=_size)
    for group in grouped(some, _read_size, pieces):
        numbers, mask, _ = (one.to(device) for one in _tensors(group, texts))
        with (
            torch.inference_mode(),
            torch.autocast(device.type, torch.bfloat16, enabled=device.type != "cpu"),
        ):
            shares = teacher(numbers, mask).float().softmax(-1).cpu().numpy()
        for row, one in enumerate(group):
            found[one.text][one.start : one.end] = shares[row, 1 : 1 + _size(one)]
    return found


def _batches(
    some: Sequence[Stretch], texts: Read, pieces: int, rng: random.Random
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    order = list(some)
    while order:
        rng.shuffle(order)
        groups = [
            group
            for at in range(0, len(order), POOL)
            for group in grouped(sorted(order[at : at + POOL], key=_size), _read_size, pieces)
        ]
        rng.shuffle(groups)
        for group in groups:
            yield _tensors(group, texts)


def _tensors(group: Sequence[Stretch], texts: Read) -> tuple[Tensor, Tensor, Tensor]:
    """Return numbers, where there is a piece, and labels (-1: none), ``(texts, pieces)`` each."""
    length = -(-max(map(_read_size, group)) // STEP) * STEP
    numbers = np.full((len(group), length), texts.vocabulary.pad)
    labels = np.full_like(numbers, -1)
    for row, one in enumerate(group):
        words, size = texts.words[one.text], _size(one)
        numbers[row, 0], numbers[row, size + 1] = texts.vocabulary.first, texts.vocabulary.last
        numbers[row, 1 : size + 1] = words.numbers[one.start : one.end]
        labels[row, 1 : size + 1] = texts.labels[one.text][one.start : one.end]
    whole = torch.from_numpy(numbers)
    return whole, whole != texts.vocabulary.pad, torch.from_numpy(labels)


def _labels(marked: Marked, words: Words) -> list[int]:
    """Return the label of each piece: that of its first character that has one."""
    chars = labels_of(marked)
    found = []
    for start, end in zip(words.starts, words.ends, strict=True):
        some = chars[start:end][chars[start:end] > 0]
        is_line = marked.text[start] == "\n"
        found.append(int(some[0]) if len(some) and not is_line else 0)
    return found


def _size(one: Stretch) -> int:
    return one.end - one.start


def _read_size(one: Stretch) -> int:
    return _size(one) + 2  # what begins a text, and what ends it
