"""Trained taggers to learn from, and to go on from."""

from copy import deepcopy
from pathlib import Path

from torch import nn

from services.privacy.tagger.context import Layer
from services.privacy.tagger.manifest import (
    TaggerRefused,
    network_of,
    read_manifest,
    read_weights,
)
from services.privacy.tagger.network import CharacterTagger, Shape
from training.deid.feeding import Source
from training.deid.language_model import Weights, layer_weights
from training.deid.narrowing import narrowed

FIRST_PART = "first-part"


def teacher(folder: Path, device: str) -> CharacterTagger:
    """Return the network of a trained folder, to learn from; raise ``TaggerRefused``."""
    manifest = read_manifest(folder)
    network, _ = network_of(manifest, read_weights(folder, manifest))
    return network.to(device).eval()


def first_part(folder: Path) -> Path:
    """Return where the first part of a trained folder lies: the folder, if it is not kept apart."""
    return folder / FIRST_PART if (folder / FIRST_PART).is_dir() else folder


def deepened(first: CharacterTagger, layers: int, model: Weights) -> CharacterTagger:
    """Return a network that reads English by more layers of the language model than ``first``: its
    own first one, the others as the model has them. What it learnt in the others led to its exit;
    the model's lead on to further layers.
    """
    deeper = deepcopy(first)
    more = []
    for at in range(1, layers):
        layer = Layer()
        layer.load_state_dict(layer_weights(model, at))
        more.append(layer.to(first.exit.weight.device))
    deeper.context.layers = nn.ModuleList([deeper.context.layers[0], *more])
    return deeper


def go_on_from(
    first: CharacterTagger, network: CharacterTagger, shape: Shape, source: Source
) -> None:
    """Give the network the weights of another, or what says most of them in a batch of ``source``
    where the other is larger; raise ``TaggerRefused``, it has another shape.
    """
    try:
        network.load_state_dict(first.state_dict())
    except RuntimeError:
        batch = next(source.batches(None)).to(network.exit.weight.device)
        try:
            network.load_state_dict(narrowed(first, shape, batch.read, batch.pieces))
        except RuntimeError as error:
            raise TaggerRefused("what to go on from has another shape") from error
