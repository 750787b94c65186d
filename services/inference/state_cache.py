"""Decoded states in memory, so that an unchanged state is not decoded again. Never a source: an
entry counts only while the bytes just read from Redis are those it was made from.
"""

from collections import OrderedDict

from services.inference import metrics
from services.inference.state import EMPTY, PatientState
from services.inference.state_codec import decode_state

_HITS = metrics.CACHE_REQUESTS.labels("state", "hit")
_MISSES = metrics.CACHE_REQUESTS.labels("state", "miss")


class StateCache:
    """The states used last, bounded by the bytes they were made from."""

    def __init__(self, bytes_max: int) -> None:
        """``bytes_max`` counts encoded bytes; decoded states take some ten times as much."""
        self._bytes_max = bytes_max
        self._bytes = 0
        self._held: OrderedDict[str, tuple[bytes, PatientState]] = OrderedDict()

    def decode(self, token: str, raw: bytes | None) -> PatientState:
        """Return the state in ``raw``; raise ``StateUnreadable`` when it is none."""
        if raw is None:
            return EMPTY
        held = self._held.get(token)
        if held is not None and held[0] == raw:
            self._held.move_to_end(token)
            _HITS.inc()
            return held[1]
        _MISSES.inc()
        return decode_state(raw)

    def drop(self, token: str) -> None:
        """Forget a state."""
        old = self._held.pop(token, None)
        self._bytes -= len(old[0]) if old else 0

    def keep(self, token: str, raw: bytes, state: PatientState) -> None:
        """Remember that ``raw`` is ``state``."""
        old = self._held.pop(token, None)
        self._bytes += len(raw) - (len(old[0]) if old else 0)
        self._held[token] = (raw, state)
        while self._bytes > self._bytes_max:
            _, (gone, _) = self._held.popitem(last=False)
            self._bytes -= len(gone)
