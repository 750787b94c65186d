"""BERT, to learn from: many times larger than what is shipped, so that it is sure of more.

bert-base-cased (Apache-2.0; Devlin et al., 2019), as any package of it holds it: a folder with
``model.safetensors`` (or the names of TensorFlow, ``gamma`` and ``beta``) and ``vocab.txt``. It
reads whole notes and tells capitals from small letters. It is in no extra and is not shipped.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from services.privacy.tagger.network import LABELS
from services.privacy.tagger.pieces import PIECE_WORD, longest_first
from training.deid.language_model import layer_weights, model_pieces

LAYERS = 10  # of 12: the last ones say what is hidden, not what is there
WIDTH, HEADS, INNER, PLACES = 768, 12, 3_072, 512
EPSILON = 1e-12
DROPPED = 0.1
NEW_LINE = "[unused1]"  # lines say much in notes, and BERT has never seen their ends
WORD_MAX = 60

State = dict[str, Tensor]


class Words(NamedTuple):
    """Of a text, its pieces: the number of each, and where it begins and ends."""

    numbers: list[int]
    starts: list[int]
    ends: list[int]


class Vocabulary:
    """The pieces of words that the model has."""

    def __init__(self, folder: Path) -> None:
        """Read ``vocab.txt``; raise ``OSError``."""
        pieces = enumerate(model_pieces(folder))
        self._numbers = {piece: number for number, piece in pieces if piece}
        self.first, self.last, self.pad, self.hidden, self.line, self._unknown = (
            self._numbers[name] for name in ("[CLS]", "[SEP]", "[PAD]", "[MASK]", NEW_LINE, "[UNK]")
        )

    def words(self, text: str) -> Words:
        """Return the pieces of a text."""
        found = Words([], [], [])
        for word in PIECE_WORD.finditer(text):
            at = word.start()
            for number, length in self._pieces(word[0]):
                found.numbers.append(number)
                found.starts.append(at)
                found.ends.append(at + length)
                at += length
        return found

    def _pieces(self, word: str) -> Sequence[tuple[int, int]]:
        if word == "\n":
            return [(self.line, 1)]
        unknown = [(self._unknown, len(word))]
        return unknown if len(word) > WORD_MAX else longest_first(word, self._numbers) or unknown


class Layer(nn.Module):
    """One layer: attention, then two products, each normed."""

    def __init__(self) -> None:
        """Make the parts."""
        super().__init__()
        self.heads = nn.Linear(WIDTH, 3 * WIDTH)
        self.joined = nn.Linear(WIDTH, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, EPSILON)
        self.inner = nn.Linear(WIDTH, INNER)
        self.outer = nn.Linear(INNER, WIDTH)
        self.last_norm = nn.LayerNorm(WIDTH, EPSILON)
        self.dropped = nn.Dropout(DROPPED)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Return ``(texts, pieces, WIDTH)`` of the same."""
        parts = self.heads(hidden).view(*hidden.shape[:2], 3, HEADS, -1)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        joined = self.joined(seen.transpose(1, 2).reshape(hidden.shape))
        hidden = self.norm(hidden + self.dropped(joined))
        outer = self.outer(functional.gelu(self.inner(hidden)))
        found: Tensor = self.last_norm(hidden + self.dropped(outer))
        return found


class LargeTeacher(nn.Module):
    """Pieces of texts in, a score for each label out."""

    def __init__(self, pieces: int, layers: int) -> None:
        """Make the layers."""
        super().__init__()
        self.pieces = nn.Embedding(pieces, WIDTH)
        self.places = nn.Embedding(PLACES, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, EPSILON)
        self.dropped = nn.Dropout(DROPPED)
        self.layers = nn.ModuleList(Layer() for _ in range(layers))
        self.exit = nn.Linear(WIDTH, len(LABELS))

    def forward(self, numbers: Tensor, mask: Tensor) -> Tensor:
        """Return ``(texts, pieces, labels)``; ``mask`` is False where there is no piece."""
        places = self.places(torch.arange(numbers.shape[1], device=numbers.device))
        hidden = self.dropped(self.norm(self.pieces(numbers) + places))
        for layer in self.layers:
            hidden = layer(hidden, mask[:, None, None])
        return self.exit(hidden)  # type: ignore[no-any-return]  # torch does not say


class NotBert(Exception):
    """A folder without bert-base-cased; the message names it."""


def read_bert(folder: Path) -> tuple[Vocabulary, State]:
    """Return the pieces and the weights of a folder; raise ``NotBert``."""
    try:
        vocabulary, weights = Vocabulary(folder), read_weights(folder)
        begin_as_bert(weights, 0)  # another model is told before the work, not after it
    except (OSError, KeyError, RuntimeError, SafetensorError) as error:
        raise NotBert(f"{folder}: not a folder of bert-base-cased: {error}") from error
    return vocabulary, weights


def read_weights(folder: Path) -> State:
    """Return the weights of a folder by the names that Hugging Face has for them."""
    found = load_file(folder / "model.safetensors")
    tensorflow = {".gamma": ".weight", ".beta": ".bias"}
    for theirs, ours in tensorflow.items():
        found = {name.replace(theirs, ours): part for name, part in found.items()}
    return {name.removeprefix("bert."): part.float() for name, part in found.items()}


def begin_as_bert(weights: Mapping[str, Tensor], seed: int) -> LargeTeacher:
    """Return a teacher that knows what BERT knows; its last product is drawn by ``seed``."""
    torch.manual_seed(seed)
    there = {name.split(".")[2] for name in weights if name.startswith("encoder.layer.")}
    pieces = len(weights["embeddings.word_embeddings.weight"])
    teacher = LargeTeacher(pieces, min(LAYERS, len(there)))
    kinds = weights["embeddings.token_type_embeddings.weight"][:1]
    teacher.pieces.load_state_dict({"weight": weights["embeddings.word_embeddings.weight"]})
    places = weights["embeddings.position_embeddings.weight"] + kinds
    teacher.places.load_state_dict({"weight": places})
    norm = {part: weights[f"embeddings.LayerNorm.{part}"] for part in ("weight", "bias")}
    teacher.norm.load_state_dict(norm)
    for at, layer in enumerate(teacher.layers):
        layer.load_state_dict(layer_weights(weights, at))
    nn.init.normal_(teacher.exit.weight, std=0.02)
    nn.init.zeros_(teacher.exit.bias)
    return teacher
