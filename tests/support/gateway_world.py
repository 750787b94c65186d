"""A whole gateway around a real Redis: its topics in memory, privacy and issuer as ASGI apps.

``World`` writes records to the topics, ``settle`` brings them through the real projector to the
real board, ``client`` signs a browser in through the real issuer.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI, Request, Response

from contracts.assessed import Assessment, Contribution, Risk, Score, Vital
from contracts.loinc import BY_NAME
from contracts.merged import IdentityMerged, TokenLink
from contracts.reidentify import (
    FindAnswer,
    FindRequest,
    Identity,
    ResolveAnswer,
    ResolveRequest,
    StaffAnswer,
    StaffRequest,
)
from contracts.relations import CareRelation, StaffRole
from contracts.topic import DAY_MS, Topic
from plumbing.clock import ManualClock
from plumbing.event_log import Output, Record
from plumbing.memory_log import InMemoryLog
from plumbing.stage import Arrived, Batch, Subscription
from services.gateway.app import Gateway, Outside
from services.gateway.keys import Keys
from services.gateway.projector import TOPICS
from services.gateway.read_model import ReadModel
from services.gateway.settings import GatewaySettings
from simulator.issuer import IssuerSettings, build

HOUR_MS = 3_600_000
NOON_MS = 1_790_000_000_000
PUBLIC_URL = "http://gateway.test"
RESOLVE_TOKEN = "5e" * 32
SESSION_KEY = bytes(range(32))
AUDIT_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))


class PrivacyDesk:
    """Privacy's resolve API over a dictionary, with what it was asked."""

    def __init__(self) -> None:
        self.people: dict[str, Identity] = {}
        self.available = True
        self.refuses = 0  # a status to refuse looks with
        self.refuses_staff = 0
        self.resolved: list[ResolveRequest] = []
        self.app = FastAPI()
        self.app.post("/v1/resolve")(self.resolve)
        self.app.post("/v1/find")(self.find)
        self.app.post("/v1/staff")(self.staff)

    def knows(self, token: str, name: str, record_number: str, shift_days: int) -> None:
        self.people[token] = Identity(
            token=token,
            name=name,
            birth_date="1950-02-03",
            record_number=record_number,
            shift_days=shift_days,
            sex="F",
        )

    async def resolve(self, request: Request) -> Response:
        asked = msgspec.json.decode(await self._body(request), type=ResolveRequest)
        self.resolved.append(asked)
        if self.refuses:
            return Response(status_code=self.refuses)
        found = tuple(self.people[token] for token in asked.tokens if token in self.people)
        return self._answer(ResolveAnswer(identities=found))

    async def find(self, request: Request) -> Response:
        asked = msgspec.json.decode(await self._body(request), type=FindRequest)
        wanted = asked.query.casefold()
        found = tuple(
            one.token
            for one in self.people.values()
            if wanted in (one.name.casefold(), one.record_number.casefold())
        )
        return self._answer(FindAnswer(tokens=found))

    async def staff(self, request: Request) -> Response:
        asked = msgspec.json.decode(await self._body(request), type=StaffRequest)
        if self.refuses_staff:
            return Response(status_code=self.refuses_staff)
        return self._answer(StaffAnswer(staff=f"staff-{asked.staff_id}"))

    async def _body(self, request: Request) -> bytes:
        assert request.headers["authorization"] == f"Bearer {RESOLVE_TOKEN}"
        return await request.body()

    def _answer(self, value: msgspec.Struct) -> Response:
        if not self.available:
            return Response(status_code=503)
        return Response(msgspec.json.encode(value), media_type="application/json")


@dataclass
class Feed:
    """Brings the records of the log to a gateway's subscriptions, as the stream does."""

    log: InMemoryLog
    subscriptions: Sequence[Subscription[Any]]
    committed: dict[tuple[str, int], int] = field(default_factory=dict)

    async def run(self, batch_size: int = 200) -> None:
        """Hand over everything new, one batch after another in each partition."""
        for subscription in self.subscriptions:
            for record_batch in self._batches(subscription.topic, batch_size):
                topic = subscription.topic
                batch = as_batch(topic, record_batch)
                handled = await subscription.handle(batch)
                if handled.outputs:
                    await self.log.write(handled.outputs)
                self.committed[topic.name, batch.partition] = batch.last_offset + 1

    async def idle(self) -> None:
        """Call every idle hook once, all at the same time as the stream may."""
        await asyncio.gather(
            *(
                subscription.idle(
                    partition, self.committed.get((subscription.topic.name, partition), 0)
                )
                for subscription in self.subscriptions
                if subscription.idle is not None
                for partition in range(subscription.topic.partitions)
            )
        )

    def _batches(self, topic: Topic[Any], batch_size: int) -> list[list[Record]]:
        by_partition: dict[int, list[Record]] = {}
        for record in self.log.records(topic.name):
            if record.offset >= self.committed.get((topic.name, record.partition), 0):
                by_partition.setdefault(record.partition, []).append(record)
        return [
            records[first : first + batch_size]
            for records in by_partition.values()
            for first in range(0, len(records), batch_size)
        ]


def as_batch(topic: Topic[Any], records: Sequence[Record]) -> Batch[Any]:
    return Batch(
        topic=topic.name,
        partition=records[0].partition,
        first_offset=records[0].offset,
        last_offset=records[-1].offset,
        arrived=tuple(
            Arrived(
                None if one.value is None else topic.decode(one.value),
                one.key,
                one.offset,
                one.headers,
                one.timestamp_ms,
            )
            for one in records
        ),
    )


@dataclass
class World:
    """The gateway, what is around it, and short words to change that."""

    gateway: Gateway
    log: InMemoryLog
    clock: ManualClock
    privacy: PrivacyDesk
    model: ReadModel
    feed: Feed
    issuer: httpx.AsyncClient
    users: dict[str, dict[str, Any]]

    async def tell(self, topic: Topic[Any], *events: Any) -> None:
        """Write events to a topic, keyed by their token."""
        outputs = [Output(topic.name, one.token.encode(), topic.encode(one)) for one in events]
        await self.log.write(outputs)

    async def settle(self) -> None:
        """Project everything and take it over."""
        await self.feed.run()
        await self.gateway.step()

    def browser(self) -> httpx.AsyncClient:
        """Return a browser that nobody signed in with."""
        transport = httpx.ASGITransport(self.gateway.app)
        return httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL)

    async def client(self, login: str) -> httpx.AsyncClient:
        """Return a browser that ``login`` signed in with, by the whole code flow."""
        browser = self.browser()
        start = await browser.get("/auth/login", params={"next": "/"})
        callback = await self.at_issuer(start.headers["location"], login)
        done = await browser.get(callback)
        assert done.status_code == 303, done.text
        assert done.headers["location"] == "/"
        browser.headers["X-CSRF-Token"] = (await browser.get("/v1/me")).json()["csrf"]
        return browser

    async def at_issuer(self, address: str, login: str, password: str | None = None) -> str:
        """Fill the issuer's form; return where it sends the browser."""
        asked = {k: v[0] for k, v in parse_qs(urlsplit(address).query).items()}
        right = self.users[login]["password"]
        form = {**asked, "login": login, "password": right if password is None else password}
        answer = await self.issuer.post("/authorize", data=form)
        return str(answer.headers.get("location", ""))


@asynccontextmanager
async def gateway_world(
    redis_url: str,
    folder: Path,
    clock: ManualClock | None = None,
    real_privacy: tuple[httpx.AsyncClient, str] | None = None,
) -> AsyncIterator[World]:
    """Give a world on an emptied Redis; ``real_privacy``: a client of one, and its token."""
    clock = clock or ManualClock(wall_ms=NOON_MS)
    log = InMemoryLog([topic.name for topic in TOPICS.values()], clock=clock)
    log.create("audit.v1")
    settings = GatewaySettings(
        public_url=PUBLIC_URL,
        redis_url=redis_url,
        state_dir=folder / "state",
        oidc_issuer="http://127.0.0.1:8090",
        api_audience="auscult-api",
        demo=True,
    )
    settings.checkpoints().prepare()
    issuer_app = build(IssuerSettings(state_dir=folder, client_url=PUBLIC_URL), clock).app
    privacy, model = PrivacyDesk(), ReadModel.at(redis_url)
    async with (
        _to(privacy.app, settings.privacy_url) as privacy_http,
        _to(issuer_app, settings.oidc_issuer) as issuer,
    ):
        asked, token = real_privacy or (privacy_http, RESOLVE_TOKEN)
        outside = Outside(
            writer=log, reader=log, model=model, privacy=asked, issuer=issuer, clock=clock
        )
        keys = Keys(SESSION_KEY, token, AUDIT_KEY)
        gateway = Gateway(settings, keys, outside, partitions=12)
        users = json.loads((folder / "users.json").read_text())
        feed = Feed(log, gateway.subscriptions())
        by_login = {user["login"]: user for user in users}
        yield World(gateway, log, clock, privacy, model, feed, issuer, by_login)
        await gateway.close_streams()
        await model.close()


def _to(app: FastAPI, base_url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base_url)


def an_assessment(
    token: str,
    event_id: str,
    *,
    at_ms: int = NOON_MS - 100 * DAY_MS,
    total: int | None = 3,
    risk: str = "low",
    probability: float | None = None,
    basis: str = "event",
    **changes: Any,
) -> Assessment:
    """Return the result of one set of vital signs."""
    complete = total is not None
    news2 = Score(
        name="NEWS2",
        total=total,
        total_min=total,
        total_max=None if total is None else total + 3,
        complete=False,
        parts={"resp_rate": 1, "pulse": 2},
        missing=("temp_c",),
        risk=risk,
    )
    return Assessment(
        **{
            "basis": basis,
            "event_id": event_id,
            "token": token,
            "event_type": "observation.result",
            "occurred_at_ms": at_ms,
            "as_of_ms": at_ms,
            "status": "scored" if complete else "not_scored",
            "reason": "" if complete else "no_observations",
            "scores": (news2, Score(name="qSOFA", total=1, positive=False)) if complete else (),
            "risks": () if probability is None else (a_risk(probability, at_ms),),
            "vitals": (
                Vital(parameter="heart_rate", value=88.0, unit="/min", at_ms=at_ms),
                Vital(parameter="spo2", value=94.0, unit="%", at_ms=at_ms),
            )
            if complete
            else (),
            "age_years": 71,
            "sex": "F",
            "model_epoch": 1,
            "seen": {token: 1},
            "elapsed_ms": 40,
            **changes,
        }
    )


def a_risk(probability: float, at_ms: int) -> Risk:
    """Return a risk with two reasons."""
    return Risk(
        model="icu_mortality",
        version="1.0.0",
        digest="ab" * 32,
        outcome="death_in_hospital",
        probability=probability,
        baseline_probability=0.14,
        contributions=(_part("heart_rate", 0.3, at_ms), _part("lactate", -0.6, at_ms)),
        completeness_gap=0.01,
        imputed_ratio=0.4,
    )


def _part(parameter: str, attribution: float, at_ms: int) -> Contribution:
    known = BY_NAME[parameter]
    return Contribution(
        feature=f"{parameter}.last",
        parameter=parameter,
        label={"en": known.en, "zh": known.zh},
        value=2.5,
        unit=known.unit,
        observed_at_ms=at_ms,
        attribution=attribution,
    )


def a_relation(
    token: str, unit: str, *, at_ms: int = NOON_MS - 100 * DAY_MS, **changes: Any
) -> CareRelation:
    """Return an open visit."""
    return CareRelation(
        **{
            "token": token,
            "encounter": f"visit-{token}",
            "status": "open",
            "unit": unit,
            "room": "12",
            "bed": "A",
            "staff": (StaffRole(staff="staff-D1001", role="attending"),),
            "from_ms": at_ms - HOUR_MS,
            "occurred_at_ms": at_ms,
            "event_id": f"relation-{token}",
            **changes,
        }
    )


def a_link(token: str, other: str, delta_days: int, version: int = 1) -> IdentityMerged:
    """Return one end of a merge."""
    link = TokenLink(other=other, shift_delta_days=delta_days, event_id="merge")
    return IdentityMerged(token=token, links=(link,), version=version, event_id="merge")
