"""Back-pressure counted in bytes, first come, first served."""

import asyncio
from collections.abc import Sequence

from plumbing.errors import MalformedEvent
from plumbing.event_log import Output
from plumbing.kafka_metrics import BYTES_IN_HAND

RECORD_BYTES_MAX = 1_000_000  # Kafka's own default limit is 1,048,588 with its framing
RECORD_OVERHEAD_BYTES = 64


class ByteGate:
    """Lets work in until ``bytes_max`` are in hand; the rest waits in the order it came."""

    def __init__(self, bytes_max: int) -> None:
        """Start empty."""
        self.in_hand = 0
        self._bytes_max = bytes_max
        self._order = asyncio.Lock()
        self._room = asyncio.Event()

    async def enter(self, size: int) -> None:
        """Wait for room. What is larger than the bound passes alone, or it would wait for ever."""
        async with self._order:
            while self.in_hand and self.in_hand + size > self._bytes_max:
                self._room.clear()
                await self._room.wait()
            self.in_hand += size
        BYTES_IN_HAND.set(self.in_hand)

    def leave(self, size: int) -> None:
        """Make room."""
        self.in_hand -= size
        BYTES_IN_HAND.set(self.in_hand)
        self._room.set()


def bytes_of(outputs: Sequence[Output]) -> int:
    """Return the size of ``outputs``; raise ``MalformedEvent`` when Kafka would not take one."""
    total = 0
    for output in outputs:
        size = _size(output)
        if size > RECORD_BYTES_MAX:
            raise MalformedEvent("too_large")
        total += size
    return total


def is_taken(output: Output) -> bool:
    """Return whether Kafka would take ``output``: who asks before can refuse it alone."""
    return _size(output) <= RECORD_BYTES_MAX


def _size(output: Output) -> int:
    size = RECORD_OVERHEAD_BYTES + len(output.key or b"") + len(output.value or b"")
    for name, value in output.headers:  # no generator: this is asked of every record
        size += len(name) + len(value)
    return size
