"""Whether more may be read: bounded bytes between the sockets and Kafka, and Kafka is there."""

from collections.abc import Callable

from services.ingest.metrics import IN_FLIGHT_BYTES


class Gate:
    """Open while less than ``bytes_max`` is in flight and nobody has shut it."""

    def __init__(self, bytes_max: int) -> None:
        """Start open."""
        self._bytes_max = bytes_max
        self._bytes = 0
        self._shut = False
        self._waiting: dict[Callable[[], None], None] = {}
        IN_FLIGHT_BYTES.set_function(lambda: self._bytes)

    @property
    def is_open(self) -> bool:
        """Whether more may be read."""
        return not self._shut and self._bytes < self._bytes_max

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
        """Call ``wake`` once, when the gate is open again."""
        self._waiting[wake] = None

    def _wake(self) -> None:
        if self._waiting and self.is_open:
            waiting, self._waiting = self._waiting, {}
            for wake in waiting:
                wake()
