"""The gateway as a process on a real broker and a real Redis: killed, stopped, refused."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
import redis

from cli.commands.keys import generate
from cli.stack.scratch import free_ports
from contracts.assessed import ASSESSED, CURRENT
from contracts.rejection import Rejection, rejected
from contracts.relations import RELATIONS
from plumbing.event_log import Output
from plumbing.kafka_connection import KafkaConnection
from plumbing.kafka_log import KafkaReader
from plumbing.kafka_writer import KafkaWriter
from services.gateway.read_model import ReadModel
from tests.support.gateway_world import a_relation, an_assessment

PREFIX = uuid4().hex[:12]
TOKENS = [f"{PREFIX}{number:014d}" for number in range(12)]
WAIT_S = 120.0  # a start takes seconds of processor time, and machines are busy


class Place:
    """Where one gateway runs."""

    def __init__(self, kafka: str, redis_url: str, folder: Path) -> None:
        self.port, self.metrics_port, nobody = free_ports(3)
        self.keys = folder / "keys"
        generate(self.keys, datetime.now(UTC).date())
        self.state = folder / "state"
        self.log = folder / "log.jsonl"
        self.environment = {
            **os.environ,
            "GATEWAY_KAFKA_BOOTSTRAP": kafka,
            "GATEWAY_REDIS_URL": redis_url,
            "GATEWAY_PORT": str(self.port),
            "GATEWAY_METRICS_PORT": str(self.metrics_port),
            "GATEWAY_KEYS_DIR": str(self.keys),
            "GATEWAY_STATE_DIR": str(self.state),
            "GATEWAY_INSTANCE_ID": "gateway-1",
            "GATEWAY_PRIVACY_URL": f"http://127.0.0.1:{nobody}",
        }

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "services.gateway"], env=self.environment, stderr=log
            )
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    async def until(self, done: Callable[[], object]) -> None:
        async with asyncio.timeout(WAIT_S):
            while not await asyncio.to_thread(done):  # noqa: ASYNC110  # another process
                await asyncio.sleep(0.2)

    def ready(self) -> bool:
        try:
            answer = httpx.get(f"http://127.0.0.1:{self.metrics_port}/health/ready")
        except httpx.HTTPError:
            return False
        return answer.status_code == 200


@pytest.fixture
def place(kafka_broker: str, topics: tuple[str, ...], redis_url: str, tmp_path: Path) -> Place:
    return Place(kafka_broker, redis_url, tmp_path)


async def tell(bootstrap: str, turn: int) -> set[str]:
    """Write one result, report and visit of each patient; return the ids of the results."""
    writer = KafkaWriter(KafkaConnection(bootstrap=bootstrap))
    outputs = []
    for token in TOKENS:
        event_id = f"{token}-{turn}"
        report = an_assessment(token, event_id, basis="person", seen={token: turn})
        values = {
            RELATIONS.name: RELATIONS.encode(a_relation(token, "W1")),
            ASSESSED.name: ASSESSED.encode(an_assessment(token, event_id)),
            CURRENT.name: CURRENT.encode(report),
        }
        outputs += [Output(topic, token.encode(), value) for topic, value in values.items()]
    await writer.write(outputs)
    await writer.close()
    return {f"{token}-{turn}" for token in TOKENS}


async def visible(url: str) -> set[str]:
    """Return the visible results of our patients (the broker serves other tests too)."""
    model = ReadModel.at(url)
    try:
        return {one for one in await model.visible_event_ids(12) if one.startswith(PREFIX)}
    finally:
        await model.close()


async def test_killed_and_emptied_it_shows_everything_once(
    place: Place, kafka_broker: str, redis_url: str
) -> None:
    expected = await tell(kafka_broker, 0)

    async def shown() -> None:
        async with asyncio.timeout(WAIT_S):
            while await visible(redis_url) != expected:  # noqa: ASYNC110  # another process
                await asyncio.sleep(0.2)

    with place.running() as process:
        await shown()
        await place.until(place.ready)
        expected |= await tell(kafka_broker, 1)
        process.send_signal(signal.SIGKILL)
        process.wait()
    expected |= await tell(kafka_broker, 2)
    with place.running() as process:
        await shown()
        with redis.Redis.from_url(redis_url) as client:
            client.flushall()
            await shown()
            rows = [key for number in range(12) for key in client.hkeys(f"gw:cur:{number}")]
        assert {token.encode() for token in TOKENS} <= set(rows)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    log = place.log.read_text()
    assert "Traceback" not in log
    assert TOKENS[0] not in log


async def refusals(bootstrap: str, key: str) -> list[Rejection]:
    """Return what was refused of a token's reports."""
    bin_topic, reader = rejected(CURRENT), KafkaReader(KafkaConnection(bootstrap=bootstrap))
    found = []
    try:
        for partition in await reader.partitions(bin_topic.name):
            end = await reader.end_offset(bin_topic.name, partition)
            async for records in reader.read(bin_topic.name, partition, 0, end):
                found += [
                    bin_topic.decode(r.value or b"") for r in records if r.key == key.encode()
                ]
    finally:
        await reader.close()
    return found


async def test_a_record_that_is_no_report_does_not_stop_its_partition(
    place: Place, kafka_broker: str, redis_url: str
) -> None:
    token = f"{PREFIX}-broken"

    async def tell_reports(*values: bytes) -> None:
        writer = KafkaWriter(KafkaConnection(bootstrap=kafka_broker))
        for value in values:  # one key: all in one partition
            await writer.write([Output(CURRENT.name, token.encode(), value)])
        await writer.close()

    def a_report(name: str, turn: int) -> bytes:
        return CURRENT.encode(an_assessment(token, name, basis="person", seen={token: turn}))

    def shows(name: bytes) -> bool:
        with redis.Redis.from_url(redis_url) as client:
            return any(name in (client.hget(f"gw:cur:{n}", token) or b"") for n in range(12))

    await tell_reports(b'{"basis": "of another version"', a_report("first", 1))
    with place.running():
        await place.until(lambda: shows(b"first"))
        await tell_reports(a_report("second", 2))
        await place.until(lambda: shows(b"second"))
        await place.until(place.ready)
    (refused,) = await refusals(kafka_broker, token)
    assert (refused.code, refused.topic, refused.stage) == ("undecodable", CURRENT.name, "gateway")
    assert refused.payload == b""


async def test_it_answers_serves_pages_and_counts(place: Place) -> None:
    with place.running():
        await place.until(place.ready)
        base = f"http://127.0.0.1:{place.port}"
        async with httpx.AsyncClient(base_url=base) as client:
            assert (await client.get("/v1/worklist")).status_code == 401
            assert (await client.get("/login")).status_code in (200, 401)
            away = await client.get("/auth/login")
            assert away.headers["location"] == "/login?error=issuer"
            document = (await client.get("/openapi.json")).json()
            metrics = (await client.get(f"http://127.0.0.1:{place.metrics_port}/metrics")).text
        assert "/v1/worklist" in document["paths"]
        assert (
            'auscult_http_requests_total{code="401",method="GET",route="/v1/worklist"}' in metrics
        )


@pytest.mark.parametrize("name", ["resolve.token", "gateway/audit.ed25519"])
@pytest.mark.parametrize("text", ["short", "ab" * 31, None])
async def test_without_a_key_it_does_not_start(place: Place, name: str, text: str | None) -> None:
    if text is None:
        (place.keys / name).unlink()
    else:
        (place.keys / name).write_text(text)
    with place.running() as process:
        assert await asyncio.to_thread(process.wait, WAIT_S) == 1
    (line,) = place.log.read_text().splitlines()
    assert line.startswith(f"gateway cannot start: {name}")
    assert "auscult keys generate" in line


async def test_without_a_place_for_checkpoints_it_does_not_start(place: Place) -> None:
    place.state.write_text("no folder")
    with place.running() as process:
        assert await asyncio.to_thread(process.wait, WAIT_S) == 1
    (line,) = place.log.read_text().splitlines()
    assert line.startswith("gateway cannot start: ")


async def test_without_its_port_it_does_not_start(place: Place) -> None:
    place.environment["GATEWAY_PORT"] = str(place.metrics_port)
    server = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", place.metrics_port)
    async with server:
        with place.running() as process:
            assert await asyncio.to_thread(process.wait, WAIT_S) == 1
    assert "gateway cannot start" in place.log.read_text().splitlines()[-1]
