"""The sealing keys in time: a pair for each day, made a day ahead, destroyed when all has expired.

The clock is believed to destroy only when it has made keys for three days in a row (decision 0026).
A folder that cannot be written for a while stops nothing: what is sealed can still be opened, and
ingest seals with an older key for two days. It is logged, counted and alerted on
(``SealingKeyRotationFails``, ``SealingKeysRunOut``), and tried again.
"""

import asyncio
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from plumbing import log
from plumbing.clock import Clock, utc_date
from plumbing.key_files import KeyMissing, Random
from services.privacy import metrics
from services.privacy.key_files import destroy_day_keys, last_public_day, make_day_keys

DAYS_AHEAD = 2  # today's sealing key and tomorrow's
ROTATE_S = 30.0

_log = log.get("privacy")


class Rotation:
    """Makes and destroys the sealing pairs below ``folder``.

    Without ``makes_keys`` somebody else does both (``auscult keys rotate``): only how long the
    keys reach is told.
    """

    def __init__(
        self,
        folder: Path,
        retention_days: int,
        clock: Clock,
        random_bytes: Random,
        *,
        makes_keys: bool = True,
    ) -> None:
        """Keep the parts; no file is touched."""
        self._folder, self._retention_days = folder, retention_days
        self._clock, self._random_bytes = clock, random_bytes
        self._makes_keys = makes_keys

    def turn(self) -> bool:
        """Do what is due now; return whether all of it could be done."""
        today = utc_date(self._clock.now_ms())
        done = True
        try:
            if self._makes_keys:
                self._rotate(today)
        except (OSError, KeyMissing) as error:
            done = False
            metrics.ROTATION_FAILURES.inc()
            _log.error("Sealing keys cannot be rotated", error=error)
        metrics.SEALING_KEYS_UNTIL.set(_end_of(last_public_day(self._folder, today)))
        return done

    async def keep(self, every_s: float = ROTATE_S) -> None:
        """Do what is due, for ever."""
        while True:
            await asyncio.sleep(every_s)
            self.turn()

    def _rotate(self, today: date) -> None:
        for day in make_day_keys(self._folder, today, DAYS_AHEAD, self._random_bytes):
            _log.info("Sealing key made", key_day=day)
        for day in destroy_day_keys(self._folder, today, self._retention_days):
            _log.info("Sealing key destroyed", key_day=day)


def _end_of(day: date | None) -> float:
    """Return when the UTC day ends, in Unix time; 0 for no day."""
    if day is None:
        return 0.0
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return (midnight + timedelta(days=1)).timestamp()
