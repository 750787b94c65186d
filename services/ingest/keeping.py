"""Refused messages handed over to be kept, whatever their size."""

import asyncio
from collections.abc import Callable

from services.ingest.blobs import LARGE_BYTES
from services.ingest.doors import Door
from services.ingest.parse import Parsed
from services.ingest.refusals import Refusals


class Keeper:
    """Has refused messages written; ``wake`` tells who writes them."""

    def __init__(self, refusals: Refusals, wake: Callable[[], None]) -> None:
        """Keep the parts."""
        self._refusals, self._wake = refusals, wake

    def keep(
        self, parsed: Parsed, raw: bytes, door: Door, now_ms: int, *, is_head: bool = False
    ) -> None:
        """Have a message kept. ``is_head``: ``raw`` is only its beginning."""
        self._refusals.keep(parsed, raw, door.source.name, now_ms, is_head=is_head)
        self._wake()

    async def keep_aside(self, parsed: Parsed, raw: bytes, door: Door, now_ms: int) -> None:
        """As ``keep`` of one of any size: what tells it from others is a hash of all of it."""
        if len(raw) <= LARGE_BYTES:
            self.keep(parsed, raw, door, now_ms)
            return
        source = door.source.name
        digest = await asyncio.to_thread(self._refusals.digest, raw, source)
        self._refusals.keep(parsed, raw, source, now_ms, known=(digest, None))
        self._wake()
