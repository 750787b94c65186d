"""The running service on a real broker and a real Redis: stream, resolve API, audit."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import msgspec
import pytest
import redis

from cli.commands.audit import verify
from cli.commands.keys import generate
from contracts.audited import AUDIT, AuditEntry
from contracts.deidentified import DEIDENTIFIED, DeidentifiedEvent
from contracts.identified import IDENTIFIED
from contracts.merged import MERGED
from contracts.reidentify import FindAnswer, Identity, ResolveAnswer, StaffAnswer
from contracts.relations import RELATIONS
from contracts.vault import VAULT
from plumbing.clock import ManualClock
from plumbing.event_log import EventReader, Output
from plumbing.kafka_connection import KafkaConnection
from plumbing.kafka_log import KafkaReader, KafkaWriter
from plumbing.key_files import read_key
from plumbing.memory_log import InMemoryLog
from services.privacy.app import Privacy, running
from services.privacy.key_files import load_privacy_keys
from services.privacy.patient_keys import KeyUnreadable, staff_token
from services.privacy.settings import PrivacySettings
from tests.integration.test_privacy_stage import a_merge, a_person
from tests.support.brokers import free_port
from tests.support.privacy import Ingest, a_replica, events_of, make_keys
from tests.unit.privacy.builders import ANNA, MING, a_body, a_note

PATIENTS = 20


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    folder = tmp_path / "keys"
    generate(folder, datetime.now(UTC).date())
    return folder


def today_ingest(keys: Path) -> Ingest:
    return Ingest(keys, datetime.now(UTC).date())


async def read_topic(reader: EventReader, topic: str) -> list[bytes]:
    values: list[bytes] = []
    for partition in await reader.partitions(topic):
        end = await reader.end_offset(topic, partition)
        async for records in reader.read(topic, partition, 0, end):
            values += [record.value for record in records if record.value]
    return values


async def deidentified(reader: EventReader, wanted: set[str]) -> dict[str, list[DeidentifiedEvent]]:
    """Wait until every event id of ``wanted`` is out; return what is out by event id."""
    deadline = time.monotonic() + 120
    while True:
        found: dict[str, list[DeidentifiedEvent]] = {}
        for value in await read_topic(reader, DEIDENTIFIED.name):
            event = DEIDENTIFIED.decode(value)
            if event.event_id in wanted:
                found.setdefault(event.event_id, []).append(event)
        if set(found) == wanted or time.monotonic() > deadline:
            return found
        await asyncio.sleep(0.3)


async def some_of(reader: EventReader, wanted: set[str]) -> None:
    """Wait until an event of ``wanted`` is out."""
    async with asyncio.timeout(120):
        while True:
            values = await read_topic(reader, DEIDENTIFIED.name)
            if any(DEIDENTIFIED.decode(value).event_id in wanted for value in values):
                return
            await asyncio.sleep(0.05)


class Process:
    """``python -m services.privacy`` under a test's control."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self._environment = os.environ | environment
        self._log = log

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "services.privacy"],
                env=self._environment,
                stderr=log,
                stdout=log,
            )

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        self._process.terminate()
        return self._process.wait(30)


async def test_kill_and_an_emptied_redis_lose_and_double_nothing(
    tmp_path: Path, keys: Path, kafka_broker: str, topics: tuple[str, ...], redis_url: str
) -> None:
    connection = KafkaConnection(bootstrap=kafka_broker)
    writer, reader = KafkaWriter(connection), KafkaReader(connection)
    port = free_port()
    process = Process(
        {
            "PRIVACY_KAFKA_BOOTSTRAP": kafka_broker,
            "PRIVACY_REDIS_URL": redis_url,
            "PRIVACY_KEYS_DIR": str(keys),
            "PRIVACY_STATE_DIR": str(tmp_path / "state"),
            "PRIVACY_HTTP_PORT": str(port),
            "PRIVACY_INSTANCE_ID": tmp_path.name,
        },
        tmp_path / "log.txt",
    )
    ingest = today_ingest(keys)
    run = tmp_path.name
    process.start()
    ids: list[str] = []
    for wave in range(3):
        outputs = []
        for number in range(PATIENTS):
            event_id = f"{run}-{wave}-{number}"
            patient = a_person(1000 + number)
            body = a_body(patient, notes=a_note(f"Familyname{1000 + number} is well"))
            event = ingest.seal(body, event_id)
            key = str(number).encode()
            outputs.append(Output(IDENTIFIED.name, key, IDENTIFIED.encode(event)))
            ids.append(event_id)
        await writer.write(outputs)
        if wave == 0:
            await some_of(reader, set(ids))  # it is in the middle of them
            process.kill()
            process.start()
        if wave == 1:
            async with httpx.AsyncClient() as client:
                await _until_ready(client, port)
            with redis.Redis.from_url(redis_url) as admin:
                admin.flushall()
    found = await deidentified(reader, set(ids))
    assert set(found) == set(ids)
    tokens = {}
    for number in range(PATIENTS):
        seen = {event.token for wave in range(3) for event in found[f"{run}-{wave}-{number}"]}
        assert len(seen) == 1
        tokens[number] = seen.pop()
    assert len(set(tokens.values())) == PATIENTS
    for events in found.values():
        first, *others = [msgspec.structs.replace(event, elapsed_ms=0) for event in events]
        assert all(other == first for other in others)
        assert events[0].notes[0].text == "[NAME-1] is well"
    assert process.stop() == 0
    log = (tmp_path / "log.txt").read_text(encoding="utf-8")
    assert "Familyname" not in log
    assert "Traceback" not in log
    await writer.close()
    await reader.close()


async def _until_ready(client: httpx.AsyncClient, port: int) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            answer = await client.get(f"http://127.0.0.1:{port}/health/ready")
        except httpx.TransportError:
            await asyncio.sleep(0.2)
            continue
        if answer.status_code == 200:
            return
        await asyncio.sleep(0.2)
    raise AssertionError("not ready")


def asking(*tokens: str, **said: object) -> dict[str, object]:
    """Return the question of a clinician of all units."""
    asked = {"tokens": tokens, "viewer": "D1", "purpose": "TREAT", "role": "clinician"}
    return asked | {"units": ["*"]} | said


class Api:
    """The service's web part with the log in memory, and what stands behind it."""

    def __init__(self, service: Privacy, log: InMemoryLog, keys: Path, clock: ManualClock) -> None:
        self.service, self.log, self.keys, self.clock = service, log, keys, clock
        self.token = read_key(keys / "resolve.token").hex()
        transport = httpx.ASGITransport(app=service.web())  # type: ignore[arg-type]  # is an app
        self.client = httpx.AsyncClient(transport=transport, base_url="http://privacy")

    async def ask(self, route: str, body: object, token: str | None = None) -> httpx.Response:
        bearer = self.token if token is None else token
        headers = {"Authorization": f"Bearer {bearer}"}
        return await self.client.post(f"/v1/{route}", content=json.dumps(body), headers=headers)

    async def find(self, query: str) -> tuple[str, ...]:
        asked = {"query": query, "viewer": "D1", "purpose": "TREAT", "role": "clinician"}
        answer = await self.ask("find", asked)
        assert answer.status_code == 200
        return msgspec.json.decode(answer.content, type=FindAnswer).tokens

    async def resolve(self, *tokens: str, viewer: str = "D1") -> tuple[Identity, ...]:
        asked = asking(*tokens, viewer=viewer)
        answer = await self.ask("resolve", asked)
        assert answer.status_code == 200
        return msgspec.json.decode(answer.content, type=ResolveAnswer).identities

    def entries(self) -> list[AuditEntry]:
        return [AUDIT.decode(r.value) for r in self.log.records(AUDIT.name) if r.value]


@asynccontextmanager
async def an_api(tmp_path: Path, redis_url: str) -> AsyncIterator[Api]:
    keys, clock = make_keys(tmp_path / "site"), ManualClock()
    log = InMemoryLog([VAULT.name, MERGED.name, RELATIONS.name, AUDIT.name], clock=clock)
    settings = PrivacySettings(
        keys_dir=keys, redis_url=redis_url, state_dir=tmp_path / "state", erasure_grace_s=0.0
    )
    async with running(settings, log, log, clock) as service:
        api = Api(service, log, keys, clock)
        await service.open_mirrors(asyncio.Event())
        yield api
        await api.client.aclose()


@pytest.fixture
async def api(tmp_path: Path, redis_url: str) -> AsyncIterator[Api]:
    """The resolve API with three known patients; the first two are merged."""
    async with an_api(tmp_path, redis_url) as made:
        replica = a_replica(made.keys, redis_url, made.log, made.log)
        await replica.open()
        ingest = Ingest(made.keys)
        bodies = [a_body(ANNA), a_body(MING), a_merge(ANNA, a_person(7), link=True)]
        sealed = [ingest.seal(body, f"e{n}") for n, body in enumerate(bodies)]
        assert len(events_of(await replica.handle(sealed))) == 3
        await replica.redis.aclose()
        yield made


async def test_a_name_or_number_finds_all_tokens_of_the_person(api: Api) -> None:
    by_name = await api.find("VICKERS, Anna")
    assert by_name == await api.find("anna vickers")
    assert by_name == await api.find("1004-5678")
    assert len(by_name) == 2
    assert set(by_name) == set(await api.find("77000007"))
    assert len(await api.find("欧阳晓明")) == 1
    assert await api.find("vick") == ()
    assert await api.find("nobody") == ()


async def test_a_token_resolves_to_who_it_is(api: Api) -> None:
    tokens = await api.find("Anna Vickers")
    (ming,) = await api.find("ZY0098231")
    anna, other, found = await api.resolve(*tokens, ming, "unknown")
    assert (anna.name, anna.birth_date, anna.sex) == ("Anna Louise Vickers", "1950-03-07", "F")
    assert (anna.record_number, other.record_number) == ("10045678", "77000007")
    assert 1 <= anna.shift_days <= 365
    assert found.name == "欧阳晓明"


async def test_one_unreadable_entry_hides_nobody_else(api: Api) -> None:
    tokens = [*await api.find("Anna Vickers"), *await api.find("ZY0098231")]
    redis, name = api.service.redis, api.service.vault.mirror.hash
    everything: dict[bytes, bytes] = await redis.hgetall(name)  # type: ignore[assignment]
    people = {k: v for k, v in everything.items() if v[:1] == b"!" and k[:1] != b"@"}
    assert len(people) == len(tokens) == 3
    for link, raw in people.items():
        entry = VAULT.decode(raw[1:])
        altered = msgspec.structs.replace(entry, identity=entry.identity[::-1])
        await redis.hset(name, link, b"!" + VAULT.encode(altered))
        assert len(await api.resolve(*tokens)) == 2
        await redis.hset(name, link, raw)
    assert len(await api.resolve(*tokens)) == 3


async def test_another_key_than_the_vaults_is_told_at_the_start(api: Api, tmp_path: Path) -> None:
    other = make_keys(tmp_path / "other")
    settings = api.service.settings.model_copy(update={"keys_dir": other})
    async with running(settings, api.log, api.log, api.clock) as service:
        with pytest.raises(KeyUnreadable):
            await service.open_mirrors(asyncio.Event())


async def test_each_look_is_noted_once_in_a_quarter_before_the_answer(api: Api) -> None:
    tokens = await api.find("Anna Vickers")
    api.log.create(AUDIT.name)
    before = len(api.entries())
    await api.resolve(*tokens)
    await api.resolve(*tokens)
    assert len(api.entries()) == before + 2
    await api.resolve(tokens[0], viewer="D2")
    assert len(api.entries()) == before + 3
    api.clock.advance(15 * 60 + 1)
    await api.resolve(*tokens)
    assert len(api.entries()) == before + 5
    keys = load_privacy_keys(api.keys)
    last = api.entries()[-1]
    assert (last.viewer, last.token) == (staff_token(keys.staff, "D1"), tokens[1])
    text = str(api.entries())
    for word in ("Vickers", "10045678", "D1'", "anna"):
        assert word not in text


async def test_without_the_audit_nothing_is_told(api: Api) -> None:
    (token,) = await api.find("欧阳晓明")
    api.clock.advance(16 * 60)
    api.log.available = False
    asked = asking(token)
    answer = await api.ask("resolve", asked)
    assert (answer.status_code, answer.json()) == (503, {"status": "unavailable"})
    api.log.available = True
    assert (await api.ask("resolve", asked)).status_code == 200
    checkpoints, _ = api.service.settings.checkpoints().read()
    keys = {"privacy": load_privacy_keys(api.keys).audit.public_key()}
    verdict = await verify(api.log, checkpoints, keys, api.clock.now_ms())
    assert verdict.is_whole
    unchecked = await verify(
        api.log, [], keys, api.clock.now_ms()
    )  # then nobody could tell that an end is cut off
    assert (unchecked.is_whole, unchecked.unchecked) == (False, ("privacy",))
    (tally,) = verdict.tallies
    assert (tally.chains, tally.checkpoints, tally.unsigned) == (2, 2, 0)


async def test_tampering_with_the_audit_log_is_found(api: Api) -> None:
    await api.resolve(*await api.find("Anna Vickers"))
    checkpoints, _ = api.service.settings.checkpoints().read()
    keys = {"privacy": load_privacy_keys(api.keys).audit.public_key()}
    cut = InMemoryLog([AUDIT.name])
    records = api.log.records(AUDIT.name)
    for record in records[:-1]:
        await cut.write([Output(AUDIT.name, record.key, record.value)])
    verdict = await verify(cut, checkpoints, keys, api.clock.now_ms())
    assert [fault.kind for fault in verdict.faults] == ["cut_off"]
    altered = InMemoryLog([AUDIT.name])
    for record in records:
        value = (record.value or b"").replace(b'"action":"resolve"', b'"action":"nothing"')
        await altered.write([Output(AUDIT.name, record.key, value)])
    verdict = await verify(altered, checkpoints, keys, api.clock.now_ms())
    assert {fault.kind for fault in verdict.faults} == {"altered"}


@pytest.mark.parametrize("token", ["", "wrong", "0" * 64, "é"])
async def test_without_the_service_token_nothing_is_told(api: Api, token: str) -> None:
    headers = httpx.Headers([(b"Authorization", f"Bearer {token}".encode())])
    for route in ("resolve", "find", "staff"):
        answer = await api.client.post(f"/v1/{route}", content=b"{}", headers=headers)
        assert (answer.status_code, answer.json()) == (401, {"status": "unauthorized"})
    assert (await api.client.post("/v1/find", content=b"{}")).status_code == 401
    assert api.entries() == []


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("resolve", {"tokens": ["t"] * 201, "viewer": "D1", "purpose": "TREAT"}),
        ("resolve", {"tokens": ["t"], "viewer": "D1", "purpose": "CURIOSITY"}),
        ("resolve", {"tokens": ["t"], "viewer": " ", "purpose": "TREAT"}),
        ("resolve", {"tokens": "t", "viewer": "D1", "purpose": "TREAT"}),
        ("resolve", {"tokens": ["t"], "viewer": "D1", "purpose": "TREAT", "more": 1}),
        ("find", {"query": "x" * 201, "viewer": "D1", "purpose": "TREAT"}),
        ("find", {"viewer": "D1", "purpose": "TREAT"}),
        ("staff", []),
    ],
)
async def test_a_malformed_question_is_refused(api: Api, route: str, body: object) -> None:
    answer = await api.ask(route, body)
    assert answer.status_code == 422
    assert api.entries() == []


async def test_a_huge_question_is_refused(api: Api) -> None:
    answer = await api.ask("find", {"query": "x" * 100_000, "viewer": "D1", "purpose": "TREAT"})
    assert answer.status_code == 413


async def test_a_staff_number_gives_the_token_of_care_relations(api: Api) -> None:
    answer = await api.ask("staff", {"staff_id": "D4411"})
    token = msgspec.json.decode(answer.content, type=StaffAnswer).staff
    relation = [RELATIONS.decode(r.value) for r in api.log.records(RELATIONS.name) if r.value]
    assert token in {role.staff for found in relation for role in found.staff}


async def test_health_says_what_is_not_ready(api: Api) -> None:
    assert (await api.client.get("/health/live")).status_code == 200
    ready = await api.client.get("/health/ready")
    assert (ready.status_code, ready.json()["failing"]) == (503, ["stream"])
    assert "auscult_privacy_events_total" in (await api.client.get("/metrics")).text


def test_it_refuses_to_start_without_a_key(tmp_path: Path) -> None:
    keys = make_keys(tmp_path / "keys")
    (keys / "privacy" / "kek.key").unlink()
    environment = os.environ | {"PRIVACY_KEYS_DIR": str(keys)}
    done = subprocess.run(
        [sys.executable, "-m", "services.privacy"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == "privacy cannot start: kek.key: no such key file\n"
