"""The consumer client in a thread of its own, so that a busy loop never misses a heartbeat."""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

import aiokafka
import aiokafka.abc
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import KafkaConnectionError, KafkaError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.transport.consumer import ensure_TPset
from faust.transport.drivers import aiokafka as faust_driver
from faust.types import TP
from mode.utils.futures import maybe_async
from typing_extensions import override

from plumbing import log
from plumbing import stream_metrics as metrics
from plumbing.stream_settings import StreamSettings

RECONNECT_S = 1.0
POSITIONS_S = 1.0
POLL_INTERVAL_MAX_MS = 2**31 - 1  # a batch may wait for Redis as long as it takes
REBALANCE_TIMEOUT_MS = 30_000

EXPULSIONS_MAX = 3
EXPULSIONS_WITHIN_S = 60.0

_log = log.get("stream")


class InstanceIdTaken(Exception):
    """Another live member has our ``instance_id``: each would throw the other out for ever."""


class _Listener(aiokafka.abc.ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka is untyped
    """Hands the group's changes from the consumer's thread to the app's loop, and waits."""

    def __init__(self, thread: "StreamConsumerThread") -> None:
        self._thread = thread

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        await self._thread.in_parent(self._thread.consumer.on_partitions_revoked, revoked)

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self._thread.note_membership()
        await self._thread.in_parent(self._thread.consumer.on_partitions_assigned, assigned)


class StreamConsumerThread(faust_driver.AIOKafkaConsumerThread):
    """Faust's consumer thread with our limits, direct calls and commits that may fail."""

    def __post_init__(self) -> None:
        """Be told of the group's changes directly."""
        super().__post_init__()
        self._rebalance_listener = _Listener(self)
        self._member_id = ""
        self._expelled_at_s: deque[float] = deque(maxlen=EXPULSIONS_MAX)

    @property
    def settings(self) -> StreamSettings:
        """Return the app's settings."""
        settings: StreamSettings = self.app.stage.settings  # type: ignore[attr-defined] # our App
        return settings

    async def on_start(self) -> None:
        """Connect; wait as long as no broker answers."""
        while not self.should_stop:
            self._consumer = self._create_consumer(loop=self.thread_loop)
            try:
                await self._consumer.start()
            except KafkaConnectionError as error:
                _log.warning("no Kafka broker answers", error=error)
                await self._consumer.stop()
                self._consumer = None
                await self.sleep(RECONNECT_S)
            else:
                return

    def note_membership(self) -> None:
        """Stop the app when the group throws this member out again and again.

        A member keeps its id through every rebalance and loses it only when it is thrown out: once
        after a long pause, but each two seconds while another process has the same instance id.
        """
        member_id: str = self._ensure_consumer()._coordinator.member_id  # noqa: SLF001 - not told
        known, self._member_id = self._member_id, member_id
        if known in ("", member_id):
            return
        now_s = self.app.stage.clock.monotonic_s()  # type: ignore[attr-defined] # a StreamApp
        self._expelled_at_s.append(now_s)
        if (
            len(self._expelled_at_s) == EXPULSIONS_MAX
            and now_s - self._expelled_at_s[0] < EXPULSIONS_WITHIN_S
        ):
            fail = self.app.on_failure  # type: ignore[attr-defined] # the app is a StreamApp
            self.parent_loop.call_soon_threadsafe(fail, InstanceIdTaken())

    async def call_thread(self, fun: Any, *args: Any, **kwargs: Any) -> Any:
        """Run ``fun`` in the thread. mode's queue costs three tasks a call, this one."""

        async def call() -> Any:
            return await maybe_async(fun(*args, **kwargs))

        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(call(), self.thread_loop))

    async def in_parent(self, fun: Any, places: Iterable[TopicPartition]) -> None:
        """Run ``fun`` on the app's loop and wait for it, from the thread."""
        call = asyncio.run_coroutine_threadsafe(fun(ensure_TPset(places)), self.parent_loop)
        await asyncio.wrap_future(call)

    def on_crash(self, msg: str, *fmt: Any, **kwargs: Any) -> None:
        """Say nothing: the crash is logged once, by the app, without a traceback."""

    async def fetch(self, places: set[TP], timeout_s: float, size_max: int) -> Mapping[TP, Any]:
        """Return fetched records of ``places`` (not empty) per partition."""
        found: Mapping[TP, Any] = await self.call_thread(self._fetch, places, timeout_s, size_max)
        return found

    async def _fetch(self, places: set[TP], timeout_s: float, size_max: int) -> Mapping[TP, Any]:
        assigned = self._ensure_consumer().assignment()
        wanted = [TopicPartition(p.topic, p.partition) for p in places]
        if not all(place in assigned for place in wanted):
            return {}  # a rebalance has begun; the app's loop hears of it in a moment
        found: Mapping[TP, Any] = await self._ensure_consumer().getmany(
            *wanted, timeout_ms=int(timeout_s * 1000), max_records=size_max
        )
        return found

    async def positions(self) -> dict[TP, int]:
        """Return where the next fetch of each assigned partition begins."""
        found: dict[TP, int] = await self.call_thread(self._positions)
        return found

    async def _positions(self) -> dict[TP, int]:
        consumer = self._ensure_consumer()
        async with asyncio.timeout(POSITIONS_S):
            found = {place: await consumer.position(place) for place in consumer.assignment()}
        return {TP(place.topic, place.partition): at for place, at in found.items()}

    async def rewind(self) -> dict[TP, int]:
        """Seek every assigned partition to its committed offset; return where each stands now."""
        found: dict[TP, int] = await self.call_thread(self._rewind)
        return found

    async def _rewind(self) -> dict[TP, int]:
        consumer = self._ensure_consumer()
        for place in consumer.assignment():
            committed = await consumer.committed(place)
            if committed is None:
                await consumer.seek_to_beginning(place)
            else:
                consumer.seek(place, committed)
        positions = {place: await consumer.position(place) for place in consumer.assignment()}
        return {TP(place.topic, place.partition): at for place, at in positions.items()}

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        try:
            await self._ensure_consumer().commit(
                {
                    TopicPartition(place.topic, place.partition): OffsetAndMetadata(offset, "")
                    for place, offset in offsets.items()
                }
            )
        except KafkaError as error:  # tried again at the next tick; until then work is repeated
            metrics.COMMITS_FAILED.inc()
            _log.warning("commit failed", error=error, count=len(offsets))
            return False
        return True

    @override
    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        settings = self.settings
        context = settings.connection.ssl_context
        return aiokafka.AIOKafkaConsumer(
            client_id=settings.group,
            group_id=settings.group,
            group_instance_id=settings.instance_id or None,
            bootstrap_servers=settings.connection.bootstrap.split(","),
            security_protocol="PLAINTEXT" if context is None else "SSL",
            ssl_context=context,
            partition_assignment_strategy=[RoundRobinPartitionAssignor],
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            fetch_max_wait_ms=250,
            fetch_max_bytes=8 * settings.fetch_bytes_max,
            max_partition_fetch_bytes=settings.fetch_bytes_max,
            max_poll_interval_ms=POLL_INTERVAL_MAX_MS,
            rebalance_timeout_ms=REBALANCE_TIMEOUT_MS,
            session_timeout_ms=int(settings.session_timeout_s * 1000),
            heartbeat_interval_ms=int(settings.heartbeat_interval_s * 1000),
            request_timeout_ms=max(10_000, int(settings.session_timeout_s * 1500)),
            retry_backoff_ms=100,
        )
