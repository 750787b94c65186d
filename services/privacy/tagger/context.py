"""What a small language model says of each piece of an English word, in its sentence.

The first layers of all-MiniLM-L6-v2 (Apache-2.0; Wang et al., 2020, by Reimers and Gurevych), which
learn on with the network; the vectors of pieces stay as they were.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from services.privacy.tagger.pieces import PAD, PIECES_MAX, STEP, piece_vectors

WIDTH, HEADS, INNER = 384, 12, 1_536
HEAD_WIDTH = WIDTH // HEADS
EPSILON = 1e-12  # as the model has it


class Where(NamedTuple):
    """Where the pieces of all stretches lie among ``rows`` of equal ``length``, one after another.

    ``pieces`` of them, behind them some places without one: few sizes are prepared for but once.
    ``mask`` is False where there is none, and None where all rows are full.
    """

    at: Tensor
    pieces: int
    rows: int
    length: int
    mask: Tensor | None


class Layer(nn.Module):
    """One layer of a BERT (Devlin et al., 2019): attention, then two products, each normed."""

    def __init__(self, heads: int = HEADS, inner: int = INNER) -> None:
        """Make the parts, with so many ``heads`` and ``inner`` numbers."""
        super().__init__()
        self.count = heads
        self.heads = nn.Linear(WIDTH, 3 * heads * HEAD_WIDTH)
        self.joined = nn.Linear(heads * HEAD_WIDTH, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, EPSILON)
        self.inner = nn.Linear(WIDTH, inner)
        self.outer = nn.Linear(inner, WIDTH)
        self.last_norm = nn.LayerNorm(WIDTH, EPSILON)

    def forward(self, hidden: Tensor, where: Where) -> Tensor:
        """Return ``(places, WIDTH)`` of the same."""
        hidden = self.norm(hidden + self.joined(self.seen(self.heads(hidden), where)))
        inner = functional.gelu(self.inner(hidden))
        found: Tensor = self.last_norm(hidden + self.outer(inner))
        return found

    def seen(self, parts: Tensor, where: Where) -> Tensor:
        """Attention within each stretch; only here do those have to be of one length."""
        rows, length, mask = where.rows, where.length, where.mask
        if mask is not None:
            parts = parts.new_zeros(rows * length, parts.shape[1]).index_copy(0, where.at, parts)
        apart = parts.view(rows, length, 3, self.count, HEAD_WIDTH)
        query, key, value = apart.permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        seen = seen.transpose(1, 2).reshape(rows * length, self.count * HEAD_WIDTH)
        return seen if mask is None else seen[where.at]


class ContextReader(nn.Module):
    """Pieces in, a vector of ``width`` for each out."""

    def __init__(self, layers: int, width: int, heads: int = HEADS, inner: int = INNER) -> None:
        """Make the layers; the vectors of pieces are a file of their own."""
        super().__init__()
        self.pieces: Tensor
        self.register_buffer("pieces", torch.from_numpy(piece_vectors()), persistent=False)
        self.positions = nn.Embedding(PIECES_MAX, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, EPSILON)
        self.layers = nn.ModuleList(Layer(heads, inner) for _ in range(layers))
        self.exit = nn.Linear(WIDTH, width)
        self.width = width

    def forward(self, numbers: Tensor) -> Tensor:
        """Return ``(1 + pieces, width)``: row 0 is 0, then all pieces of ``numbers`` in order.

        ``numbers`` is ``(stretches, pieces)``, ended by ``PAD``.
        """
        nothing = self.pieces.new_zeros(1, self.width)
        if not len(numbers):
            return nothing
        hidden, where = self.begun(numbers)
        for layer in self.layers:
            hidden = layer(hidden, where)
        return torch.cat((nothing, self.exit(hidden[: where.pieces])))

    def begun(self, numbers: Tensor) -> tuple[Tensor, Where]:
        """Return what the first layer reads, ``(places, WIDTH)``, and where each place lies."""
        rows, length = numbers.shape
        is_piece = numbers != PAD
        flat = is_piece.flatten()
        at = flat.nonzero().squeeze(1)
        count = len(at)
        mask = None if count == rows * length else is_piece[:, None, None]
        at = torch.cat((at, (~flat).nonzero().squeeze(1)[: -count % STEP]))
        hidden = self.placed(numbers.flatten()[at], at % length)
        return hidden, Where(at, count, rows, length, mask)

    def placed(self, numbers: Tensor, positions: Tensor) -> Tensor:
        """Return ``(places, WIDTH)`` of pieces at their positions in a stretch."""
        found: Tensor = self.norm(self.pieces[numbers] + self.positions.weight[positions])
        return found
