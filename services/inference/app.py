"""The composition root of inference: the one place that knows all its parts."""

import asyncio
import contextlib
import os
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial

import torch
from redis import Redis as BlockingRedis
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from contracts.deidentified import DEIDENTIFIED, DeidentifiedEvent
from contracts.merged import MERGED
from plumbing import log
from plumbing.clock import Clock
from plumbing.errors import Unavailable
from plumbing.event_log import EventReader, EventWriter
from plumbing.health import HealthServer
from plumbing.partition import partition_of
from plumbing.stage import Subscription
from plumbing.stream import build_stream_app, run_stream
from services.inference.assess import Rules
from services.inference.judge import Judge
from services.inference.keeper import Keeper, SnapshotEvery
from services.inference.links import LinkTable
from services.inference.model import ModelLoader
from services.inference.people import People
from services.inference.promotions import Promotions
from services.inference.registry import ModelRegistry, trusted_keys
from services.inference.replay import GROUP, Replayer
from services.inference.results import ResultCache
from services.inference.scorer import BatchLimits, Scorer
from services.inference.scores.tables import load_tables
from services.inference.settings import InferenceSettings
from services.inference.state_cache import StateCache
from services.inference.state_store import StateStore
from services.inference.weight_cache import RedisWeightCache
from services.inference.worker import Rim, Worker

REDIS_PROBE_S = 1.0
TOPICS_PROBE_S = 1.0
_log = log.get("inference")


class Inference:
    """The running service, but for the stream that feeds it ``subscription``.

    ``failed`` is set with an error that nobody expected.
    """

    def __init__(
        self,
        settings: InferenceSettings,
        writer: EventWriter,
        reader: EventReader,
        loader: ModelLoader,
        clock: Clock,
        partition_count: int,
    ) -> None:
        """Wire the parts; ``partition_count`` is that of ``clinical.deidentified.v1``."""
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.redis_answers = False
        self._reader = reader
        self._redis = redis_client(settings)
        self._links_read = asyncio.Event()
        of_token = partial(_partition_of_token, partition_count)
        self._links = LinkTable(of_token)
        self.device = device = choose_device(settings.device)
        self._scorer = Scorer(_limits(settings), clock)
        self._promotions = Promotions(reader, loader, device, clock)
        store = StateStore(self._redis)
        judge = Judge(
            Rules(load_tables(settings.scores_dir), settings.vitals_window_s * 1000),
            self._promotions,
            self._scorer,
            ResultCache(self._redis, settings.results_ttl_s, random.random),
            device,
        )
        keeper = Keeper(
            store,
            Replayer(reader, store),
            writer,
            StateCache(settings.state_cache_bytes_max),
            clock,
            SnapshotEvery(seconds=settings.snapshot_s, events=settings.snapshot_events),
        )
        rim = Rim(
            writer=writer,
            clock=clock,
            random_bytes=os.urandom,
            partition_of=of_token,
            require_ready=self._require_read,
        )
        people = People(self._links, store, judge, of_token, os.urandom)
        worker = Worker(keeper, store, judge, self._links, people, rim)
        self.subscription: Subscription[DeidentifiedEvent] = Subscription(
            topic=DEIDENTIFIED, handle=worker.handle, idle=worker.idle
        )
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def checks(self) -> dict[str, Callable[[], bool]]:
        """Return the readiness checks."""
        return {
            "redis": lambda: self.redis_answers,
            "models": lambda: self.models_ready,
            "links": lambda: self.links_ready,
        }

    @property
    def models_ready(self) -> bool:
        """Return false while promotions are read, or when no promoted model could be verified."""
        return self._promotions.ready

    @property
    def links_ready(self) -> bool:
        """Return whether the identity links are read."""
        return self._links_read.is_set()

    async def read_all(self) -> None:
        """Wait until links and promotions are read."""
        await self._links_read.wait()
        await self._promotions.caught_up.wait()

    def start(self) -> None:
        """Begin to read links and promotions, to watch Redis and to run the models."""
        self._scorer.start()
        for work in (self._follow_links(), self._promotions.follow(), self._watch_redis()):
            task = asyncio.create_task(work)
            task.add_done_callback(self._ended)
            self._tasks.append(task)

    async def close(self) -> None:
        """Stop; the stream has drained before."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._scorer.close()
        await self._redis.aclose()

    def _require_read(self) -> None:
        if not (self.links_ready and self._promotions.caught_up.is_set()):
            raise Unavailable("links or promotions are not read yet")

    async def _follow_links(self) -> None:
        async for records in self._reader.tail(MERGED.name):
            for record in records:
                if record.value is not None:
                    said = MERGED.decode(record.value)
                    self._links.read(said, record.partition, record.offset)
                elif record.key is not None:
                    self._links.forget(record.key.decode(), record.partition, record.offset)
            if not records and not self.links_ready:
                self._links.begin()
                self._links_read.set()

    async def _watch_redis(self) -> None:
        while True:
            try:
                await self._redis.get("inf:probe")
                self.redis_answers = True
            except (RedisError, OSError) as error:
                self.redis_answers = False
                _log.warning("redis does not answer", error=error)
            await asyncio.sleep(REDIS_PROBE_S)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and task.exception() is not None and not self.failed.done():
            self.failed.set_exception(task.exception() or RuntimeError())


@asynccontextmanager
async def running(
    settings: InferenceSettings,
    writer: EventWriter,
    reader: EventReader,
    loader: ModelLoader,
    clock: Clock,
) -> AsyncIterator[Inference]:
    """Start the service, yield it, and close it at the end; the topics are there."""
    partition_count = len(await reader.partitions(DEIDENTIFIED.name))
    service = Inference(settings, writer, reader, loader, clock, partition_count)
    service.start()
    try:
        yield service
    finally:
        await service.close()
        service.failed.cancel()


async def serve(
    settings: InferenceSettings,
    writer: EventWriter,
    reader: EventReader,
    loader: ModelLoader,
    clock: Clock,
    stop: asyncio.Event,
) -> None:
    """Run health, service and stream until ``stop`` is set, then drain.

    Raises ``StreamCrashed`` after an unexpected error, and what nobody expected as it is.
    """
    health: dict[str, Callable[[], bool]] = {"kafka": lambda: False}
    server = HealthServer(settings.health_port, health, settings.health_host)
    await server.start()
    try:
        if not await _topics_there(reader, stop):
            return
        async with running(settings, writer, reader, loader, clock) as service:
            stream = build_stream_app(settings.stream(GROUP), [service.subscription], writer, clock)
            health |= {"kafka": lambda: stream.ready} | service.checks
            _log.info("Serving", port=server.port, device=service.device)
            await _until_stopped(run_stream(stream, stop), service.failed, stop)
    finally:
        await server.close()


def registry_of(settings: InferenceSettings) -> ModelRegistry:
    """Return the models of ``models_dir``: signed by this site's key or by the project's."""
    trusted = trusted_keys(
        [settings.keys_dir / "models" / "signing.pub", settings.models_dir / "release.pub"]
    )
    client = BlockingRedis.from_url(
        settings.redis_url,
        socket_timeout=settings.redis_timeout_s,
        socket_connect_timeout=settings.redis_timeout_s,
    )
    return ModelRegistry(settings.models_dir, trusted, RedisWeightCache(client))


async def _until_stopped(
    streaming: Coroutine[None, None, None], failed: "asyncio.Future[None]", stop: asyncio.Event
) -> None:
    task = asyncio.ensure_future(streaming)
    waited: set[asyncio.Future[None]] = {task, failed}
    await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    await task
    if failed.done():
        failed.result()


def redis_client(settings: InferenceSettings) -> "Redis":
    """Return a client that gives bytes and fails fast: the stream does the retrying."""
    return Redis.from_url(
        settings.redis_url,
        socket_timeout=settings.redis_timeout_s,
        socket_connect_timeout=settings.redis_timeout_s,
        retry=Retry(NoBackoff(), 0),
    )


def choose_device(wanted: str) -> str:
    """Return ``cuda`` or ``cpu``; torch computes in one thread, the one that runs the models."""
    torch.set_num_threads(1)
    if wanted != "auto":
        return wanted
    return "cuda" if torch.cuda.is_available() else "cpu"


async def _topics_there(reader: EventReader, stop: asyncio.Event) -> bool:
    """Wait for the topics; return false when told to stop before."""
    while not stop.is_set():
        try:
            await reader.partitions(DEIDENTIFIED.name)
        except Unavailable as error:
            _log.warning("topics are not there yet", topic=DEIDENTIFIED.name, error=error)
        else:
            return True
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), TOPICS_PROBE_S)
    return False


def _partition_of_token(count: int, token: str) -> int:
    return partition_of(token.encode(), count)


def _limits(settings: InferenceSettings) -> BatchLimits:
    return BatchLimits(
        rows_max=settings.batch_rows_max,
        bytes_max=settings.batch_bytes_max,
        wait_s=settings.batch_wait_s,
    )
