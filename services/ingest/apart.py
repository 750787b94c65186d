"""The bytes of large messages on their way to the topic of blobs, before what points there.

Sealing and encoding them takes tens of milliseconds, so a thread does it: the committer waits, the
event loop does not.
"""

import asyncio
from collections.abc import Sequence

from plumbing.clock import Clock
from plumbing.event_log import Place, Transactions
from services.ingest import metrics
from services.ingest.blobs import KEY_BYTES, blob_records, blob_ref, part_records, pointing
from services.ingest.parse import Parsed
from services.ingest.refusals import Refusals
from services.ingest.sealers import Sealers


class Apart:
    """Writes blobs. Raises ``Unavailable``; one too many is never pointed to."""

    def __init__(self, sealers: Sealers, transactions: Transactions, clock: Clock) -> None:
        """Keep the parts."""
        self._sealers, self._transactions, self._clock = sealers, transactions, clock

    async def message(self, parsed: Parsed) -> Parsed:
        """Write the bytes of a message; return it with pointers in their place."""
        sealer, key_day = self._sealers.current(self._clock.now_ms())
        records = await asyncio.to_thread(blob_records, parsed, sealer, key_day)
        places = await self._transactions.commit(records, _unchecked)
        metrics.BLOBS.inc()
        return await asyncio.to_thread(pointing, parsed, places)

    async def refused(self, refusals: Refusals) -> None:
        """Write the bytes of those refused messages that are large."""
        while (waiting := refusals.large()) is not None:
            sealer, key_day = self._sealers.current(self._clock.now_ms())
            name, raw = waiting.digest[:KEY_BYTES].hex(), waiting.raw
            given = (name, waiting.digest[:KEY_BYTES], raw, sealer, key_day)
            records = await asyncio.to_thread(part_records, *given)
            places = await self._transactions.commit(records, _unchecked)
            metrics.BLOBS.inc()
            refusals.put_apart(waiting, blob_ref(name, raw, places[0]))


async def _unchecked(_places: Sequence[Place]) -> None:
    """Blobs are nobody's to contest."""
