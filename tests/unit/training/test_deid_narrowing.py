from dataclasses import replace
from importlib.util import find_spec

import pytest
import torch
from torch import Tensor

from services.privacy.tagger.context import HEAD_WIDTH, HEADS, Layer
from services.privacy.tagger.network import CharacterTagger, Shape
from training.deid.corpus import Writer
from training.deid.feeding import Batch, Corpus, Source
from training.deid.fit import new_network
from training.deid.language_model import PARTS
from training.deid.narrowing import narrowed
from training.deid.teachers import deepened, go_on_from

WIDE = Shape(
    char_width=4, word_width=4, width=12, dilations=(1, 2), context_layers=1, context_width=4
)
NARROW = replace(WIDE, width=8, context_heads=5, context_inner=64)
pytestmark = pytest.mark.skipif(
    find_spec("jieba") is None or find_spec("spellchecker") is None,
    reason="the word lists are in the training extra",
)


@pytest.fixture
def source(writer: Writer) -> Source:
    return Source(Corpus(writer, None), 0.0, 5, 400)


def scores(network: CharacterTagger, batch: Batch) -> Tensor:
    with torch.no_grad():
        read = batch.read._replace(context=network.context(batch.pieces))
        found: Tensor = network(read, batch.mask)
    return found


def with_nothing_beyond(network: CharacterTagger, heads: list[int]) -> CharacterTagger:
    """What a wide network says with the last channels and inner numbers and these heads alone."""
    head = torch.tensor(heads)[:, None] * HEAD_WIDTH + torch.arange(HEAD_WIDTH)
    silent = torch.ones(HEADS * HEAD_WIDTH, dtype=torch.bool)
    silent[head.flatten()] = False
    state = network.state_dict()
    state["context.layers.0.joined.weight"][:, silent] = 0
    state["context.layers.0.outer.weight"][:, :-64] = 0
    for layer in ("entry", "blocks.0", "blocks.1"):
        state[f"{layer}.weight"][:4] = 0
        state[f"{layer}.bias"][:4] = 0
    return network.eval()


def test_what_says_nothing_is_cut_and_the_rest_says_the_same(source: Source) -> None:
    wide = with_nothing_beyond(new_network(WIDE, 1), [0, 3, 4, 8, 11])
    batch = next(source.batches(None))
    student = new_network(NARROW, 2).eval()
    go_on_from(wide, student, NARROW, source)
    assert torch.allclose(scores(student, batch), scores(wide, batch), atol=1e-4)


def test_nothing_is_cut_off_one_of_the_same_shape(source: Source) -> None:
    wide, batch = new_network(WIDE, 1), next(source.batches(None))
    kept = narrowed(wide, WIDE, batch.read, batch.pieces)
    assert kept.keys() == wide.state_dict().keys()
    assert all(torch.equal(kept[name], one) for name, one in wide.state_dict().items())


def test_a_deeper_one_reads_on_with_the_models_own_layers() -> None:
    first, model = new_network(WIDE, 1), a_language_model(layers=3)
    deeper = deepened(first, 3, model)
    state, own = deeper.state_dict(), first.state_dict()
    assert len(deeper.context.layers) == 3
    name = "context.layers.0.heads.weight"
    assert torch.equal(state[name], own[name])
    for at in (1, 2):
        theirs = model[f"encoder.layer.{at}.intermediate.dense.weight"]
        assert torch.equal(state[f"context.layers.{at}.inner.weight"], theirs)
    assert len(first.context.layers) == 1  # it stays as it was
    assert torch.equal(deeper.entry.weight, first.entry.weight)


def a_language_model(layers: int) -> dict[str, Tensor]:
    """Weights by the names and of the sizes of all-MiniLM-L6-v2, each layer with numbers of its
    own.
    """
    ours = {"heads": [f"attention.self.{one}" for one in ("query", "key", "value")]}
    ours |= {name: [theirs] for name, theirs in PARTS.items()}
    found: dict[str, Tensor] = {}
    for at in range(layers):
        for name, part in Layer().state_dict().items():
            module, _, kind = name.rpartition(".")
            for theirs, some in zip(ours[module], part.chunk(len(ours[module])), strict=True):
                found[f"encoder.layer.{at}.{theirs}.{kind}"] = some + at
    return found
