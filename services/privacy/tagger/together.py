"""Pure: what the network reads of several texts, one after another."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from services.privacy.tagger.alphabet import Encoded
from services.privacy.tagger.pieces import Pieces, without_repeats

Item = TypeVar("Item")
Part = npt.NDArray[np.int32] | npt.NDArray[np.float32]


class Together(NamedTuple):
    """Texts with nothing between them for ``gap`` characters: where each lies, and all as one."""

    texts: list[slice]
    encoded: Encoded


def together(encoded: Sequence[Encoded], gap: int) -> Together:
    """Return texts, one or more, as one; a stretch of pieces that stands in two is read once."""
    texts: list[slice] = []
    begin = 0
    for one in encoded:
        texts.append(slice(begin, begin + len(one.chars)))
        begin += len(one.chars) + gap
    if len(encoded) == 1:
        (only,) = encoded
        return Together(texts, only._replace(pieces=without_repeats(only.pieces)))
    chars, words, hints, rows, kinds, at = (
        np.concatenate(list(_apart(parts, gap)))
        for parts in (
            *zip(*(one[:5] for one in encoded), strict=True),
            tuple(_from(encoded)),
        )
    )
    stretches = [stretch for one in encoded for stretch in one.pieces.stretches]
    pieces = without_repeats(Pieces(stretches, at))
    return Together(texts, Encoded(chars, words, hints, rows, kinds, pieces))


def _from(encoded: Sequence[Encoded]) -> Iterator[npt.NDArray[np.int32]]:
    """Yield which piece of those of all texts each character stands in."""
    before = 0
    for one in encoded:
        at = one.pieces.at
        yield np.where(at > 0, at + before, 0).astype(np.int32)
        before += sum(map(len, one.pieces.stretches))


def _apart(parts: Sequence[Part], gap: int) -> Iterator[Part]:
    nothing = np.zeros((gap, *parts[0].shape[1:]), dtype=parts[0].dtype)
    yield parts[0]
    for part in parts[1:]:
        yield nothing
        yield part


def groups(items: Iterable[Item], size: Callable[[Item], int], most: int) -> Iterator[list[Item]]:
    """Yield what follows one another in groups of at most this size, or of one."""
    group: list[Item] = []
    total = 0
    for item in items:
        more = size(item)
        if group and total + more > most:
            yield group
            group, total = [], 0
        group.append(item)
        total += more
    if group:
        yield group
