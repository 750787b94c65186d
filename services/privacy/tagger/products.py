"""Products with weights that are laid out once as the processor reads them.

torch lays a matrix of 16 bits out anew for every product, which takes longer than a short text.
Its compiler calls the two operators used here; they have no name without an underscore.
"""

from functools import cache

import torch
from torch import Tensor, nn
from torch.nn import functional


@cache
def lays_out() -> bool:
    """Return whether this processor has what the operators ask for: else plain products serve,
    more slowly, where somebody computes in 16 bits all the same.
    """
    try:
        torch.ops.mkldnn._reorder_linear_weight(  # noqa: SLF001 - see above
            torch.zeros(1, 1, dtype=torch.bfloat16), None
        )
    except RuntimeError:
        return False
    return True


class Product(nn.Module):
    """``read @ weight.T + bias`` with frozen weights, ``(of, to)`` as ``nn.Linear`` has them."""

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        """Lay the weights out, where they are of 16 bits."""
        super().__init__()
        still = weight.detach().contiguous()
        self._is_laid_out = weight.dtype == torch.bfloat16 and lays_out()
        if self._is_laid_out:
            still = torch.ops.mkldnn._reorder_linear_weight(still, None)  # noqa: SLF001 - see above
        self._weight, self._bias = still, bias.detach()

    def forward(self, read: Tensor) -> Tensor:
        """Return the product, of all dimensions but the last as ``read``."""
        if not self._is_laid_out:
            return functional.linear(read, self._weight, self._bias)
        found: Tensor = torch.ops.mkldnn._linear_pointwise(  # noqa: SLF001 - see above
            read, self._weight, self._bias, "none", [], ""
        )
        return found


def lay_out(module: nn.Module) -> None:
    """Put a frozen ``Product`` in the place of each ``nn.Linear`` within."""
    for name, child in list(module.named_children()):
        if isinstance(child, nn.Linear):
            setattr(module, name, Product(child.weight, child.bias))
        else:
            lay_out(child)


def taps(layer: nn.Conv2d) -> Product:
    """Return a convolution ``(1, taps)`` as one product of all that it reads, side by side."""
    weight = layer.weight[:, :, 0].permute(0, 2, 1).flatten(1)
    assert layer.bias is not None  # noqa: S101 - all of ours have one
    return Product(weight, layer.bias)
