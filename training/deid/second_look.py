"""What the second look learns: notes that the tagger's network has never seen, word by word.

A network is surer of a note that it learnt from than of any other, so from those nothing could be
learnt here. Words that rules find go without the tagger, and teach nothing either. The limit stays
the tagger's: the answer is moved until, in notes kept aside, as large a share of what is removed is
nobody's as by the network alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from zlib import crc32

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from services.privacy.folding import fold
from services.privacy.spans import Span
from services.privacy.tagger.identifying import identifying, words_of
from services.privacy.tagger.second_look import Floats, SecondLook, looked_at
from services.privacy.tagger.seen import Counts, Keys, keys_of, told
from services.privacy.tagger.tagger import Tagger
from training.deid.scoring import NOT_REQUIRED
from training.deid.seen_words import writer_of
from training.deid.texts import Marked

Mask = npt.NDArray[np.bool_]
Told = Callable[[str], object]
SeenElsewhere = Callable[[Marked, Keys], Counts]
Rules = Callable[[str], Sequence[Span]]  # without the tagger, of a text as it is
FOLDS = 5
MEMBERS = 3
INNER = 64  # of each; all that is shipped has to stay under 20 MB
TOLD_EVERY = 50
SCALE_MIN = 1e-3


@dataclass(frozen=True)
class Recipe:
    """How it learns: passes over all words, words a step, the greatest rate, what is hidden."""

    passes: int = 8
    words: int = 128
    rate: float = 2e-3
    decay: float = 0.02
    hidden_features: float = 0.1
    hidden_inner: float = 0.3


class Examples(NamedTuple):
    """Words of notes. Of each: what is read, whether it must go, whether rules find it (it counts
    then, and is not learnt), its characters, what the network alone says, of which note it is, and
    a number of who wrote that.
    """

    features: Floats
    goes: Mask
    is_ruled: Mask
    chars: npt.NDArray[np.int64]
    alone: Floats
    note: npt.NDArray[np.int64]
    writer: npt.NDArray[np.int64]

    def where(self, mask: Mask) -> "Examples":
        """Return some of them."""
        return Examples._make(part[mask] for part in self)


def examples(
    tagger: Tagger, notes: Sequence[Marked], by_rules: Rules, seen: SeenElsewhere, say: Told
) -> Examples:
    """Return the words of notes that are looked at, with what is found ``by_rules`` and how
    often they were ``seen`` in what others wrote; a note that is folded to another length is left
    out.
    """
    found = []
    for place, note in enumerate(notes):
        if place % TOLD_EVERY == 0:
            say(f"reading: {place} of {len(notes)} texts")
        one = _examples_of(tagger, note, by_rules(note.text), seen, place)
        if one is not None:
            found.append(one)
    return Examples._make(np.concatenate(parts) for parts in zip(*found, strict=True))


def _examples_of(
    tagger: Tagger, note: Marked, ruled: Sequence[Span], seen: SeenElsewhere, place: int
) -> Examples | None:
    folded = fold(note.text).folded
    words = words_of(folded)
    if len(folded) != len(note.text) or not len(words):
        return None
    said = tagger.said(folded)
    look = looked_at(folded, words, said)
    if not len(look.at):
        return None
    alone = identifying(folded, words, said.probabilities)
    rules = [(one.start, one.end, one.label) for one in ruled]
    spared = _share([one for one in note.spans if one[2] in NOT_REQUIRED], words, len(folded))
    kept = spared[look.at] <= 0
    at = look.at[kept]
    read = told(seen(note, keys_of(folded, words, at)))
    return Examples(
        np.hstack((look.features[kept], read)),
        _share(note.spans, words, len(folded))[at] > 0.5,
        _share(rules, words, len(folded))[at] > 0.5,
        np.diff(words)[at, 0],
        alone[words[at, 0]],
        np.full(len(at), place),
        np.full(len(at), crc32(writer_of(note).encode())),
    )


def _share(
    spans: Sequence[tuple[int, int, str]], words: npt.NDArray[np.int64], length: int
) -> npt.NDArray[np.float64]:
    """Return which share of each word lies in spans."""
    covered = np.zeros(length + 1)
    for start, end, _ in spans:
        covered[start + 1 : end + 1] = 1
    sums = covered.cumsum()
    shares: npt.NDArray[np.float64] = np.diff(sums[words])[:, 0] / np.diff(words)[:, 0]
    return shares


def learn(
    found: Examples, is_note: Mask, seed: int, threshold: float, recipe: Recipe
) -> tuple[SecondLook, float]:
    """Return what has learnt from all examples, its answers moved so that ``threshold`` holds for
    those of notes, and which share of what must go there it finds in notes kept aside.
    """
    apart = np.empty_like(found.alone)
    parts = _parts(found)
    for part in range(FOLDS):
        aside = parts == part
        second = _fitted(found.where(~aside), seed, recipe)
        apart[aside] = second.probabilities(found.features[aside])
    second = _fitted(found, seed, recipe)
    notes, apart = found.where(is_note), apart[is_note]
    limit = _limit(notes, apart, precision(notes, notes.alone, threshold))
    with torch.no_grad():
        second.exit.bias.add_(_logit(threshold) - _logit(limit))
    return second, recall(notes, apart, limit)


def _parts(found: Examples) -> npt.NDArray[np.int64]:
    """Return which part each word is in: all words of a writer in one, where there are enough."""
    writers, at = np.unique(found.writer, return_inverse=True)
    return (at if len(writers) >= FOLDS else found.note) % FOLDS


def _fitted(found: Examples, seed: int, recipe: Recipe) -> SecondLook:
    """Return one that answers with the mean of several, each begun by another seed."""
    taught = found.where(~found.is_ruled)
    features, goes = torch.from_numpy(taught.features), torch.from_numpy(taught.goes).float()
    several = [_one_fitted(features, goes, seed + place, recipe) for place in range(MEMBERS)]
    second = SecondLook(features.shape[1], INNER * MEMBERS)
    state = several[0].state_dict() | {
        "inner.weight": torch.cat([one.inner.weight for one in several]),
        "inner.bias": torch.cat([one.inner.bias for one in several]),
        "exit.weight": torch.cat([one.exit.weight for one in several], dim=1) / MEMBERS,
        "exit.bias": torch.stack([one.exit.bias for one in several]).mean(0),
    }
    second.load_state_dict(state)
    return second.eval()


def _one_fitted(features: Tensor, goes: Tensor, seed: int, recipe: Recipe) -> SecondLook:
    torch.manual_seed(seed)
    second = SecondLook(features.shape[1], INNER)
    second.mean.copy_(features.mean(0))
    second.scale.copy_(features.std(0) + SCALE_MIN)
    optimizer = torch.optim.AdamW(second.parameters(), recipe.rate, weight_decay=recipe.decay)
    words = min(recipe.words, len(goes))
    steps = len(goes) // words * recipe.passes
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.rate, total_steps=steps)
    for _ in range(recipe.passes):
        order = torch.randperm(len(goes))
        for batch in order[: len(goes) // words * words].view(-1, words):
            answers = _learning(second, features[batch], recipe)
            loss = functional.binary_cross_entropy_with_logits(answers, goes[batch])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch does not say
            optimizer.step()
            schedule.step()
    return second


def _learning(second: SecondLook, features: Tensor, recipe: Recipe) -> Tensor:
    """Return logits with some of what is read, and of what is made of it, hidden."""
    read = functional.dropout(second.scaled(features), recipe.hidden_features)
    inner = functional.dropout(torch.relu(second.inner(read)), recipe.hidden_inner)
    return second.exit(inner)[:, 0]  # type: ignore[no-any-return]  # torch does not say


def _limit(found: Examples, shares: Floats, asked: float) -> float:
    """Return the lowest limit with the precision that is asked."""
    ruled, others = found.where(found.is_ruled), found.where(~found.is_ruled)
    shares = shares[~found.is_ruled]
    order = np.argsort(-shares, kind="stable")
    chars = others.chars[order]
    removed = ruled.chars.sum() + chars.cumsum()
    right = ruled.chars[ruled.goes].sum() + (chars * others.goes[order]).cumsum()
    enough = np.flatnonzero(right >= asked * removed)
    last = int(enough[-1]) if len(enough) else 0
    return float(shares[order[min(last + 1, len(order) - 1)]])


def precision(found: Examples, shares: Floats, limit: float) -> float:
    """Return which share of the characters that go with a limit must go."""
    removed = found.is_ruled | (shares > limit)
    return float(found.chars[removed & found.goes].sum() / found.chars[removed].sum())


def recall(found: Examples, shares: Floats, limit: float) -> float:
    """Return which share of the characters that must go goes with a limit."""
    removed = found.is_ruled | (shares > limit)
    return float(found.chars[removed & found.goes].sum() / found.chars[found.goes].sum())


def _logit(share: float) -> float:
    return float(np.log(share / (1 - share)))
