"""What a small language model says of each piece of an English word, in its sentence.

The first layers of all-MiniLM-L6-v2 (Apache-2.0; Wang et al., 2020, by Reimers and Gurevych), which
learn on with the network; the vectors of pieces stay as they were.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from services.privacy.tagger.pieces import PAD, PIECES_MAX, piece_vectors

WIDTH, HEADS, INNER = 384, 12, 1_536
EPSILON = 1e-12  # as the model has it


class Layer(nn.Module):
    """One layer of a BERT (Devlin et al., 2019): attention, then two products, each normed."""

    def __init__(self) -> None:
        """Make the parts."""
        super().__init__()
        self.heads = nn.Linear(WIDTH, 3 * WIDTH)
        self.joined = nn.Linear(WIDTH, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, EPSILON)
        self.inner = nn.Linear(WIDTH, INNER)
        self.outer = nn.Linear(INNER, WIDTH)
        self.last_norm = nn.LayerNorm(WIDTH, EPSILON)

    def forward(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        """Return ``(stretches, pieces, WIDTH)`` of the same; ``mask`` is False where none is."""
        rows, length, _ = hidden.shape
        parts = self.heads(hidden).view(rows, length, 3, HEADS, WIDTH // HEADS)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        seen = seen.transpose(1, 2).reshape(rows, length, WIDTH)
        hidden = self.norm(hidden + self.joined(seen))
        inner = functional.gelu(self.inner(hidden))
        found: Tensor = self.last_norm(hidden + self.outer(inner))
        return found


class ContextReader(nn.Module):
    """Pieces in, a vector of ``width`` for each out."""

    def __init__(self, layers: int, width: int) -> None:
        """Make the layers; the vectors of pieces are a file of their own."""
        super().__init__()
        self.pieces: Tensor
        self.register_buffer("pieces", torch.from_numpy(piece_vectors()), persistent=False)
        self.positions = nn.Embedding(PIECES_MAX, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, EPSILON)
        self.layers = nn.ModuleList(Layer() for _ in range(layers))
        self.exit = nn.Linear(WIDTH, width)
        self.width = width

    def forward(self, numbers: Tensor) -> Tensor:
        """Return ``(1 + pieces, width)``: row 0 is 0, then all pieces of ``numbers`` in order.

        ``numbers`` is ``(stretches, pieces)``, ended by ``PAD``.
        """
        nothing = self.pieces.new_zeros(1, self.width)
        if not len(numbers):
            return nothing
        is_piece = numbers != PAD
        hidden = self.norm(self.pieces[numbers] + self.positions.weight[: numbers.shape[1]])
        mask = None if bool(is_piece.all()) else is_piece[:, None, None]
        for layer in self.layers:
            hidden = layer(hidden, mask)
        return torch.cat((nothing, self.exit(hidden)[is_piece]))
