"""Batches as tensors, written by this process or by others beside it, in one order either way."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from services.privacy.tagger.lexical import KINDS
from services.privacy.tagger.network import LABELS, Read
from services.privacy.tagger.pieces import stacked
from training.deid.corpus import Example, Learnt, Writer, batches

APART = 1_000  # between the seeds of two processes


class Corpus(NamedTuple):
    """What batches are made of: written texts and, in a share, ``more``."""

    writer: Writer
    more: Learnt | None


class Batch(NamedTuple):
    """What a network reads, ``(texts, characters)``, with nothing in ``read.context`` yet.

    ``labels``: -1 past the end of a text; ``pieces`` are those of all texts, as ``stacked`` does;
    ``told`` ``(texts, labels, characters)``: what a large teacher said, 0 of what it has not read.
    """

    read: Read
    labels: Tensor
    pieces: Tensor
    told: Tensor

    def to(self, device: torch.device) -> "Batch":
        """Return it on another device."""
        read = Read(*(part.to(device, non_blocking=True) for part in self.read))
        return Batch(read, *(part.to(device, non_blocking=True) for part in self[1:]))

    @property
    def mask(self) -> Tensor:
        """Return 1 for each character of a text, ``(texts, 1, 1, characters)``."""
        return (self.labels >= 0).float()[:, None, None]


@dataclass(frozen=True)
class Source:
    """Batches of a corpus, of about ``chars`` characters each."""

    corpus: Corpus
    more_share: float
    seed: int
    chars: int

    def batches(self, worker: int | None) -> Iterator[Batch]:
        """Yield batches without end; those of each ``worker`` are others."""
        (writer, more), seed = self.corpus, self.seed
        if worker is not None:
            seed += APART * (worker + 1)
            writer.begin_again(seed)
        for batch in batches(writer, more, self.more_share, seed, self.chars):
            yield tensors(batch)


class _Stream(IterableDataset[Batch]):
    def __init__(self, source: Source) -> None:
        self._source = source

    def __iter__(self) -> Iterator[Batch]:
        told = get_worker_info()
        if told is not None:
            torch.set_num_threads(1)
        return self._source.batches(told.id if told else None)


def fed(source: Source, workers: int) -> Iterator[Batch]:
    """Yield batches without end, written by so many processes (0: this one) in turn."""
    if not workers:
        return source.batches(None)
    # Forked: the texts and pools of names are there already.
    return iter(
        DataLoader(
            _Stream(source),
            batch_size=None,
            num_workers=workers,
            multiprocessing_context="fork",
            prefetch_factor=8,
        )
    )


def tensors(batch: Sequence[Example]) -> Batch:
    """Return examples as one batch."""
    length = max(len(one.chars) for one in batch)
    chars = np.zeros((len(batch), length), dtype=np.int64)
    words, hints, rows, at = (np.zeros_like(chars) for _ in range(4))
    stretches: list[list[int]] = []
    count = 0
    labels = np.full_like(chars, -1)
    kinds = np.zeros((len(batch), length, KINDS), dtype=np.float32)
    told = np.zeros((len(batch), len(LABELS), length), dtype=np.float32)
    for row, one in enumerate(batch):
        size = len(one.chars)
        chars[row, :size], words[row, :size] = one.chars, one.words
        hints[row, :size], rows[row, :size] = one.hints, one.rows
        kinds[row, :size], labels[row, :size] = one.kinds, one.labels
        if one.told is not None:
            told[row, :, :size] = one.told.T
        at[row, :size] = np.where(one.pieces.at > 0, one.pieces.at + count, 0)
        stretches += one.pieces.stretches
        count += sum(map(len, one.pieces.stretches))
    read = Read(
        torch.from_numpy(chars),
        torch.from_numpy(words),
        torch.from_numpy(hints),
        torch.from_numpy(rows),
        torch.from_numpy(kinds),
        torch.from_numpy(at),
        torch.empty(0),
    )
    return Batch(read, torch.from_numpy(labels), stacked(stretches), torch.from_numpy(told))
