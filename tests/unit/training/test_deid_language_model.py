"""What a reader of English begins with: the language model's own layers, by its own names."""

import torch
from torch import Tensor

from services.privacy.tagger.context import WIDTH, ContextReader, Layer
from training.deid.language_model import PARTS, begin_as_the_model

LAYERS = 3


def a_language_model() -> dict[str, Tensor]:
    """Weights by the names and of the sizes of all-MiniLM-L6-v2, each layer with numbers of its
    own.
    """
    ours = {"heads": [f"attention.self.{one}" for one in ("query", "key", "value")]}
    ours |= {name: [theirs] for name, theirs in PARTS.items()}
    found = {"embeddings.position_embeddings.weight": torch.randn(512, WIDTH)}
    found |= {f"embeddings.LayerNorm.{part}": torch.randn(WIDTH) for part in ("weight", "bias")}
    for at in range(LAYERS):
        for name, part in Layer().state_dict().items():
            module, _, kind = name.rpartition(".")
            for theirs, some in zip(ours[module], part.chunk(len(ours[module])), strict=True):
                found[f"encoder.layer.{at}.{theirs}.{kind}"] = some + at
    return found


def test_a_reader_begins_with_the_models_first_layers() -> None:
    reader, model = ContextReader(2, 4), a_language_model()
    begin_as_the_model(reader, model)
    state = reader.state_dict()
    for at in (0, 1):
        name = f"encoder.layer.{at}."
        asked = [model[f"{name}attention.self.{one}.weight"] for one in ("query", "key", "value")]
        assert torch.equal(state[f"layers.{at}.heads.weight"], torch.cat(asked))
        inner = model[f"{name}intermediate.dense.weight"]
        assert torch.equal(state[f"layers.{at}.inner.weight"], inner)
    rows = len(state["positions.weight"])
    positions = model["embeddings.position_embeddings.weight"][1 : rows + 1]
    assert torch.equal(state["positions.weight"], positions)
