"""Faust's consumer with the hot path cut through: whole fetched batches, own acknowledgement.

Stock Faust races two tasks per record and commits past unfinished work (docs/decisions/0001).
Kept of it: the app's life, the consumer thread, the rebalance calls and the commit timer.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from aiokafka.errors import KafkaError
from faust.transport.base import Transport
from faust.transport.drivers import aiokafka as faust_driver
from faust.types import TP
from mode import Service
from typing_extensions import override

from plumbing import log
from plumbing import stream_metrics as metrics
from plumbing.stage import Subscription
from plumbing.stream_batch import Fetched
from plumbing.stream_crash import Place
from plumbing.stream_partition import PartitionRunner
from plumbing.stream_stage import Stage
from plumbing.stream_thread import StreamConsumerThread

FETCH_WAIT_S = 0.2
FETCH_SIZE_MAX = 2_000
# A fetch costs the broker and the client as much for one record as for many: after a small one,
# let some more gather.
FETCH_SMALL = 100
FETCH_SPACING_S = 0.02
RETRY_S = 0.5
MEASURE_S = 1.0

_log = log.get("stream")


class StreamConsumer(faust_driver.Consumer):
    """One member of the group: fetches for every assigned partition, commits what is done."""

    _thread: StreamConsumerThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Be made by the transport; ``app`` carries the stage and the subscriptions."""
        super().__init__(*args, **kwargs)
        self.stage: Stage = self.app.stage  # type: ignore[attr-defined] # the app is a StreamApp
        self.joined = False
        self._subscriptions: dict[str, Subscription[Any]] = {
            s.topic.name: s
            for s in self.app.subscriptions  # type: ignore[attr-defined] # the app is a StreamApp
        }
        self._runners: dict[TP, PartitionRunner] = {}
        self._epoch = 0
        self._fetching = asyncio.Lock()
        self._own_tasks: set[asyncio.Task[None]] = set()

    @property
    def ready(self) -> bool:
        """Return whether the member has its partitions and none of them waits for a repair."""
        return self.joined and not any(runner.retrying for runner in self._runners.values())

    # --- life, called by mode ---

    async def on_started(self) -> None:
        """Join the group."""
        await self.subscribe(self._subscriptions)
        self._spawn(self._fetch_for_ever())
        self._spawn(self._measure_for_ever())

    async def on_stop(self) -> None:
        """Drain: fetch no more, finish the batches in hand, commit them."""
        self._epoch += 1
        for task in tuple(self._own_tasks):
            task.cancel()
        await asyncio.gather(*self._own_tasks, return_exceptions=True)
        await self._release(set(self._runners), self.stage.settings.drain_timeout_s)

    def _new_consumer_thread(self) -> StreamConsumerThread:
        return StreamConsumerThread(self, loop=self.loop, beacon=self.beacon)

    @Service.task
    async def _commit_livelock_detector(self) -> None:
        """Replace Faust's, which reads its own acknowledgements; ours is LAST_PROGRESS."""

    # --- the group's changes ---

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Finish what is in hand, commit it and let the partitions go."""
        self._epoch += 1
        self.joined = False
        # Another member starts from what is committed, so half of its patience is ours.
        await self._release(revoked, self.stage.settings.drain_timeout_s / 2)

    @override
    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Begin with the partitions once the group's change is over."""
        self._epoch += 1
        self._spawn(self._begin(self._epoch))

    async def _begin(self, epoch: int) -> None:
        """Start a runner per partition, from the committed offset.

        A fetch that was under way during the change may have taken records of the new assignment
        and moved its position; its records are dropped, so the position is moved back.
        """
        async with self._fetching:
            positions = await self._rewind(epoch)
            if epoch != self._epoch:
                return
            self.stage.ledger.assigned = frozenset(Place(*place) for place in positions)
            for place, offset in positions.items():
                self._runners[place] = PartitionRunner(
                    self._subscriptions[place.topic],
                    place.partition,
                    self.stage,
                    offset,
                    self.app.on_batch_crashed,  # type: ignore[attr-defined] # a StreamApp
                )
            self.joined = True
        self._count_assigned()
        _log.info("partitions assigned", group=self.stage.settings.group, count=len(positions))

    async def _rewind(self, epoch: int) -> dict[TP, int]:
        while epoch == self._epoch:
            try:
                return await self._thread.rewind()
            except KafkaError as error:
                _log.warning("positions unknown", error=error)
                await asyncio.sleep(RETRY_S)
        return {}

    async def _release(self, places: set[TP], timeout_s: float) -> None:
        runners = {place: self._runners[place] for place in places if place in self._runners}
        await asyncio.gather(*(runner.stop(timeout_s) for runner in runners.values()))
        await self.force_commit()
        for place, runner in runners.items():
            if self._runners.pop(place, None) is None:  # the other of two overlapping calls did it
                continue
            if runner.paused:
                metrics.PARTITIONS_PAUSED.labels(place.topic).dec()
        self._count_assigned()

    # --- fetching ---

    async def _fetch_for_ever(self) -> None:
        while True:
            async with self._fetching:
                epoch = self._epoch
                wanted = {p for p, runner in self._runners.items() if runner.wants_records}
                if wanted and self.joined:
                    fetched = await self._fetch(wanted)
                    if epoch == self._epoch:
                        self._hand_out(fetched)
                    if 0 < sum(map(len, fetched.values())) < FETCH_SMALL:
                        await asyncio.sleep(FETCH_SPACING_S)
                    continue
            await asyncio.sleep(FETCH_WAIT_S / 10)

    async def _fetch(self, wanted: set[TP]) -> dict[TP, Sequence[Fetched]]:
        try:
            found = await self._thread.fetch(wanted, FETCH_WAIT_S, FETCH_SIZE_MAX)
        except KafkaError as error:
            if not error.retriable:
                raise
            _log.warning("fetch failed", error=error)
            await asyncio.sleep(RETRY_S)
            return {}
        return {TP(place.topic, place.partition): records for place, records in found.items()}

    def _hand_out(self, fetched: dict[TP, Sequence[Fetched]]) -> None:
        for place, records in fetched.items():
            self._runners[place].push(records)
        metrics.BUFFERED_BYTES.set(sum(r.buffered_bytes for r in self._runners.values()))

    # --- acknowledgement: only what the runners have done ---

    def _new_offset(self, tp: TP) -> int | None:
        runner = self._runners.get(tp)
        if runner is None or runner.next_offset == runner.committed:
            return None
        return runner.next_offset

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Do nothing: a hole in the offsets is no acknowledgement of what is before it."""

    @override
    async def force_commit(self, topics: object = None, start_new_transaction: bool = True) -> bool:
        """Commit last + 1 of what is done, in every partition where that moved."""
        offsets = {tp: at for tp in self._runners if (at := self._new_offset(tp)) is not None}
        if not offsets or not await self._commit(offsets):
            return False
        for place, offset in offsets.items():
            if place in self._runners:
                self._runners[place].committed = offset
        return True

    # --- measuring ---

    async def _measure_for_ever(self) -> None:
        while True:
            await self._pass_over_marks()
            for topic in self._subscriptions:
                self._measure(topic)
            await asyncio.sleep(MEASURE_S)

    async def _pass_over_marks(self) -> None:
        """Else a partition written in transactions never counts as caught up."""
        async with self._fetching:  # no fetch is under way, all that was fetched is handed out
            epoch = self._epoch
            try:
                positions = await self._thread.positions() if self.joined else {}
            except (KafkaError, TimeoutError):
                return  # a change of the group, or no broker: next time
            if epoch == self._epoch:
                for place, position in positions.items():
                    if place in self._runners:
                        self._runners[place].pass_over(position)

    def _measure(self, topic: str) -> None:
        now_ms = self.stage.clock.now_ms()
        records, oldest_ms = 0, now_ms
        for place, runner in self._runners.items():
            if place.topic == topic:
                behind, since_ms = self._lag(place, runner, now_ms)
                records, oldest_ms = records + behind, min(oldest_ms, since_ms)
        metrics.LAG_RECORDS.labels(topic).set(records)
        metrics.LAG_SECONDS.labels(topic).set((now_ms - oldest_ms) / 1000)

    def _lag(self, place: TP, runner: PartitionRunner, now_ms: int) -> tuple[int, int]:
        """Return the records not yet done and the time of the oldest of them."""
        end: int | None = None
        with contextlib.suppress(Exception):  # just revoked: the client forgot it already
            end = self.highwater(place)
        behind = max(0, (end or 0) - runner.next_offset)
        return behind, (runner.oldest_ms or runner.last_ms or now_ms) if behind else now_ms

    def _count_assigned(self) -> None:
        for topic in self._subscriptions:
            count = sum(place.topic == topic for place in self._runners)
            metrics.PARTITIONS_ASSIGNED.labels(topic).set(count)

    def _spawn(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._own_tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._own_tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.app.on_failure(error)  # type: ignore[attr-defined] # the app is a StreamApp


class StreamTransport(Transport):
    """Faust's transport with our consumer."""

    Consumer: ClassVar[type[StreamConsumer]] = StreamConsumer
    Producer = faust_driver.Producer
    default_port = 9092
    driver_version = "aiokafka"

    def topics(self) -> Iterable[str]:
        """Return nothing: topics are made by deployment, never here."""
        return ()
