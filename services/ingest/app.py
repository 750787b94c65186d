"""The composition root of ingest: the one place that knows all its parts."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass

from contracts.answers import ANSWERS
from plumbing import log
from plumbing.clock import Clock
from plumbing.errors import Unavailable
from plumbing.event_log import EventReader, Transactions
from plumbing.health import Checks, HealthServer
from plumbing.http_server import WebServer
from plumbing.key_files import read_key, require_different
from services.ingest import committer, compiled, local_codes
from services.ingest.committer import Committer
from services.ingest.doors import Door
from services.ingest.fhir import parse_fhir
from services.ingest.folder import FolderDoor
from services.ingest.gate import Gate
from services.ingest.http import Desk, build_http
from services.ingest.identity import Keys
from services.ingest.intake import Intake, Parts
from services.ingest.ledger import Ledger
from services.ingest.mllp import MllpLimits, MllpListener
from services.ingest.parse import SourceProfile
from services.ingest.parser_process import Beginning, ParserProcess
from services.ingest.refusals import Refusals
from services.ingest.resends import Answered
from services.ingest.sealers import Sealers
from services.ingest.settings import DoorSettings, IngestSettings
from services.ingest.silence import Habits
from services.ingest.tls import tls_of

RETRY_S = 1.0
PROBE_S = 0.25
FOLLOW_S = 0.5
HABITS_EVERY_S = 300.0
SLOW_GROUP_S = 2.0

_log = log.get("ingest")


@dataclass(frozen=True)
class Logs:
    """The event log as ingest needs it; ``all_records`` also reads what is not committed."""

    transactions: Transactions
    committed: EventReader
    all_records: EventReader


class Ingest:
    """The running service. ``failed`` is set with the error that nobody expected."""

    def __init__(self, settings: IngestSettings, logs: Logs, clock: Clock) -> None:
        """Wire the parts; nothing listens yet."""
        self.settings = settings
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._logs, self._clock = logs, clock
        self._gate = Gate(settings.in_flight_bytes_max)
        self._sealers = Sealers(settings.keys_dir / "sealing" / "public", os.urandom)
        answered = Answered(settings.answers_max)
        self._ledger = Ledger(answered, logs.committed, logs.all_records)
        secrets = _read_keys(settings)
        keys = Keys(*secrets)
        self._beginning = Beginning(*secrets, settings.parser_memory_bytes_max, settings.log_level)
        bounds = settings.parser_process_bytes, settings.ack_deadline_s
        self._parser = ParserProcess(self._beginning, *bounds)
        self._local_codes = local_codes.load(settings.local_codes) if settings.local_codes else ()
        refusals = Refusals(keys)
        self._habits = Habits(keys, clock, settings.state_dir)
        self._committer = Committer(
            committer.Parts(
                keys,
                logs.transactions,
                self._ledger,
                refusals,
                self._sealers,
                clock,
                os.urandom,
                lambda: all(one.all_wait() for one in self.listeners.values()),
            )
        )
        self._intake = Intake(
            Parts(
                committer=self._committer,
                answered=answered,
                refusals=refusals,
                habits=self._habits,
                keys=keys,
                clock=clock,
                gate=self._gate,
                parser=self._parser,
                acknowledger_prefix=os.urandom(4).hex().upper(),
                ack_deadline_s=settings.ack_deadline_s,
            )
        )
        self._door = Door(
            SourceProfile(
                settings.source,
                settings.charset,
                settings.zone,
                settings.assigner,
                settings.strict,
                settings.assigners,
                local_codes.of_source(self._local_codes, settings.source),
            ),
            frozenset(settings.types),
            frozenset(settings.processing_ids),
        )
        self._habits.expect(self._door.source)
        self.mllp = self._listener(self._door)
        self.listeners = {self._door.source.name: self.mllp}
        self._http: WebServer | None = None
        self._health: HealthServer | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def http_port(self) -> int:
        """The port of HTTP once started."""
        return self._http.port if self._http else 0

    @property
    def health_port(self) -> int:
        """The port of health alone once started, 0 where there is none."""
        return self._health.port if self._health else 0

    async def start(self) -> None:
        """Serve health at once; take over, load the stored answers; then listen."""
        settings = self.settings
        checks: Checks = {
            "kafka": lambda: not self._gate.is_shut,
            "sealing_key": lambda: self._sealers.ready(self._clock.now_ms()),
            "mllp": lambda: self.mllp.is_listening,
        }
        if settings.health_port is not None:
            self._health = HealthServer(settings.health_port, checks, settings.health_host)
            await self._health.start()
        desk = Desk(
            lambda: self._intake if self.mllp.is_listening else None,
            self._gate,
            self._door,
            checks,
            settings.frame_bytes_max,
            settings.frame_timeout_s,
            parse_fhir,
        )
        self._http = WebServer(
            build_http(desk),
            settings.http_host,
            settings.http_port,
            connections_max=settings.http_connections_max,
        )
        await self._http.begin()
        await self._take_over()
        for work in (
            self._committer.run(),
            self._intake.expire(),
            self._watch(),
            self._follow(),
            self._keep_habits(),
        ):
            self._start(asyncio.create_task(work))
        await self.mllp.start(settings.mllp_host, settings.mllp_port, tls_of(settings))
        for told in settings.doors:
            await self._open(told)
        _log.info("Parser ready", state="compiled" if compiled.in_use() else "python")
        _log.info("Listening for MLLP", port=self.mllp.port, count=len(self._ledger.answered))

    async def close(self) -> None:
        """Answer what is in flight, close."""
        drain_s = self.settings.drain_s
        await asyncio.gather(*(one.close(drain_s) for one in self.listeners.values()))
        if self._http is not None:
            await self._http.end()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(drain_s):
                await self._intake.drain()
        self._parser.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._habits.write(self._habits.encoded())
        await self._logs.transactions.close()
        await self._logs.committed.close()
        await self._logs.all_records.close()
        if self._health is not None:
            await self._health.close()

    def _listener(self, door: Door) -> MllpListener:
        return MllpListener(
            self._intake, self._gate, door, _limits(self.settings), self._clock, self._fail
        )

    async def _open(self, told: DoorSettings) -> None:
        profile = SourceProfile(
            told.name,
            told.charset,
            told.zone,
            told.assigner,
            told.strict,
            told.assigners,
            local_codes.of_source(self._local_codes, told.name),
        )
        door = Door(profile, frozenset(told.types), frozenset(told.processing_ids))
        self._habits.expect(profile)
        if told.folder is not None:
            told.folder.mkdir(parents=True, exist_ok=True)
            bytes_max = self.settings.frame_bytes_max
            watched = FolderDoor(
                told.folder, (self._intake, self._gate, door), bytes_max, self._beginning
            )
            self._start(asyncio.create_task(watched.run()))
            return
        listener = self.listeners[told.name] = self._listener(door)
        await listener.start(told.host or self.settings.mllp_host, told.port or 0, tls_of(told))

    async def _take_over(self) -> None:
        """Decide what an earlier process of this name left open, then read all answers."""
        while True:
            try:
                await self._logs.transactions.open()
                await self._ledger.load(self.settings.answers_max)
                await self._committer.open()
            except Unavailable:
                _log.warning("Stored answers cannot be read yet", topic=ANSWERS.name)
                await asyncio.sleep(RETRY_S)
            else:
                return

    async def _watch(self) -> None:
        """Open the gate again when Kafka (and the sealing key) are back."""
        slow_s = min(SLOW_GROUP_S, self.settings.ack_deadline_s)
        while True:
            await asyncio.sleep(PROBE_S)
            moves = self._committer.available and self._committer.seconds_in_group() < slow_s
            if self._gate.is_shut and moves and self._sealers.ready(self._clock.now_ms()):
                self._gate.open()

    async def _follow(self) -> None:
        """Learn what other listeners answer, so that a resend of it is known at once."""
        while True:
            await asyncio.sleep(FOLLOW_S)
            with contextlib.suppress(Unavailable):
                await self._ledger.catch_up()

    async def _keep_habits(self) -> None:
        """Keep what was learnt of the feeds, now and then: a crash costs minutes of it."""
        while True:
            await asyncio.sleep(HABITS_EVERY_S)
            await asyncio.to_thread(self._habits.write, self._habits.encoded())

    def _start(self, task: asyncio.Task[None]) -> None:
        self._tasks.append(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        if not self.failed.done():
            self.failed.set_exception(error)


@contextlib.asynccontextmanager
async def running(settings: IngestSettings, logs: Logs, clock: Clock) -> AsyncIterator[Ingest]:
    """Start the service, yield it, and drain it at the end."""
    service = Ingest(settings, logs, clock)
    try:
        await service.start()
        yield service
    finally:
        await service.close()


def load_keys(settings: IngestSettings) -> Keys:
    """Return the keys of ids and routes. Raises ``KeyMissing``."""
    return Keys(*_read_keys(settings))


def _read_keys(settings: IngestSettings) -> tuple[bytes, bytes]:
    names = ("ingest/event.key", "ingest/route.key")
    found = {name: read_key(settings.keys_dir / name) for name in names}
    require_different(found)
    event_key, route_key = found.values()
    return event_key, route_key


def _limits(settings: IngestSettings) -> MllpLimits:
    return MllpLimits(
        frame_bytes_max=settings.frame_bytes_max,
        in_flight_max=settings.in_flight_max,
        connections_max=settings.connections_max,
        idle_timeout_s=settings.idle_timeout_s,
        frame_timeout_s=settings.frame_timeout_s,
    )
