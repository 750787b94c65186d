"""One partition's work: batches in order, each done only when all its outputs are confirmed."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from plumbing import log
from plumbing import stream_metrics as metrics
from plumbing.errors import MalformedEvent, Unavailable
from plumbing.event_log import Output
from plumbing.stage import Handled, Subscription
from plumbing.stream_batch import Fetched, Tally, decode, rejection, size_of, tally
from plumbing.stream_crash import Piece, Place
from plumbing.stream_pace import Pace
from plumbing.stream_stage import SourcePaused, Stage

IDLE_S = 1.0

_log = log.get("stream")


class PartitionRunner:
    """A FIFO of fetched records, bounded in bytes, and the task that works it off.

    ``next_offset`` is last + 1 of what is done: all that may be committed.
    """

    def __init__(
        self,
        subscription: Subscription[Any],
        partition: int,
        stage: Stage,
        next_offset: int,
        on_crash: Callable[[Place, BaseException], None],
    ) -> None:
        """Start the task."""
        self.place = Place(subscription.topic.name, partition)
        self.next_offset = next_offset
        self.committed = next_offset
        self.paused = False
        self.retrying = False
        self.last_ms: int | None = None
        self._subscription = subscription
        self._stage = stage
        self._pace = Pace(stage.settings.batch_size_max, stage.settings.batch_busy_s_max)
        self._on_crash = on_crash
        self._waiting: deque[Sequence[Fetched]] = deque()
        self._buffered = 0
        self._full = False
        self._arrival = asyncio.Event()
        self._stopping = False
        self._working = False
        self._oldest_ms: int | None = None
        self._task = asyncio.create_task(self._run())

    @property
    def buffered_bytes(self) -> int:
        """Return the bytes fetched and not yet done."""
        return self._buffered

    @property
    def wants_records(self) -> bool:
        """Return whether to fetch more: until full, then again from half empty."""
        limit = self._stage.settings.buffered_bytes_max
        self._full = self._buffered >= (limit // 2 if self._full else limit)
        return not (self._full or self._stopping or self.paused)

    @property
    def oldest_ms(self) -> int | None:
        """Return the timestamp of the oldest record in hand or waiting."""
        if self._oldest_ms is not None:
            return self._oldest_ms
        return self._waiting[0][0].timestamp if self._waiting else None

    def push(self, records: Sequence[Fetched]) -> None:
        """Take fetched records, which follow those pushed before."""
        self._waiting.append(records)
        self._buffered += size_of(records)
        self._arrival.set()

    def pass_over(self, position: int) -> None:
        """With nothing in hand, take what lies before ``position`` as done: no records, but the
        marks that transactions leave behind theirs.
        """
        if not (self._waiting or self._working or self._stopping or self.paused):
            self.next_offset = max(self.next_offset, position)

    async def stop(self, timeout_s: float) -> None:
        """Finish the batch in hand, drop what waits; a batch that takes longer is given up."""
        self._stopping = True
        self._arrival.set()
        if self._working and not self.retrying:
            await asyncio.wait({self._task}, timeout=timeout_s)
        self._task.cancel()
        await asyncio.wait({self._task})

    async def _run(self) -> None:
        try:
            while not self._stopping:
                records = self._take()
                if records:
                    await self._work(records)
                else:
                    await self._rest()
        except SourcePaused:
            self._pause()
        except Exception as error:  # noqa: BLE001 - any other error stops the process
            self._on_crash(self.place, error)

    def _take(self) -> list[Fetched]:
        """Return the next batch: what waits, as much of it as is taken at once."""
        size_max = self._pace.size
        batch: list[Fetched] = []
        while self._waiting and len(batch) < size_max:
            records = self._waiting.popleft()
            room = size_max - len(batch)
            if len(records) > room:
                self._waiting.appendleft(records[room:])
            batch.extend(records[:room])
        if not self._waiting:
            self._arrival.clear()
        return batch

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(IDLE_S):
                await self._arrival.wait()
        except TimeoutError:
            metrics.LAST_PROGRESS.labels(self.place.topic).set(self._stage.clock.now_ms() / 1000)
            if self._subscription.idle is not None:
                await self._idle()

    async def _idle(self) -> None:
        idle = self._subscription.idle
        if idle is not None:
            try:
                await idle(self.place.partition, self.next_offset)
            except Unavailable as error:  # it is called again in a second
                _log.warning("idle work unavailable", topic=self.place.topic, error=error)

    async def _work(self, records: list[Fetched]) -> None:
        self._working = True
        began_s = self._stage.clock.monotonic_s()
        metrics.BATCH_RECORDS.labels(self.place.topic).observe(len(records))
        for piece in self._stage.ledger.pieces(self.place, [r.offset for r in records]):
            part = records[piece.start : piece.stop]
            self._oldest_ms = part[0].timestamp
            await self._until_done(part, piece)
            self._done(part)
            if self._stopping:
                break
        self._oldest_ms = None
        self._working = False
        took_s = self._stage.clock.monotonic_s() - began_s
        metrics.HANDLE_SECONDS.labels(self.place.topic).observe(took_s)

    async def _until_done(self, records: Sequence[Fetched], piece: Piece | None = None) -> None:
        """Handle the same records again until nothing is unavailable."""
        settings = self._stage.settings
        wait_s = settings.retry_first_s
        while True:
            try:
                await self._attempt(records, piece)
            except Unavailable as error:
                self.retrying = True
                metrics.RETRIES.labels(self.place.topic).inc()
                _log.warning("batch retried", **self._where(records), error=error)
                await asyncio.sleep(wait_s)
                wait_s = min(2 * wait_s, settings.retry_max_s)
            else:
                self.retrying = False
                return

    async def _attempt(self, records: Sequence[Fetched], piece: Piece | None) -> None:
        if piece is not None and piece.quarantined:
            refused = {records[0].offset: "crashed"}
            counts = tally(records, refused, self.place.partition)
            await self._settle(records, Handled(), refused, counts, piece.attempts)
            metrics.QUARANTINED.labels(self.place.topic).inc()
            return
        first, last = records[0].offset, records[-1].offset
        try:
            ran = partial(self._pace.took, len(records))
            await self._stage.carry(self._handle(records), self.place, first, last, ran)
        except (Unavailable, SourcePaused, asyncio.CancelledError):
            raise
        except Exception:
            self._stage.ledger.blame(self.place, first, last)
            raise

    async def _handle(self, records: Sequence[Fetched]) -> None:
        paused = self._stage.limit.paused
        found = decode(self._subscription.topic, self.place.partition, records, paused)
        try:
            handled = Handled()
            if found.batch.arrived:
                handled = await self._subscription.handle(found.batch)
            await self._finish(records, handled, found.left_out)
        except MalformedEvent as error:
            if len(records) > 1:  # one of them: find it by handling each alone
                for record in records:
                    await self._handle([record])
                return
            await self._finish(records, Handled(), {records[0].offset: error.code})

    async def _finish(
        self, records: Sequence[Fetched], handled: Handled, left_out: Mapping[int, str]
    ) -> None:
        limit = self._stage.limit
        refused = {**left_out, **{one.offset: one.code for one in handled.refused}}
        uncounted = {one.offset for one in handled.refused if not one.counted}
        counts = tally(records, refused, self.place.partition, uncounted)
        if beyond := limit.exceeded(counts.seen, counts.bad):
            payload_kept = self._subscription.topic.identified
            self._stage.pause(self.place, beyond, counts, payload_kept=payload_kept)
            await self._handle(records)  # again, without what the paused sources sent
            return
        await self._settle(records, handled, refused, counts)

    async def _settle(
        self,
        records: Sequence[Fetched],
        handled: Handled,
        refused: Mapping[int, str],
        counts: Tally,
        attempts: int = 1,
    ) -> None:
        """Write what was made of the records and what was refused of them, and count."""
        outputs = [*handled.outputs, *self._rejections(records, refused, attempts)]
        if outputs:
            await self._stage.writer.write(outputs)
        if handled.then is not None:
            await handled.then()
        self._stage.limit.count(counts.seen, counts.bad)
        for code in refused.values():
            metrics.RECORDS_REJECTED.labels(self.place.topic, code).inc()

    def _rejections(
        self, records: Sequence[Fetched], refused: Mapping[int, str], attempts: int
    ) -> list[Output]:
        topic, stage = self._subscription.topic, self._stage.settings.group
        return [
            rejection(topic, self.place.partition, stage, record, code, attempts)
            for record in records
            if (code := refused.get(record.offset)) is not None
        ]

    def _done(self, records: Sequence[Fetched]) -> None:
        last = records[-1].offset
        self.next_offset = last + 1
        self.last_ms = records[-1].timestamp
        self._buffered -= size_of(records)
        self._stage.ledger.passed(self.place, last)
        metrics.RECORDS_DONE.labels(self.place.topic).inc(len(records))
        metrics.LAST_PROGRESS.labels(self.place.topic).set(self._stage.clock.now_ms() / 1000)

    def _pause(self) -> None:
        """Hold the partition where it is; what was fetched is dropped, a restart fetches again."""
        self.paused = True
        self._working = False
        self._waiting.clear()
        self._buffered = 0
        metrics.PARTITIONS_PAUSED.labels(self.place.topic).inc()
        _log.error(
            "partition paused: refused too often",
            topic=self.place.topic,
            partition=self.place.partition,
            offset=self.next_offset,
        )

    def _where(self, records: Sequence[Fetched]) -> dict[str, Any]:
        return {
            "topic": self.place.topic,
            "partition": self.place.partition,
            "offset": records[0].offset,
            "count": len(records),
        }
