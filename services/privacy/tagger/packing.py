"""Pure: a network's weights as they are shipped: large tables in a byte a number, others in two."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

SCALES = ".scales"
TABLE_NUMBERS_MIN = 50_000
BYTE_MAX = 127

Stored = Mapping[str, npt.NDArray[np.generic]]


def packed(
    state: Mapping[str, Tensor], table_numbers_min: int = TABLE_NUMBERS_MIN
) -> dict[str, npt.NDArray[np.generic]]:
    """Return weights by name; a table of two dimensions and so many numbers with the scale of each
    of its rows.
    """
    stored: dict[str, npt.NDArray[np.generic]] = {}
    for name, tensor in state.items():
        numbers = tensor.detach().float().numpy()
        if numbers.ndim == 2 and numbers.size >= table_numbers_min:
            scales = np.abs(numbers).max(axis=1, keepdims=True) / BYTE_MAX
            scales = np.maximum(scales, np.finfo(np.float16).smallest_normal).astype(np.float16)
            small = np.rint(numbers / scales.astype(np.float32)).clip(-BYTE_MAX, BYTE_MAX)
            stored[name], stored[name + SCALES] = small.astype(np.int8), scales
        else:
            stored[name] = np.ascontiguousarray(numbers.astype(np.float16))
    return stored


def unpacked(stored: Stored) -> dict[str, Tensor]:
    """Return weights by name, of 32 bits; raise ``KeyError`` for a table without its scales."""
    found: dict[str, Tensor] = {}
    for name, numbers in stored.items():
        if name.endswith(SCALES):
            continue
        whole = numbers.astype(np.float32)
        if numbers.dtype == np.int8:
            whole *= stored[name + SCALES].astype(np.float32)
        found[name] = torch.from_numpy(whole)
    return found
