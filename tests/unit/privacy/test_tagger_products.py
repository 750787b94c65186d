"""Products of eight bits beside those of 32, and what reads with them beside what is trained."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from services.privacy.folding import fold
from services.privacy.tagger.manifest import (
    TaggerManifest,
    TaggerRefused,
    network_of,
    read_manifest,
    read_weights,
    tagger_of,
)
from services.privacy.tagger.network import padded
from services.privacy.tagger.pieces import stacked
from services.privacy.tagger.products import (
    HIGHEST,
    Rounded,
    Whole,
    beside,
    in_32_bits,
    in_eight_bits,
    quickest,
    steps_of,
)
from services.privacy.tagger.reading import Reader
from services.privacy.tagger.shipped import SHIPPED_DIR
from services.privacy.tagger.tagger import Tagger
from tests.support.eight_bits import in_bytes

FOLDER = Path(__file__).parents[3] / SHIPPED_DIR
LOW, HIGH = -1.5, 4.0
NOTES = (
    "Mr Tadeusz Kowalczyk (MRN 1004567), of 12 Elm Road, seen by Dr Okafor. Bloods next week.\n",
    "患者赵云飞，男，45岁，因发热3天于2024年3月5日入院，联系人：妻李桂芳 13812345678。医师：钱\n",
)


@dataclass(frozen=True)
class Both:
    """One product twice, and what both read."""

    whole: Whole
    rounded: Rounded
    read: Tensor


@pytest.fixture
def both() -> Both:
    torch.manual_seed(3)
    linear = nn.Linear(96, 40).requires_grad_(requires_grad=False)
    read = torch.rand(50, 96) * (HIGH - LOW) + LOW
    return Both(Whole(linear), Rounded(linear, steps_of(LOW, HIGH)), read)


@pytest.fixture(scope="module")
def shipped() -> tuple[TaggerManifest, bytes]:
    manifest = read_manifest(FOLDER)
    return manifest, read_weights(FOLDER, manifest)


def near(found: Tensor, right: Tensor) -> bool:
    return float((found - right).norm() / right.norm()) < 0.02


@in_bytes
def test_zero_is_rounded_to_itself_and_what_is_beyond_to_the_ends() -> None:
    steps = steps_of(LOW, HIGH)
    rounded = Rounded(nn.Linear(4, 2), steps)
    found = rounded.prepared(torch.tensor([[0.0, LOW - 100, HIGH + 100, HIGH]]))
    assert found.tolist() == [[rounded.nothing, 0, HIGHEST, HIGHEST]]
    assert steps.zero == round(-LOW / (HIGH - LOW) * HIGHEST)


@in_bytes
def test_eight_bits_give_nearly_what_32_give(both: Both) -> None:
    whole, rounded = both.whole.of(both.read), both.rounded.of(both.rounded.prepared(both.read))
    assert near(rounded, whole)
    assert not torch.equal(rounded, whole)
    assert near(both.rounded.rectified(both.rounded.prepared(both.read)), torch.relu(whole))
    before = torch.randn_like(whole)
    assert near(
        both.rounded.added(both.rounded.prepared(both.read), before.clone()), before + whole
    )
    assert torch.allclose(both.whole.added(both.read, before.clone()), before + whole)


@in_bytes
def test_gelu_is_prepared_for_what_follows(both: Both) -> None:
    following = nn.Linear(40, 30).requires_grad_(requires_grad=False)
    right = Whole(following).of(both.whole.gelu(both.read, Whole(following)))
    next_rounded = Rounded(following, steps_of(-0.17, 4.0))
    found = both.rounded.gelu(both.rounded.prepared(both.read), next_rounded)
    assert found.dtype == torch.uint8
    assert near(next_rounded.of(found), right)
    narrow = Rounded(following, steps_of(-0.17, 1.0))
    beyond = both.rounded.gelu(both.rounded.prepared(both.read), narrow)
    assert int(beyond.max()) == HIGHEST  # two of more would not fit 16 bits


def test_places_beside_are_nothing_at_the_ends() -> None:
    read = torch.tensor([[1], [2], [3]])
    assert beside(read, 1, 9).tolist() == [[9, 1, 2], [1, 2, 3], [2, 3, 9]]
    assert beside(read, 4, 9).tolist() == [[9, 1, 9], [9, 2, 9], [9, 3, 9]]


def test_without_ranges_products_are_of_32_bits() -> None:
    assert quickest({}) is in_32_bits


def test_a_reader_says_what_the_network_says_that_is_trained(
    shipped: tuple[TaggerManifest, bytes],
) -> None:
    network, _ = network_of(*shipped)
    tagger = tagger_of(*shipped, in_32_bits)
    reader = Reader(network_of(*shipped)[0], in_32_bits)
    for note in NOTES:
        read = tagger.read([fold(note).folded])
        batch = padded(read, 64).each(lambda part: part[None])
        mask = torch.zeros(1, 1, 1, batch.chars.shape[1])
        mask[..., : len(read.chars)] = 1
        with torch.no_grad():
            (trained,) = network.eval()(batch, mask)
            ((found, hidden),) = reader.read(read, [len(read.chars)])
        assert torch.allclose(found, trained.T[: len(found)], atol=1e-3)
        assert len(hidden) == len(found) == len(read.chars)


def test_stretches_are_read_one_after_another_as_in_one_batch(
    shipped: tuple[TaggerManifest, bytes],
) -> None:
    network, _ = network_of(*shipped)
    stretches = [[4, 9, 17, 230], [88, 3], [7, 7, 7, 12, 600, 41]]
    with torch.no_grad():
        together = network.eval().context(stacked(stretches))
        one_by_one = Reader(network, in_32_bits).context(stretches)
        assert torch.equal(Reader(network, in_32_bits).context([]), torch.zeros(1, 64))
    assert torch.allclose(one_by_one, together, atol=1e-4)


@in_bytes
def test_the_shipped_tagger_finds_in_eight_bits_what_it_finds_in_32(
    shipped: tuple[TaggerManifest, bytes],
) -> None:
    whole = tagger_of(*shipped, in_32_bits)
    rounded = tagger_of(*shipped, in_eight_bits(shipped[0].ranges))
    for note in NOTES:
        folded = fold(note).folded
        one, other = whole.said(folded).probabilities, rounded.said(folded).probabilities
        assert 0 < np.abs(one - other).max() < 0.2
        assert whole.find(folded) == rounded.find(folded)


@in_bytes
def test_what_is_said_of_a_text_is_said_of_it_before_another(
    shipped: tuple[TaggerManifest, bytes],
) -> None:
    """Each product rounds by its range, not by what else is read with it."""
    tagger: Tagger = tagger_of(*shipped, in_eight_bits(shipped[0].ranges))
    alone = NOTES[1] * 3
    apart = "\n" * (tagger.shape.reach + 1)
    behind = tagger.said(NOTES[0] * 3 + apart + alone).probabilities[-len(alone) :]
    assert np.allclose(behind, tagger.said(apart + alone).probabilities[-len(alone) :], atol=1e-4)


@pytest.mark.parametrize("ends", [(0.0, 0.0), (1.0, 3.0), (2.0, -1.0), (-3.0, -1.0), (-1.0, 1e308)])
def test_what_is_no_range_is_refused(ends: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="range"):
        steps_of(*ends)


@in_bytes
def test_ranges_that_lack_a_product_or_are_none_are_refused(
    shipped: tuple[TaggerManifest, bytes],
) -> None:
    manifest, weights = shipped
    some = {name: ends for name, ends in manifest.ranges.items() if name != "entry"}
    for ranges in (some, some | {"entry": (1.0, 1.0)}):
        with pytest.raises(TaggerRefused, match="ranges"):
            tagger_of(manifest, weights, in_eight_bits(ranges))
