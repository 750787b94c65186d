"""The real gateway for the page's tests: its routes, views and projector on a real Redis.

Only what lies outside the gateway stands in: an in-memory log for Kafka, and privacy's resolve
contract answered from the invented ward. Signing in is tested elsewhere; here a session is begun
with the gateway's own key.
"""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
import msgspec
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contracts.reidentify import (
    FindAnswer,
    FindRequest,
    Identity,
    ResolveAnswer,
    ResolveRequest,
    StaffAnswer,
)
from plumbing.clock import SystemClock
from plumbing.event_log import Output, Record
from plumbing.memory_log import InMemoryLog
from plumbing.stage import Arrived, Batch
from services.gateway.app import Gateway, Outside
from services.gateway.keys import Keys
from services.gateway.projector import TOPICS
from services.gateway.read_model import ReadModel
from services.gateway.sessions import Claims, Sessions
from services.gateway.settings import GatewaySettings
from tests.support.page_people import MINUTE_MS, WARD, Someone, history

KEYS = Keys(session=b"s" * 32, resolve="r" * 64, audit=Ed25519PrivateKey.generate())
COOKIE = "auscult_session"
PARTITIONS = 3
WAIT_S = 30.0

Result = TypeVar("Result")


class Privacy:
    """Privacy's three routes, from the ward; ``away`` makes it unreachable."""

    def __init__(self) -> None:
        self.away = False
        self.identities: dict[str, Identity] = {one.token: one.identity() for one in WARD}

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.away:
            raise httpx.ConnectError("away")
        assert request.headers["authorization"] == f"Bearer {KEYS.resolve}"
        body: msgspec.Struct
        if request.url.path == "/v1/resolve":
            asked = msgspec.json.decode(request.content, type=ResolveRequest)
            found = [self.identities[t] for t in asked.tokens if t in self.identities]
            body = ResolveAnswer(identities=tuple(found))
        elif request.url.path == "/v1/find":
            query = msgspec.json.decode(request.content, type=FindRequest).query.casefold()
            body = FindAnswer(tokens=tuple(t for t, i in self.identities.items() if _is(i, query)))
        else:
            body = StaffAnswer(staff="staff-token")
        return httpx.Response(200, content=msgspec.json.encode(body))


def _is(identity: Identity, query: str) -> bool:
    return query in (identity.name.casefold(), identity.record_number)


class PageServer:
    """Runs in a thread of its own; a test feeds it and drives a browser against ``url``."""

    def __init__(self, redis_url: str, state: Path, issuer_url: str = "http://nobody") -> None:
        self._settings = GatewaySettings(
            redis_url=redis_url,
            keys_dir=state,
            state_dir=state,
            poll_ms=50,
            demo=True,
            oidc_issuer=issuer_url,
        )
        self._settings.checkpoints().prepare()
        self._redis_url = redis_url
        self._loop = asyncio.new_event_loop()
        self._sent: dict[tuple[str, int], int] = {}
        self.privacy = Privacy()
        self.clock = SystemClock()
        self._log = InMemoryLog((topic.name for topic in TOPICS.values()), PARTITIONS, self.clock)

    def cookie(
        self, *, roles: Sequence[str] = ("clinician",), units: Sequence[str] = ("*",)
    ) -> str:
        """Return the session cookie of an invented clinician."""
        claims = Claims("1001", "Dr Lin", frozenset(roles), frozenset(units))
        return Sessions(KEYS.session, 3600, self.clock, lambda size: "ab" * size).begin(claims)

    def fill(self, ward: Sequence[Someone] = WARD) -> None:
        """Project the whole history of the ward."""
        self.filled_ms = self.clock.now_ms()
        self.feed([output for one in ward for output in history(one, self.filled_ms)])

    def age_min(self, one: Someone) -> int:
        """Return how old the newest values are that ``fill`` gave a person, in whole minutes."""
        return one.minutes_ago + (self.clock.now_ms() - self.filled_ms) // MINUTE_MS

    def feed(self, outputs: Sequence[Output]) -> None:
        """Write records and have the projector handle them, as the stream would."""
        self._call(self._feed(outputs))

    def records(self, topic: str) -> list[Record]:
        """Return what the gateway wrote to a topic."""
        return self._log.records(topic)

    @contextmanager
    def running(self) -> Iterator["PageServer"]:
        """Serve until left; ``url`` is the page's address meanwhile."""
        with socket.create_server(("127.0.0.1", 0)) as listening:
            self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            self._settings = self._settings.model_copy(update={"public_url": self.url})
            self._ready = threading.Event()
            thread = threading.Thread(
                target=lambda: self._loop.run_until_complete(self._run(listening))
            )
            thread.start()
            try:
                assert self._ready.wait(WAIT_S), "the page server did not start"
                yield self
            finally:
                self._server.should_exit = True
                self._call(self._gateway.close_streams())
                thread.join(WAIT_S)
                self._loop.close()

    async def _run(self, listening: socket.socket) -> None:
        model = ReadModel.at(self._redis_url)
        async with (
            httpx.AsyncClient(
                base_url="http://privacy", transport=httpx.MockTransport(self.privacy.answer)
            ) as privacy,
            httpx.AsyncClient() as issuer,
        ):
            outside = Outside(
                writer=self._log, reader=self._log, model=model, privacy=privacy, issuer=issuer,
                clock=self.clock,
            )  # fmt: skip
            self._gateway = Gateway(self._settings, KEYS, outside, PARTITIONS)
            self._handlers = {s.topic.name: s for s in self._gateway.subscriptions()}
            config = uvicorn.Config(
                self._gateway.app, log_config=None, lifespan="off", timeout_graceful_shutdown=1
            )
            self._server = uvicorn.Server(config)
            following = asyncio.create_task(self._gateway.follow())
            serving = asyncio.create_task(self._server.serve([listening]))
            self._ready.set()
            await serving
            following.cancel()
            await asyncio.wait([following])
        await model.close()

    async def _feed(self, outputs: Sequence[Output]) -> None:
        await self._log.write(outputs)
        for name, subscription in self._handlers.items():
            for partition in range(PARTITIONS):
                sent = self._sent.get((name, partition), 0)
                fresh = [
                    r
                    for r in self._log.records(name)
                    if r.partition == partition and r.offset >= sent
                ]
                if not fresh:
                    continue
                arrived = tuple(
                    Arrived(
                        subscription.topic.decode(r.value) if r.value else None,
                        r.key, r.offset, r.headers, r.timestamp_ms,
                    )
                    for r in fresh
                )  # fmt: skip
                last = fresh[-1].offset
                batch: Batch[Any] = Batch(name, partition, fresh[0].offset, last, arrived)
                await subscription.handle(batch)
                self._sent[name, partition] = last + 1
        await self._gateway.step()

    def _call(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(WAIT_S)


def wait_until(what: str, condition: Callable[[], object], timeout_s: float = WAIT_S) -> None:
    """Wait for what happens soon and cannot be told by an ``expect``."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"did not happen: {what}"
        time.sleep(0.05)
