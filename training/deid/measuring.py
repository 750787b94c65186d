"""In which ranges lies what a network's products read: by them it reads in eight bits."""

import hashlib
from collections.abc import Mapping, Sequence

import msgspec
import torch
from torch import Tensor, nn

from services.privacy.folding import fold
from services.privacy.tagger.manifest import TaggerManifest, tagger_of
from services.privacy.tagger.products import Whole, rounds_here
from training.deid.card import RANGES
from training.deid.texts import Marked

Range = tuple[float, float]
NOTES = 150  # of each language that are read
DIGITS = 4
WIDTH_MIN = 1e-3  # of a range: nothing is divided by 0


class Measured(Whole):
    """A product of 32 bits that keeps between which numbers all lies that it read."""

    def __init__(self, linear: nn.Linear) -> None:
        """Begin with 0 and next to it."""
        super().__init__(linear)
        self.range: Range = (0.0, WIDTH_MIN)

    def prepared(self, read: Tensor) -> Tensor:
        """Return what is read."""
        lowest, highest = (_rounded(float(end)) for end in torch.aminmax(read))
        self.range = min(self.range[0], lowest), max(self.range[1], highest)
        return read


def _rounded(number: float) -> float:
    return float(f"{number:.{DIGITS}g}")


def measured(
    manifest: TaggerManifest, weights: bytes, notes: Mapping[str, Sequence[Marked]]
) -> TaggerManifest:
    """Return the manifest with the ranges of some of the notes, by language; without any where
    eight bits are not quicker, and could not be tried. Raise ``TaggerRefused``.
    """
    if not rounds_here():
        return manifest
    products: dict[str, Measured] = {}

    def make(name: str, linear: nn.Linear) -> Measured:
        products[name] = Measured(linear)
        return products[name]

    tagger = tagger_of(manifest, weights, make)
    texts = [text for of_language in notes.values() for text in _some(of_language)]
    for text in texts:
        tagger.said(fold(text).folded)
    return msgspec.structs.replace(
        manifest,
        ranges={name: one.range for name, one in products.items()},
        training=manifest.training | {RANGES: f"{len(texts)} notes, {_sha256(chr(0).join(texts))}"},
    )


def _some(notes: Sequence[Marked]) -> list[str]:
    """Return texts of notes, chosen by their digests: another note moves no more than one."""
    return sorted((note.text for note in notes), key=_sha256)[:NOTES]


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()
