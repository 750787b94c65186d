"""Trained taggers to learn from, and to go on from."""

from pathlib import Path

from services.privacy.tagger.manifest import network_of, read_manifest, read_weights
from services.privacy.tagger.network import CharacterTagger, Shape

FIRST_PART = "first-part"


def teacher(folder: Path, device: str) -> CharacterTagger:
    """Return the network of a trained folder, to learn from; raise ``TaggerRefused``."""
    return network_in(folder)[0].to(device).eval()


def network_in(folder: Path) -> tuple[CharacterTagger, Shape]:
    """Return the network of a trained folder, and its shape; raise ``TaggerRefused``."""
    manifest = read_manifest(folder)
    return network_of(manifest, read_weights(folder, manifest))


def first_part(folder: Path) -> Path:
    """Return where the first part of a trained folder lies: the folder, if it is not kept apart."""
    return folder / FIRST_PART if (folder / FIRST_PART).is_dir() else folder
