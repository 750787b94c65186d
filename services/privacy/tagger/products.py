"""Products with weights that are learnt no more: in eight bits on most processors, or in 32.

What a product reads lies in a range that was measured when the tagger was made; beyond it there is
its end. It is rounded to seven bits: the sum of two products of eight is more than the 16 bits in
which processors without VNNI add them. torch's compiler calls the operators used here.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

HIGHEST = 127  # of what is read, 0 the lowest; of weights to either side
WEIGHT_MIN = 1e-12
WIDTH_MAX = 1e6  # of a range; those that are measured have less than a hundred

Ranges = Mapping[str, tuple[float, float]]  # by name of a product


class Product(Protocol):
    """``read @ weight.T + bias`` of what is ``(places, of)`` and prepared for it."""

    nothing: int  # what stands for 0 in what is prepared

    def prepared(self, read: Tensor) -> Tensor:
        """Return what is read as the product takes it."""

    def of(self, prepared: Tensor) -> Tensor:
        """Return the product."""

    def rectified(self, prepared: Tensor) -> Tensor:
        """Return the product, 0 where it is negative."""

    def gelu(self, prepared: Tensor, following: "Product") -> Tensor:
        """Return GELU of the product, prepared for the following one."""

    def added(self, prepared: Tensor, to: Tensor) -> Tensor:
        """Return the product added in place ``to`` what was before it."""


Make = Callable[[str, nn.Linear], Product]


class Whole:
    """A product in 32 bits."""

    nothing = 0

    def __init__(self, linear: nn.Linear) -> None:
        """Keep the weights."""
        self._linear = linear

    def prepared(self, read: Tensor) -> Tensor:
        """Return what is read."""
        return read

    def of(self, prepared: Tensor) -> Tensor:
        """Return the product."""
        found: Tensor = self._linear(prepared)
        return found

    def rectified(self, prepared: Tensor) -> Tensor:
        """Return the product, 0 where it is negative."""
        return torch.relu_(self.of(prepared))

    def gelu(self, prepared: Tensor, following: Product) -> Tensor:
        """Return GELU of the product."""
        return following.prepared(functional.gelu(self.of(prepared)))

    def added(self, prepared: Tensor, to: Tensor) -> Tensor:
        """Return the product added in place ``to`` what was before it."""
        return to.add_(self.of(prepared))


class Steps(NamedTuple):
    """How numbers are rounded: ``scale`` apart, with ``zero`` for 0."""

    scale: float
    zero: int


def steps_of(lowest: float, highest: float) -> Steps:
    """Return how what lies between is rounded, as 0 does; raise ``ValueError`` for no range."""
    if not (lowest <= 0 <= highest and 0 < highest - lowest < WIDTH_MAX):
        raise ValueError("range")
    scale = (highest - lowest) / HIGHEST
    return Steps(scale, round(-lowest / scale))


class Rounded:
    """A product in eight bits."""

    def __init__(self, linear: nn.Linear, steps: Steps) -> None:
        """Round the weights, each row of its own scale, and lay them out as they are read."""
        weight = linear.weight.detach()
        scales = (weight.abs().amax(dim=1) / HIGHEST).clamp_min(WEIGHT_MIN)
        small = (weight / scales[:, None]).round().clamp(-HIGHEST, HIGHEST).to(torch.int8)
        laid_out = torch.ops.onednn.qlinear_prepack(small, None)
        zeros = torch.zeros(len(scales), dtype=torch.long)
        self._weights = (*steps, laid_out, scales, zeros)
        self._bias = linear.bias.detach()
        self._half_up = torch.tensor(steps.zero + 0.5)
        self.steps, self.nothing = steps, steps.zero

    def prepared(self, read: Tensor) -> Tensor:
        """Return numbers from 0 to ``HIGHEST``, in a byte each."""
        rounded = torch.add(self._half_up, read, alpha=1 / self.steps.scale)
        # Straight to bytes without a sign takes four times as long.
        return rounded.clamp_(0, HIGHEST).to(torch.int8).view(torch.uint8)

    def of(self, prepared: Tensor) -> Tensor:
        """Return the product."""
        return self._then(prepared, "none")

    def rectified(self, prepared: Tensor) -> Tensor:
        """Return the product, 0 where it is negative."""
        return self._then(prepared, "relu")

    def gelu(self, prepared: Tensor, following: Product) -> Tensor:
        """Return GELU of the product, prepared for the following one."""
        assert isinstance(following, Rounded)  # noqa: S101 - all of a layer are made alike
        found: Tensor = torch.ops.onednn.qlinear_pointwise(
            prepared, *self._weights, self._bias, *following.steps, torch.uint8, "gelu", [], "none"
        )
        return found.clamp_(max=HIGHEST)

    def added(self, prepared: Tensor, to: Tensor) -> Tensor:
        """Return the product added in place ``to`` what was before it."""
        whole = (1.0, 0, torch.float32)
        found: Tensor = torch.ops.onednn.qlinear_pointwise.binary(
            prepared, *self._weights, to, self._bias, *whole, 1.0, 0, "sum", 1.0, "none", [], ""
        )
        return found

    def _then(self, prepared: Tensor, then: str) -> Tensor:
        found: Tensor = torch.ops.onednn.qlinear_pointwise(
            prepared, *self._weights, self._bias, 1.0, 0, torch.float32, then, [], ""
        )
        return found


@cache
def rounds_here() -> bool:
    """Return whether this processor has the commands that make eight bits quicker (AVX2)."""
    return bool(torch.cpu.get_capabilities().get("avx2", False))


def in_eight_bits(ranges: Ranges) -> Make:
    """Return what makes products of eight bits, which read what lies in ``ranges``."""
    return lambda name, linear: Rounded(linear, steps_of(*ranges[name]))


def quickest(ranges: Ranges) -> Make:
    """Return what makes the products that are quickest here; without ``ranges``, of 32 bits."""
    return in_eight_bits(ranges) if ranges and rounds_here() else in_32_bits


def in_32_bits(_: str, linear: nn.Linear) -> Product:
    """Return a product of 32 bits."""
    return Whole(linear)


def linear_of(layer: nn.Conv2d) -> nn.Linear:
    """Return a convolution ``(1, taps)`` as one product of all that it reads, side by side."""
    weight = layer.weight.detach()[:, :, 0].permute(0, 2, 1).flatten(1)
    linear = nn.Linear(weight.shape[1], weight.shape[0])
    linear.weight.data = weight
    assert layer.bias is not None  # noqa: S101 - all of ours have one
    linear.bias.data = layer.bias.detach()
    return linear.requires_grad_(requires_grad=False)


def beside(read: Tensor, apart: int, nothing: int) -> Tensor:
    """Return each place with those ``apart`` before and behind it, ``nothing`` at the ends."""
    around = functional.pad(read, (0, 0, apart, apart), value=nothing)
    return torch.cat((around[: len(read)], read, around[2 * apart :]), dim=1)
