"""In which ranges lies what a network's products read: by them it reads in eight bits."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec
import torch
from torch import Tensor, nn

from services.privacy.folding import fold
from services.privacy.tagger.manifest import TaggerManifest, tagger_of
from services.privacy.tagger.products import Whole
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
    """Return the manifest with the ranges of some of the notes, by language; raise
    ``TaggerRefused``.
    """
    products: dict[str, Measured] = {}

    def make(name: str, linear: nn.Linear) -> Measured:
        products[name] = Measured(linear)
        return products[name]

    tagger = tagger_of(manifest, weights, make)
    for text in _some(notes):
        tagger.said(fold(text).folded)
    ranges = {name: one.range for name, one in products.items()}
    return msgspec.structs.replace(manifest, ranges=ranges)


def _some(notes: Mapping[str, Sequence[Marked]]) -> Iterator[str]:
    for of_language in notes.values():
        step = -(-len(of_language) // NOTES)
        yield from (note.text for note in of_language[::step])
