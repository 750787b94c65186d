"""The network: dilated convolutions over characters; each sees ``REACH`` characters either way."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from services.privacy.tagger.alphabet import CHARS, WORDS
from services.privacy.tagger.context import HEADS, INNER, ContextReader
from services.privacy.tagger.hints import HINTS
from services.privacy.tagger.lexical import KINDS
from services.privacy.tagger.meanings import MEANING_WIDTH, word_meanings

ARCHITECTURE = "dilated-characters-4"
LABELS = ("", "NAME", "DATE", "PHONE", "ID", "LOC", "AGE", "EMAIL", "URL", "ORG", "OTHER")


class Read(NamedTuple):
    """What the network reads: as in ``alphabet.Encoded``, each with a dimension of texts before.

    ``context``: what ``CharacterTagger.context`` says of all pieces; ``at`` is which of them.
    """

    chars: Tensor
    words: Tensor
    hints: Tensor
    rows: Tensor
    kinds: Tensor
    at: Tensor
    context: Tensor

    def each(self, change: Callable[[Tensor], Tensor]) -> "Read":
        """Return it with what is of characters changed."""
        return Read(
            change(self.chars),
            change(self.words),
            change(self.hints),
            change(self.rows),
            change(self.kinds),
            change(self.at),
            self.context,
        )


def padded(read: Read, multiple: int) -> Read:
    """Return it with 0 behind, as long as a multiple: few lengths are prepared for but once."""
    more = -len(read.chars) % multiple
    return read.each(lambda part: functional.pad(part, (0,) * (2 * part.dim() - 1) + (more,)))


@dataclass(frozen=True)
class Shape:
    """Widths and dilations."""

    char_width: int = 48
    word_width: int = 40
    hint_width: int = 16
    context_width: int = 64
    context_layers: int = 2
    context_heads: int = HEADS
    context_inner: int = INNER
    width: int = 160
    dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 1)

    @property
    def reach(self) -> int:
        """How many characters to either side can change what is said of one."""
        return sum(self.dilations)


class CharacterTagger(nn.Module):
    """What is read of characters in, one score per label and character out."""

    def __init__(self, shape: Shape) -> None:
        """Make the layers."""
        super().__init__()
        self.steps = shape.dilations
        self.chars = nn.Embedding(CHARS, shape.char_width)
        self.words = nn.Embedding(WORDS, shape.word_width)
        self.hints = nn.Embedding(HINTS, shape.hint_width)
        # Frozen, and a file of its own: no part of the weights.
        self.register_buffer("meanings", torch.from_numpy(word_meanings()), persistent=False)
        self.context = ContextReader(
            shape.context_layers, shape.context_width, shape.context_heads, shape.context_inner
        )
        told = shape.char_width + shape.word_width + shape.hint_width + MEANING_WIDTH + KINDS
        told += shape.context_width
        self.entry = nn.Conv2d(told, shape.width, 1)
        self.blocks = nn.ModuleList(
            nn.Conv2d(shape.width, shape.width, (1, 3), padding=(0, step), dilation=(1, step))
            for step in shape.dilations
        )
        self.exit = nn.Conv2d(shape.width, len(LABELS), 1)
        self.to(memory_format=torch.channels_last)  # half as fast again on a CPU

    def forward(self, read: Read, mask: Tensor) -> Tensor:
        """Return ``(batch, labels, time)`` to learn by; ``mask`` ``(batch, 1, 1, time)`` is 0 past
        the end of a text.
        """
        hidden = self.entered(read) * mask
        for block in self.blocks:
            hidden = (hidden + torch.relu(block(hidden))) * mask
        return self.exit(hidden).squeeze(2)  # type: ignore[no-any-return]  # torch does not say

    def entered(self, read: Read) -> Tensor:
        """Return what the first block reads, ``(batch, channels, 1, time)``."""
        told = self.told(read)  # (batch, time, widths)
        return self.entry(told.unsqueeze(1).permute(0, 3, 1, 2))  # type: ignore[no-any-return]

    def told(self, read: Read) -> Tensor:
        """Return all that the entry reads of each character."""
        meant: Tensor = self.meanings[read.rows]  # type: ignore[index]  # a buffer is a tensor
        said = (
            self.chars(read.chars),
            self.words(read.words),
            self.hints(read.hints),
            meant,
            read.kinds.to(meant.dtype),
            read.context.to(meant.dtype)[read.at],
        )
        return torch.cat(said, dim=-1)
