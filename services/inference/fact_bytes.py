"""The bytes of a fact as a digest of inputs takes them, kept for the facts that are used again.

A patient's facts are the same objects from event to event; encoding all of them each time was a
quarter of the service's work. Kept by identity, with the fact itself, so that no other can have
its place; all are let go when they are too many.
"""

from collections.abc import Sequence
from operator import attrgetter

import msgspec

from services.inference.view import Fact

KEPT_MAX = 200_000
_content = attrgetter("event_id", "index", "parameter", "value", "at_ms", "flagged")
_encode = msgspec.msgpack.Encoder().encode


class FactBytes:
    """Encodes facts. No offset is in what it gives: it is the same wherever an event landed."""

    def __init__(self, kept_max: int = KEPT_MAX) -> None:
        """Keep none."""
        self._kept_max = kept_max
        self._kept: dict[int, tuple[Fact, bytes]] = {}

    def of(self, facts: Sequence[Fact]) -> bytes:
        """Return the bytes of all, in order (each delimits itself)."""
        kept = self._kept
        if len(kept) > self._kept_max:
            kept.clear()
        found = []
        for fact in facts:
            known = kept.get(id(fact))
            if known is None:
                known = kept[id(fact)] = (fact, _encode(_content(fact)))
            found.append(known[1])
        return b"".join(found)
