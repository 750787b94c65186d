"""Pure: what the network reads of several texts, one after another."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import numpy as np

from services.privacy.tagger.alphabet import Encoded, Numbers
from services.privacy.tagger.pieces import Pieces, without_repeats

Item = TypeVar("Item")


def together(encoded: Sequence[Encoded]) -> Encoded:
    """Return texts, one or more, as one; a stretch of pieces that comes again is read once."""
    whole = encoded[0] if len(encoded) == 1 else _joined(encoded)
    return whole._replace(pieces=without_repeats(whole.pieces))


def _joined(encoded: Sequence[Encoded]) -> Encoded:
    chars, words, hints, rows, kinds = (
        np.concatenate(parts) for parts in zip(*(one[:5] for one in encoded), strict=True)
    )
    stretches = [stretch for one in encoded for stretch in one.pieces.stretches]
    pieces = Pieces(stretches, np.concatenate(list(_places(encoded))))
    return Encoded(chars, words, hints, rows, kinds, pieces)


def _places(encoded: Sequence[Encoded]) -> Iterator[Numbers]:
    """Yield which piece of those of all texts each character stands in."""
    before = 0
    for one in encoded:
        at = one.pieces.at
        yield np.where(at > 0, at + before, 0).astype(np.int32)
        before += sum(map(len, one.pieces.stretches))


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
