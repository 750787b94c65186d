"""The composition root: wires the gateway's parts and runs them in one event loop."""

import asyncio
import os
import secrets
import socket
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Any

import httpx
from fastapi import FastAPI

from contracts.assessed import ASSESSED
from plumbing import log
from plumbing.clock import Clock, SystemClock
from plumbing.errors import Unavailable
from plumbing.event_log import EventReader, EventWriter
from plumbing.health import HealthServer
from plumbing.http_server import WebServer
from plumbing.kafka_reader import KafkaReader
from plumbing.kafka_writer import KafkaWriter
from plumbing.stage import Subscription
from plumbing.stream import StreamApp, build_stream_app, run_stream
from services.gateway.audit import Auditor
from services.gateway.auth_routes import AuthRoutes, cookies_for
from services.gateway.board import Board
from services.gateway.desk import Desk
from services.gateway.door import Door
from services.gateway.follower import Follower
from services.gateway.glass import Glasses
from services.gateway.identity import Identities
from services.gateway.keys import Keys, read_keys
from services.gateway.oidc import Client, Oidc
from services.gateway.pages import add_pages
from services.gateway.problems import HANDLERS
from services.gateway.projector import TOPICS, Projector
from services.gateway.read_model import ReadModel
from services.gateway.routes import Changes, ListRoutes
from services.gateway.routes_glass import GlassRoutes
from services.gateway.routes_patient import PatientRoutes
from services.gateway.schema import document
from services.gateway.sessions import Sessions
from services.gateway.settings import GatewaySettings
from services.gateway.worklist import WorklistRoute

HOUSEKEEPING_S = 15.0
FOLLOW_SPACING_S = 0.1
REVOKED_EVERY_S = 2.0
PRIVACY_WAIT_S = 3.0
DRAIN_S = 5

_log = log.get("gateway")


@dataclass(frozen=True)
class Outside:
    """What the gateway reaches: the log, the read model, privacy and the issuer by HTTP."""

    writer: EventWriter
    reader: EventReader
    model: ReadModel
    privacy: httpx.AsyncClient
    issuer: httpx.AsyncClient
    clock: Clock


class Gateway:
    """The parts, wired: ``app`` is the ASGI application, ``subscriptions`` what feeds it."""

    def __init__(
        self, settings: GatewaySettings, keys: Keys, outside: Outside, partitions: int
    ) -> None:
        """Wire; nothing is reached yet."""
        clock, model = outside.clock, outside.model
        self._settings = settings
        self._model = model
        self._poke = asyncio.Event()
        self._identities = Identities(outside.privacy, keys.resolve, clock)
        self.sessions = Sessions(
            keys.session, settings.session_hours * 3600, clock, secrets.token_hex
        )
        self._changes = Changes()
        self.board = Board()
        self.follower = Follower(model, self.board, partitions, clock, self._identities.drop)
        self.projector = Projector(
            model, outside.reader, clock, lambda: secrets.token_hex(8), self._poke.set
        )
        self._desk = Desk(
            settings=settings,
            clock=clock,
            model=model,
            board=self.board,
            follower=self.follower,
            identities=self._identities,
            auditor=Auditor(outside.writer, keys.audit, settings.checkpoints(), clock, os.urandom),
            glasses=Glasses(
                keys.session,
                settings.glass_minutes,
                clock,
                secure=settings.public_url.startswith("https://"),
            ),
            writer=outside.writer,
            boot=secrets.token_hex(4),
        )
        oidc = Oidc(_client(settings), outside.issuer, clock, secrets.token_urlsafe)
        self.worklist = WorklistRoute(self._desk)
        self.lists = ListRoutes(self._desk, self._changes, self.worklist)
        self.app = self._web(oidc, clock)
        self.reachable = True

    def subscriptions(self) -> tuple[Subscription[Any], ...]:
        """Return what the stream has to bring."""
        return self.projector.subscriptions()

    async def follow(self) -> None:
        """Keep the board in step with the read model, for ever; writes meanwhile go together."""
        while True:
            await self.step()
            await asyncio.sleep(FOLLOW_SPACING_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._settings.poll_ms / 1000):
                    await self._poke.wait()
            self._poke.clear()

    async def step(self) -> None:
        """Take over once what changed, and tell the live streams."""
        try:
            changed = await self.follower.refresh()
            self.reachable = True
        except Unavailable:
            self.follower.wait()
            changed, self.reachable = self.reachable, False
        if changed:
            await self._changes.tell()

    async def keep_house(self) -> None:
        """Drop identities that are too old; learn which sessions were ended elsewhere."""
        since_s = 0.0
        while True:
            with suppress(Unavailable):
                self.sessions.revoked |= await self._model.revoked(self._desk.clock.now_ms())
            if since_s >= HOUSEKEEPING_S:
                self._identities.sweep()
                self.worklist.forget()
                since_s = 0.0
            await asyncio.sleep(REVOKED_EVERY_S)
            since_s += REVOKED_EVERY_S

    async def close_streams(self) -> None:
        """End the live streams, so that the server can stop."""
        await self._changes.tell(closing=True)

    def _web(self, oidc: Oidc, clock: Clock) -> FastAPI:
        app = FastAPI(
            title="Auscult gateway",
            version="1",
            description="Who is sickest, and why: risk information, not an order.",
            docs_url=None,
            redoc_url=None,
            exception_handlers=HANDLERS,
        )
        cookies = cookies_for(self._settings.public_url)
        app.include_router(self.worklist.router)
        app.include_router(self.lists.router)
        app.include_router(PatientRoutes(self._desk).router)
        app.include_router(GlassRoutes(self._desk).router)
        auth = AuthRoutes(oidc, self.sessions, cookies, self._identities, self._model)
        app.include_router(auth.router)
        add_pages(app)
        app.openapi = lambda: document(app)  # type: ignore[method-assign]  # FastAPI's own way
        app.add_middleware(
            Door,
            sessions=self.sessions,
            oidc=oidc,
            clock=clock,
            cookies=cookies,
            at_once=self.worklist.at_once,
        )
        return app


async def run(settings: GatewaySettings, stopping: asyncio.Event) -> None:
    """Run until ``stopping`` is set, then drain."""
    keys = read_keys(settings.keys_dir)
    settings.checkpoints().prepare()
    clock = SystemClock()
    connection = settings.kafka()
    async with AsyncExitStack() as stack:
        # The port is taken first: when it is not free, nothing else has happened yet.
        listening = stack.enter_context(listen(settings.host, settings.port))
        writer, reader = KafkaWriter(connection), KafkaReader(connection)
        model = ReadModel.at(settings.redis_url)
        for part in (writer, reader, model):
            stack.push_async_callback(part.close)
        privacy = httpx.AsyncClient(base_url=settings.privacy_url, timeout=PRIVACY_WAIT_S)
        issuer = httpx.AsyncClient(timeout=PRIVACY_WAIT_S)
        outside = Outside(
            writer=writer,
            reader=reader,
            model=model,
            privacy=await stack.enter_async_context(privacy),
            issuer=await stack.enter_async_context(issuer),
            clock=clock,
        )
        partitions = await _partitions(reader, stopping)
        gateway = Gateway(settings, keys, outside, partitions)
        stream = build_stream_app(
            settings.stream("gateway"), gateway.subscriptions(), writer, clock
        )
        checks = {
            "read_model": lambda: gateway.reachable,
            "worklist": lambda: gateway.follower.loaded,
            "stream": lambda: stream.ready,
        }
        health = HealthServer(settings.metrics_port, checks, settings.health_host)
        await health.start()
        stack.push_async_callback(health.close)
        await _until(stopping, gateway, listening, stream)


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket. It says that it is TCP: asyncio turns Nagle's delay (40 ms for an
    answer of more than one packet) off only for those that do.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    family, kind, protocol, _, address = found[0]
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(1_024)
    except OSError:
        listening.close()
        raise
    return listening


def _client(settings: GatewaySettings) -> Client:
    return Client(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        secret=settings.oidc_client_secret.get_secret_value(),
        redirect_uri=f"{settings.public_url.rstrip('/')}/auth/callback",
        audience=settings.api_audience,
        subject_claim=settings.oidc_subject_claim,
        roles_claim=settings.oidc_roles_claim,
        units_claim=settings.oidc_units_claim,
    )


async def _partitions(reader: EventReader, stopping: asyncio.Event) -> int:
    """The most partitions that a projected topic has; waits until Kafka tells."""
    while not stopping.is_set():
        try:
            counts = [len(await reader.partitions(topic.name)) for topic in TOPICS.values()]
            return max(counts, default=ASSESSED.partitions)
        except Unavailable:
            _log.warning("waiting for the topics")
            await asyncio.sleep(1)
    return ASSESSED.partitions


async def _until(
    stopping: asyncio.Event, gateway: Gateway, listening: socket.socket, stream: StreamApp
) -> None:
    """Serve until ``stopping`` or until a part fails; then stop the others in order."""
    server, drain = WebServer(gateway.app, drain_s=DRAIN_S), asyncio.Event()
    work = [
        asyncio.create_task(server.serve([listening])),
        asyncio.create_task(run_stream(stream, drain)),
        asyncio.create_task(gateway.follow()),
        asyncio.create_task(gateway.keep_house()),
    ]
    serving, streaming, *keeping = work
    told = asyncio.create_task(stopping.wait())
    await asyncio.wait([told, *work], return_when=asyncio.FIRST_COMPLETED)
    failed = [task for task in work if task.done()]
    drain.set()
    server.should_exit = True
    await gateway.close_streams()
    await asyncio.wait([serving, streaming])
    for task in (told, *keeping):
        task.cancel()
    await asyncio.wait([told, *keeping])
    for task in failed:
        task.result()
