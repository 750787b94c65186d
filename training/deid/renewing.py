"""A trained tagger of which some weights are changed: the folder that is written of it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec
from safetensors.numpy import load, save

from services.privacy.tagger.manifest import (
    SECOND,
    TaggerManifest,
    load_tagger,
    network_of,
    read_manifest,
    read_weights,
)
from services.privacy.tagger.network import CharacterTagger, Shape
from services.privacy.tagger.packing import packed
from training.deid.card import RANGES
from training.deid.measuring import measured
from training.deid.pipeline import put
from training.deid.texts import Marked


@dataclass(frozen=True)
class Trained:
    """A tagger as it was read, and its parts."""

    manifest: TaggerManifest
    weights: bytes
    network: CharacterTagger
    shape: Shape


@dataclass(frozen=True)
class Changed:
    """What a tagger became: its network and shape, its limits, and what is said of how."""

    version: str
    created: str
    threshold: float
    threshold_han: float
    network: CharacterTagger
    shape: Shape
    training: Mapping[str, str]
    recipe: Mapping[str, float]


def trained(folder: Path) -> Trained:
    """Return a tagger that would be read by the scrub; raise ``TaggerRefused``."""
    manifest = read_manifest(folder)
    load_tagger(folder, manifest.digest)  # learning takes long: what is refused is so now
    weights = read_weights(folder, manifest)
    return Trained(manifest, weights, *network_of(manifest, weights))


def renew(
    before: Trained, changed: Changed, notes: Mapping[str, Sequence[Marked]], folder: Path
) -> TaggerManifest:
    """Write what a tagger became, with the ranges of what it reads in ``notes`` by language; its
    second look stays. Return the manifest, or raise ``TaggerRefused`` or ``GoldenDiffers``.
    """
    second = {name: part for name, part in load(before.weights).items() if name.startswith(SECOND)}
    weights = save({**packed(changed.network.state_dict()), **second})
    said = {name: said for name, said in before.manifest.training.items() if name != RANGES}
    manifest = msgspec.structs.replace(
        before.manifest,
        version=changed.version,
        created=changed.created,
        shape=asdict(changed.shape),
        threshold=changed.threshold,
        threshold_han=changed.threshold_han,
        weights_sha256=hashlib.sha256(weights).hexdigest(),
        ranges={},
        training={**said, **changed.training},
        recipe={**before.manifest.recipe, **changed.recipe},
        figures={},  # those of the tagger before are not this one's
    )
    return put(measured(manifest, weights, notes), weights, folder)
