"""Which data key seals the events now: a new one each hour, wrapped to privacy's key of the day."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from plumbing.clock import utc_date
from plumbing.errors import Unavailable
from plumbing.sealing import KEY_BYTES, Sealer

HOUR_MS = 3_600_000
DAYS_BACK_MAX = 2
RECHECK_MS = 1_000


class Sealers:
    """Hands out the sealer in force. ``folder`` has ``<UTC date>.pub`` files (32 bytes as hex)."""

    def __init__(self, folder: Path, random_bytes: Callable[[int], bytes]) -> None:
        """Keep where the public keys are; nothing is read yet."""
        self._folder = folder
        self._random_bytes = random_bytes
        self._sealer: Sealer | None = None
        self._key_day = ""
        self._hour = -1
        self._checked_ms = -RECHECK_MS

    def current(self, now_ms: int) -> tuple[Sealer, str]:
        """Return the sealer and the day of its public key.

        Raises ``Unavailable`` when there is no public key of today or of the two days before.
        """
        hour = now_ms // HOUR_MS
        if self._sealer is None or hour != self._hour:
            if now_ms - self._checked_ms >= RECHECK_MS or hour != self._hour:
                self._checked_ms = now_ms
                self._hour = hour
                self._sealer = None
                self._renew(now_ms)
            if self._sealer is None:
                raise Unavailable("no public sealing key")
        return self._sealer, self._key_day

    def ready(self, now_ms: int) -> bool:
        """Return whether events can be sealed."""
        try:
            self.current(now_ms)
        except Unavailable:
            return False
        return True

    def _renew(self, now_ms: int) -> None:
        today = utc_date(now_ms)
        for back in range(DAYS_BACK_MAX + 1):
            day = (today - timedelta(days=back)).isoformat()
            public = read_key(self._folder / f"{day}.pub")
            if public is not None:
                self._sealer = Sealer(public, self._random_bytes)
                self._key_day = day
                return


def read_key(path: Path) -> bytes | None:
    """Return the 32 bytes that stand as hex in a key file, or None when they do not."""
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        return None
    return key if len(key) == KEY_BYTES else None
