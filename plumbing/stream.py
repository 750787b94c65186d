"""A stream stage as a Faust app: decode, handle, write, confirm, commit.

``build_stream_app`` wires it, ``run_stream`` runs it in the caller's event loop until it is told
to stop (drains) or a batch raises an unexpected error (``StreamCrashed``: the process is to exit
with ``EXIT_CRASHED``, nothing of that batch committed). See docs/decisions/0001 to 0003.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

import faust
from faust.app.base import BootStrategy
from faust.types.transports import ConsumerT, TransportT
from mode import ServiceT

from plumbing import log
from plumbing import stream_metrics as metrics
from plumbing.clock import Clock, SystemClock
from plumbing.event_log import EventWriter
from plumbing.reject_limit import RejectLimit
from plumbing.stage import Subscription
from plumbing.stream_consumer import StreamConsumer, StreamTransport
from plumbing.stream_crash import CrashLedger, Place
from plumbing.stream_settings import StreamSettings
from plumbing.stream_stage import Stage

EXIT_CRASHED = 70  # EX_SOFTWARE of sysexits.h

_log = log.get("stream")


class StreamCrashed(Exception):
    """The stream cannot go on in this process; its cause is already logged."""


class _OnlyTheConsumer(BootStrategy):
    """No producer, web server, agents, tables or leader topic: the consumer does the work."""

    def server(self) -> Iterable[ServiceT]:
        """Return the services to start."""
        return [self.app.consumer]


class StreamApp(faust.App):
    """A Faust app whose transport hands over whole fetched batches."""

    BootStrategy = _OnlyTheConsumer

    def __init__(self, stage: Stage, subscriptions: Sequence[Subscription[Any]]) -> None:
        """Keep the parts; nothing is connected before ``run_stream``."""
        settings = stage.settings
        self.stage = stage
        self.subscriptions = tuple(subscriptions)
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        super().__init__(
            settings.group,
            broker=[f"kafka://{address}" for address in settings.connection.bootstrap.split(",")],
            broker_commit_interval=settings.commit_interval_s,
            topic_allow_declare=False,
            topic_disable_leader=True,
            web_enabled=False,
            autodiscover=False,
        )

    @property
    def ready(self) -> bool:
        """Return whether records flow: for the readiness check."""
        consumer = self._consumer
        return isinstance(consumer, StreamConsumer) and consumer.ready and not self.ended.done()

    def on_batch_crashed(self, place: Place, error: BaseException) -> None:
        """Stop the process: the batch is in the crash ledger and not committed."""
        metrics.CRASHES.labels(place.topic).inc()
        _log.error("batch crashed", topic=place.topic, partition=place.partition, error=error)
        self.on_failure(error)

    def on_failure(self, error: BaseException) -> None:
        """Stop the process because of ``error``."""
        if not self.ended.done():
            _log.error("stream ended", group=self.stage.settings.group, error=error)
            self.ended.set_exception(StreamCrashed())

    async def on_first_start(self) -> None:
        """Make no folders: the app keeps nothing."""

    async def on_started(self) -> None:
        """Wait for no tables: there are none."""

    async def on_stop(self) -> None:
        """Leave the drain to the consumer's own stop."""

    def _new_transport(self) -> TransportT:
        return StreamTransport(self.conf.broker_consumer, self)

    def _new_consumer(self) -> ConsumerT:
        return self.transport.create_consumer(
            callback=self.topics.on_message,
            on_partitions_revoked=self._on_partitions_revoked,
            on_partitions_assigned=self._on_partitions_assigned,
            beacon=self.beacon,
        )


def build_stream_app(
    settings: StreamSettings,
    subscriptions: Sequence[Subscription[Any]],
    writer: EventWriter,
    clock: Clock | None = None,
) -> StreamApp:
    """Return the app of one stage: ``subscriptions`` are its input topics and their handlers.

    Reads the crash ledger, so one process at a time may hold ``state_dir`` for a group and
    instance.
    """
    name = f"{settings.group}-{settings.instance_id or 'member'}"
    stage = Stage(
        settings=settings,
        writer=writer,
        clock=clock or SystemClock(),
        ledger=CrashLedger(settings.state_dir, name, settings.crashes_max),
        limit=RejectLimit(settings.reject_ratio_max, settings.reject_of_at_least),
    )
    return StreamApp(stage, subscriptions)


async def run_stream(app: StreamApp, stop: asyncio.Event) -> None:
    """Run until ``stop`` is set, then drain: finish the batches in hand, commit, leave.

    Raises ``StreamCrashed`` after an unexpected error; what other partitions had done is committed.
    The writer stays open: it belongs to the caller.
    """
    starting = asyncio.create_task(app.start())
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            waited: set[asyncio.Future[Any]] = {app.ended, stopping}
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        await app.stop()
        await asyncio.wait({starting})
        app.stage.ledger.close()
    if app.ended.done():
        app.ended.result()
