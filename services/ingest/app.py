"""The composition root of ingest: the one place that knows all its parts."""

import asyncio
import contextlib
import os
import ssl
from collections.abc import AsyncIterator, Callable, Iterator

import uvicorn

from contracts.answers import ANSWERS
from plumbing import log
from plumbing.clock import Clock
from plumbing.errors import Unavailable
from plumbing.event_log import EventReader, EventWriter
from services.ingest.gate import Gate
from services.ingest.http import build_http
from services.ingest.identity import Keys
from services.ingest.intake import Intake, Parts
from services.ingest.mllp import MllpLimits, MllpListener
from services.ingest.parse import SourceProfile
from services.ingest.resends import Answered
from services.ingest.sealers import Sealers, read_key
from services.ingest.settings import IngestSettings

RETRY_S = 1.0
PROBE_S = 0.5

_log = log.get("ingest")


class KeyMissing(Exception):
    """A key file is missing or too short: the service does not start."""


class Ingest:
    """The running service. ``failed`` is set with the error that nobody expected."""

    def __init__(
        self, settings: IngestSettings, writer: EventWriter, reader: EventReader, clock: Clock
    ) -> None:
        """Wire the parts; nothing listens yet."""
        self.settings = settings
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._writer, self._reader, self._clock = writer, reader, clock
        self._gate = Gate(settings.in_flight_bytes_max)
        self._sealers = Sealers(settings.keys_dir / "sealing" / "public", os.urandom)
        self._answered = Answered(settings.answers_max)
        self._source = SourceProfile(
            settings.source, settings.charset, settings.zone, settings.assigner, settings.strict
        )
        parts = Parts(
            writer=writer,
            sealers=self._sealers,
            answered=self._answered,
            keys=load_keys(settings),
            clock=clock,
            random_bytes=os.urandom,
            gate=self._gate,
        )
        self._intake = Intake(parts, ack_deadline_s=settings.ack_deadline_s)
        self.mllp = MllpListener(
            self._intake, self._gate, self._source, _limits(settings), clock, self._fail
        )
        self._http: _Server | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def http_port(self) -> int:
        """The port of HTTP once started."""
        return self._http.port if self._http else 0

    async def start(self) -> None:
        """Serve health at once; load the stored answers; then listen."""
        settings = self.settings
        checks = {
            "kafka": lambda: not self._gate.is_shut,
            "sealing_key": lambda: self._sealers.ready(self._clock.now_ms()),
            "mllp": lambda: self.mllp.is_listening,
        }
        app = build_http(
            lambda: self._intake if self.mllp.is_listening else None,
            self._gate,
            self._source,
            checks,
            settings.frame_bytes_max,
        )
        self._http = _Server(app, settings.http_host, settings.http_port)
        await self._http.begin()
        await self._load_answers()
        await self.mllp.start(settings.mllp_host, settings.mllp_port, _tls(settings))
        self._tasks.append(asyncio.create_task(self._watch_kafka()))
        _log.info("Listening for MLLP", port=self.mllp.port, count=len(self._answered))

    async def close(self) -> None:
        """Answer what is in flight, keep the answers, close."""
        for task in self._tasks:
            task.cancel()
        await self.mllp.close(self.settings.drain_s)
        if self._http is not None:
            await self._http.end()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.settings.drain_s):
                await self._intake.drain()
        await self._writer.close()
        await self._reader.close()

    async def _load_answers(self) -> None:
        while True:
            try:
                await self._answered.load(self._reader)
            except Unavailable:
                _log.warning("Stored answers cannot be read yet", topic=ANSWERS.name)
                await asyncio.sleep(RETRY_S)
            else:
                return

    async def _watch_kafka(self) -> None:
        """Open the gate again when Kafka (and the sealing key) are back."""
        while True:
            await asyncio.sleep(PROBE_S)
            if not self._gate.is_shut or not self._sealers.ready(self._clock.now_ms()):
                continue
            with contextlib.suppress(Unavailable):
                await self._reader.end_offset(ANSWERS.name, 0)
                self._gate.open()

    def _fail(self, error: BaseException) -> None:
        if not self.failed.done():
            self.failed.set_exception(error)


class _Server(uvicorn.Server):
    """uvicorn in our event loop, with our signal handling."""

    def __init__(self, app: Callable[..., object], host: str, port: int) -> None:
        config = uvicorn.Config(
            app, host=host, port=port, log_config=None, access_log=False, lifespan="off"
        )
        super().__init__(config)
        self._serving: asyncio.Task[None] | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to ``__main__``."""
        yield

    @property
    def port(self) -> int:
        """The port that was taken."""
        port: int = self.servers[0].sockets[0].getsockname()[1]
        return port

    async def begin(self) -> None:
        """Return when it listens. Raises ``OSError`` when the port is taken."""
        self._serving = asyncio.create_task(self.serve())
        while not self.started:
            if self._serving.done():
                await self._serving
                raise OSError("the HTTP port cannot be taken")
            await asyncio.sleep(0.01)

    async def end(self) -> None:
        """Stop serving."""
        self.should_exit = True
        if self._serving is not None:
            await self._serving


@contextlib.asynccontextmanager
async def running(
    settings: IngestSettings, writer: EventWriter, reader: EventReader, clock: Clock
) -> AsyncIterator[Ingest]:
    """Start the service, yield it, and drain it at the end."""
    service = Ingest(settings, writer, reader, clock)
    try:
        await service.start()
        yield service
    finally:
        await service.close()


def load_keys(settings: IngestSettings) -> Keys:
    """Return the keys of ids and routes. Raises ``KeyMissing``."""
    found = {}
    for name in ("event", "route"):
        key = read_key(settings.keys_dir / "ingest" / f"{name}.key")
        if key is None:
            raise KeyMissing(f"ingest/{name}.key is missing or is not 32 bytes in hex")
        found[name] = key
    return Keys(event=found["event"], route=found["route"])


def _limits(settings: IngestSettings) -> MllpLimits:
    return MllpLimits(
        frame_bytes_max=settings.frame_bytes_max,
        in_flight_max=settings.in_flight_max,
        connections_max=settings.connections_max,
        idle_timeout_s=settings.idle_timeout_s,
        frame_timeout_s=settings.frame_timeout_s,
    )


def _tls(settings: IngestSettings) -> ssl.SSLContext | None:
    if not settings.tls_cert_file:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(settings.tls_cert_file, settings.tls_key_file or None)
    if settings.tls_client_ca_file:
        context.load_verify_locations(settings.tls_client_ca_file)
        context.verify_mode = ssl.CERT_REQUIRED
    return context
