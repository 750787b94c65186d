"""What the partitions of one stream app share: settings, writer, crash ledger, refusals."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from plumbing import log
from plumbing import stream_metrics as metrics
from plumbing.clock import Clock
from plumbing.event_log import EventWriter
from plumbing.in_hand import Carried, InHand
from plumbing.reject_limit import RejectLimit
from plumbing.stream_batch import Tally
from plumbing.stream_crash import CrashLedger, Place
from plumbing.stream_settings import StreamSettings

_log = log.get("stream")


class SourcePaused(Exception):
    """Records are refused too often and cannot be set aside: the partition waits for a person."""


@dataclass(kw_only=True)
class Stage:
    """What the partitions of one stream app share."""

    settings: StreamSettings
    writer: EventWriter
    clock: Clock
    ledger: CrashLedger
    limit: RejectLimit
    alone: asyncio.Lock = field(default_factory=asyncio.Lock)
    _in_hand: int = field(default=0, init=False)

    async def carry(
        self,
        work: Coroutine[Any, Any, None],
        place: Place,
        first: int,
        last: int,
        ran: Callable[[float], None],
    ) -> None:
        """Do the work of a batch, marked as in hand while its code runs.

        ``ran`` is told, however it ended, for how many seconds it ran, times the batches in hand:
        about as long is each of them kept waiting. With suspects about, one batch at a time.
        """
        turn = self.alone if self.ledger.suspicious else contextlib.nullcontext()
        async with turn:
            take = partial(self.ledger.take, place, first, last)
            put_down = partial(self.ledger.put_down, place)
            hand = InHand(take, put_down, self.clock.monotonic_s)
            self._in_hand += 1
            try:
                await Carried(work, hand)
            finally:
                ran(hand.busy_s * self._in_hand)
                self._in_hand -= 1

    def pause(self, place: Place, beyond: set[str], found: Tally, *, payload_kept: bool) -> None:
        """Have the records of the sources ``beyond`` the limit set aside from now on.

        Raises ``SourcePaused`` where that would lose them (their rejected topic keeps no payload)
        or where a record does not say who sent it.
        """
        if not payload_kept or not beyond <= found.named or not self.limit.pause(beyond):
            raise SourcePaused
        metrics.SOURCES_PAUSED.set(len(self.limit.paused))
        for source in sorted(beyond):
            _log.error(
                "source paused: refused too often",
                topic=place.topic,
                partition=place.partition,
                source=source,
                count=found.bad[source],
            )
