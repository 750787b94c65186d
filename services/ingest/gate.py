"""Whether more may be read: bounded bytes between the sockets and Kafka, and Kafka is there.

Two sums are held to the bound: of the messages that wait for Kafka, and of these with all that was
received of messages which are not whole yet. At the second, reading stops but for the one whose
message began first, so that always one comes to its end.
"""

import asyncio
from collections.abc import Callable

from services.ingest.metrics import HALF_RECEIVED_BYTES, IN_FLIGHT_BYTES


class Gate:
    """Open while less than ``bytes_max`` is in flight and nobody has shut it."""

    def __init__(self, bytes_max: int) -> None:
        """Start open."""
        self._bytes_max = bytes_max
        self._bytes = 0
        self._held: dict[object, int] = {}  # in the order in which they began
        self._held_bytes = 0
        self._shut = False
        self._is_waking = False
        self._waiting: dict[Callable[[], None], None] = {}
        IN_FLIGHT_BYTES.set_function(lambda: self._bytes)
        HALF_RECEIVED_BYTES.set_function(lambda: self._held_bytes)

    @property
    def is_open(self) -> bool:
        """Whether a message may be taken."""
        return not self._shut and self._bytes < self._bytes_max

    @property
    def has_room(self) -> bool:
        """Whether anybody may read more."""
        return self.is_open and self._bytes + self._held_bytes < self._bytes_max

    def may_read(self, holder: object) -> bool:
        """Return whether ``holder`` may read more."""
        return self.has_room or (self.is_open and next(iter(self._held), None) is holder)

    def hold(self, holder: object, size: int) -> None:
        """Note that ``holder`` has received so many bytes that are no whole message; 0: none."""
        before = self._held.get(holder, 0)
        self._held_bytes += size - before
        if size:
            self._held[holder] = size
        else:
            self._held.pop(holder, None)
        if size < before and self._waiting and not self._is_waking:
            self._is_waking = True  # not at once: who is woken may hold less, too
            asyncio.get_running_loop().call_soon(self._wake_later)

    @property
    def is_shut(self) -> bool:
        """Whether Kafka was found away."""
        return self._shut

    def enter(self, size: int) -> None:
        """Count a message in."""
        self._bytes += size

    def leave(self, size: int) -> None:
        """Count it out."""
        self._bytes -= size
        self._wake()

    def shut(self) -> None:
        """Stop reading: Kafka does not confirm."""
        self._shut = True

    def open(self) -> None:
        """Read again."""
        self._shut = False
        self._wake()

    def when_open(self, wake: Callable[[], None]) -> None:
        """Call ``wake`` once, when the gate is open again or there may be room."""
        self._waiting[wake] = None

    def _wake_later(self) -> None:
        self._is_waking = False
        self._wake()

    def _wake(self) -> None:
        if self._waiting and self.is_open:
            waiting, self._waiting = self._waiting, {}
            for wake in waiting:
                wake()
