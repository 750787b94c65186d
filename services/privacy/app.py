"""The composition root of privacy: the one place that knows all its parts."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime

import uvicorn
from redis.asyncio import Redis

from contracts.identified import IDENTIFIED
from contracts.relations import RELATIONS
from plumbing import log
from plumbing.clock import Clock
from plumbing.errors import Unavailable
from plumbing.event_log import EventReader, EventWriter
from plumbing.stage import Subscription
from plumbing.stream import StreamApp, build_stream_app, run_stream
from services.privacy.audit import AuditTrail, Checkpoints
from services.privacy.key_files import (
    PrivacyKeys,
    destroy_day_keys,
    load_privacy_keys,
    make_day_keys,
)
from services.privacy.links import LinkBook
from services.privacy.mirror import Mirror
from services.privacy.patient_keys import KeyWrap
from services.privacy.people import PeopleCodec
from services.privacy.rejected import RejectedDesk
from services.privacy.resolve import Desk, build_http
from services.privacy.seals import Seals
from services.privacy.settings import PrivacySettings
from services.privacy.stage import DeidentifyStage, Parts, mirror_relation
from services.privacy.vault import Vault

GROUP = "privacy"
DAYS_AHEAD = 2  # today's sealing key and tomorrow's
RETRY_S = 1.0
ROTATE_S = 30.0

_log = log.get("privacy")


class Privacy:
    """The running service."""

    def __init__(
        self, settings: PrivacySettings, writer: EventWriter, reader: EventReader, clock: Clock
    ) -> None:
        """Read the keys (``KeyMissing``) and wire the parts; nothing is connected yet."""
        self.settings = settings
        self._writer, self._reader, self._clock = writer, reader, clock
        self._keys = load_privacy_keys(settings.keys_dir)
        self.redis = Redis.from_url(
            settings.redis_url,
            socket_timeout=settings.redis_timeout_s,
            socket_connect_timeout=settings.redis_timeout_s,
        )
        codec = PeopleCodec(KeyWrap(self._keys.kek), self._keys.index, os.urandom)
        self.vault = Vault(self.redis, writer, reader, codec)
        self.links = LinkBook(self.redis, writer, reader)
        self.relations = Mirror(RELATIONS.name, self.redis, writer, reader, mirror_relation)
        self.stage = DeidentifyStage(_parts(self, self._keys, settings, clock))
        self._http: _Server | None = None
        self._stream: StreamApp | None = None

    @property
    def http_port(self) -> int:
        """The port of the resolve API once it listens."""
        return self._http.port if self._http else 0

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until ``stop`` is set, then drain. Raises what the stream raises."""
        settings = self.settings
        self.rotate_keys()
        self._http = _Server(self.web(), settings.http_host, settings.http_port)
        await self._http.begin()
        rotating = asyncio.create_task(self._keep_rotating())
        try:
            if await self.open_mirrors(stop):
                subscription = Subscription(IDENTIFIED, self.stage.handle)
                self._stream = build_stream_app(
                    settings.stream(GROUP), [subscription], self._writer, self._clock
                )
                _log.info("De-identifying", port=self.http_port)
                await run_stream(self._stream, stop)
        finally:
            rotating.cancel()
            await self._http.end()

    async def close(self) -> None:
        """Close the connections."""
        await self._writer.close()
        await self._reader.close()
        await self.redis.aclose()

    def rotate_keys(self) -> None:
        """Make the sealing keys that are due; destroy those whose records have expired."""
        today = datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC).date()
        folder = self.settings.keys_dir
        for day in make_day_keys(folder, today, DAYS_AHEAD, os.urandom):
            _log.info("Sealing key made", key_day=day)
        for day in destroy_day_keys(folder, today, self.settings.sealed_days):
            _log.info("Sealing key destroyed", key_day=day)

    async def _keep_rotating(self) -> None:
        while True:
            await asyncio.sleep(ROTATE_S)
            self.rotate_keys()

    async def open_mirrors(self, stop: asyncio.Event) -> bool:
        """Catch up with the vault, links and relations; False when told to stop meanwhile."""
        while not stop.is_set():
            try:
                await self.vault.open()
                await self.links.mirror.open()
                await self.relations.open()
            except Unavailable as error:
                _log.warning("The vault cannot be read yet", error=error)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), RETRY_S)
            else:
                return True
        return False

    def _streams(self) -> bool:
        return self._stream is not None and self._stream.ready

    def web(self) -> Callable[..., object]:
        """Return the web application, with an audit chain of its own."""
        trail = AuditTrail(
            self._writer,
            self._keys.audit,
            Checkpoints(self.settings.checkpoints_dir),
            self._clock,
            lambda: f"{self._clock.now_ms():x}-{os.urandom(6).hex()}",
        )
        desk = Desk(self.vault, self.links, trail, self._keys.staff)
        checks = {
            "vault": lambda: self.vault.mirror.is_open and self.links.mirror.is_open,
            "stream": self._streams,
        }
        seals = Seals(self.settings.keys_dir, self.settings.sealed_days)
        refused = RejectedDesk(
            self._reader, self._writer, seals, trail, self._keys.staff, self._clock
        )
        return build_http(desk, refused, self._keys.resolve_token, checks, self._clock)


@contextlib.asynccontextmanager
async def running(
    settings: PrivacySettings, writer: EventWriter, reader: EventReader, clock: Clock
) -> AsyncIterator[Privacy]:
    """Yield the service, wired; close its connections at the end."""
    service = Privacy(settings, writer, reader, clock)
    try:
        yield service
    finally:
        await service.close()


def _parts(service: Privacy, keys: PrivacyKeys, settings: PrivacySettings, clock: Clock) -> Parts:
    return Parts(
        seals=Seals(settings.keys_dir, settings.sealed_days),
        vault=service.vault,
        links=service.links,
        relations=service.relations,
        link_key=keys.link,
        staff_key=keys.staff,
        clock=clock,
        random_bytes=os.urandom,
    )


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
