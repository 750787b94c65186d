"""A network that learns no more, as it reads a text: one product after another, on a CPU.

A convolution is a product of what lies side by side: as quick, and not set up for each length.
Attention reads one stretch after another: none is as long as the longest.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import TypeVar, cast

import torch
from torch import Tensor, nn

from services.privacy.tagger.context import HEAD_WIDTH, Layer
from services.privacy.tagger.network import CharacterTagger, Read, padded
from services.privacy.tagger.pieces import PAD, STEP
from services.privacy.tagger.products import Make, Rounded, beside, linear_of

M = TypeVar("M", bound=nn.Module)
Named = Iterable[tuple[str, M]]  # a list of modules does not tell their kind
SCALE = HEAD_WIDTH**-0.5
SHORT = 400  # characters
# Lengths are rounded up to these: what computes is prepared anew for each length it meets.
SHORT_STEP, LONG_STEP = 16, 64


class Reader:
    """What a network says of a text and of its pieces."""

    def __init__(self, network: CharacterTagger, make: Make) -> None:
        """Have each product of ``network`` made, by its name."""
        self._network = network.eval().requires_grad_(requires_grad=False)
        self._layers = [
            ReadingLayer(layer, make, f"context.layers.{name}")
            for name, layer in cast("Named[Layer]", network.context.layers.named_children())
        ]
        self._entry = make("entry", linear_of(network.entry))
        self._blocks = [
            make(f"blocks.{name}", linear_of(block))
            for name, block in cast("Named[nn.Conv2d]", network.blocks.named_children())
        ]
        self._exit = linear_of(network.exit)
        # Of 32 bits sums differ with what is read beside, in the last place.
        self.reads_many = all(isinstance(one, Rounded) for one in (self._entry, *self._blocks))

    def context(self, stretches: Sequence[Sequence[int]]) -> Tensor:
        """Return ``(1 + pieces, width)``: row 0 is 0, then all pieces in order."""
        reader = self._network.context
        nothing = torch.zeros(1, reader.width)
        if not stretches:
            return nothing
        lengths = [len(one) for one in stretches]
        count = sum(lengths)
        ends = [0] * (-count % STEP)
        numbers = torch.tensor([*chain.from_iterable(stretches), *(PAD for _ in ends)])
        hidden = reader.placed(
            numbers, torch.tensor([*chain.from_iterable(map(range, lengths)), *ends])
        )
        for layer in self._layers:
            hidden = layer.read(hidden, lengths)
        # Sums in 32 bits differ with how many are added up at once: each stretch by itself.
        told = torch.split(hidden[:count], lengths)
        return torch.cat((nothing, *map(reader.exit, told)))

    def read(self, read: Read, lengths: Sequence[int]) -> list[tuple[Tensor, Tensor]]:
        """Return ``(characters, labels)`` of texts so long, which lie one after another, and the
        last layer that says so, ``(characters, width)``.
        """
        length = len(read.chars)
        told = self._network.told(padded(read, SHORT_STEP if length <= SHORT else LONG_STEP))
        hidden = self._entry.of(self._entry.prepared(told))
        ends = Ends(lengths) if len(lengths) > 1 else None
        for block, apart in zip(self._blocks, self._network.steps, strict=True):
            hidden[length:] = 0  # as around a text
            seen = beside(block.prepared(hidden), apart, block.nothing)
            if ends is not None:
                ends.part(seen, apart, block.nothing)
            hidden = block.rectified(seen).add_(hidden)
        texts = torch.split(hidden[:length], list(lengths))
        return [(self._exit(text), text) for text in texts]


class Ends:
    """Where texts of these lengths, one after another, begin and end."""

    def __init__(self, lengths: Sequence[int]) -> None:
        """Count how far each character is from both ends of its text."""
        self._before = torch.cat([torch.arange(length) for length in lengths])
        self._behind = torch.cat([torch.arange(length).flip(0) for length in lengths])

    def part(self, seen: Tensor, apart: int, nothing: int) -> None:
        """Put ``nothing`` in place of what is seen (``beside``) of another text."""
        width = seen.shape[1] // 3
        for far, columns in ((self._before, slice(width)), (self._behind, slice(-width, None))):
            seen[:, columns].index_fill_(0, (far < apart).nonzero().squeeze(1), nothing)


class ReadingLayer:
    """A layer of the language model that learns no more."""

    def __init__(self, layer: Layer, make: Make, name: str) -> None:
        """Have its products made, by their names."""
        self._layer = layer
        self._heads = make(f"{name}.heads", layer.heads)
        self._joined = make(f"{name}.joined", layer.joined)
        self._inner = make(f"{name}.inner", layer.inner)
        self._outer = make(f"{name}.outer", layer.outer)

    def read(self, hidden: Tensor, lengths: Sequence[int]) -> Tensor:
        """Return ``(places, WIDTH)`` of the same, of stretches so long, one after another; what
        was ``hidden`` is lost.
        """
        joined, inner, outer = self._joined, self._inner, self._outer
        seen = self._seen(self._heads.of(self._heads.prepared(hidden)), lengths)
        hidden = self._layer.norm(joined.added(joined.prepared(seen), hidden))
        del seen  # of a long note it is large, and what follows is larger
        found = inner.gelu(inner.prepared(hidden), outer)
        last: Tensor = self._layer.last_norm(outer.added(found, hidden))
        return last

    def _seen(self, parts: Tensor, lengths: Sequence[int]) -> Tensor:
        """Attention, by its three products: torch's own takes a third longer for such lengths."""
        count = self._layer.count
        seen = parts.new_zeros(len(parts), count * HEAD_WIDTH)
        nothing = parts.new_zeros(1, 1, 1)
        begin = 0
        for length in lengths:
            stretch = slice(begin, begin + length)
            apart = parts[stretch].view(length, 3, count, HEAD_WIDTH)
            query, key, value = apart.permute(1, 2, 0, 3)
            alike = torch.baddbmm(nothing, query, key.transpose(1, 2), beta=0, alpha=SCALE)
            found = torch.bmm(torch.softmax(alike, dim=-1), value)
            seen[stretch].view(length, count, HEAD_WIDTH).copy_(found.transpose(0, 1))
            begin += length
        return seen
