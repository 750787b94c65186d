"""Ingest on a real broker: stored before acknowledged, through a broker's death and its own."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from pathlib import Path

import pytest

from contracts.answers import ANSWERS
from contracts.identified import IDENTIFIED, IdentifiedBody
from plumbing.clock import SystemClock
from plumbing.event_log import Record
from plumbing.kafka_log import KafkaConnection, KafkaReader
from services.ingest.__main__ import kafka_logs
from services.ingest.app import Ingest, running
from services.ingest.settings import IngestSettings
from tests.support.brokers import KafkaServer, apply_topics, free_port
from tests.unit.ingest.conftest import KeyFolder, Sender, make_keys, msa, sender

ORU = (
    "MSH|^~\\&|LAB|HOSP|AUSCULT|HOSP|20240501||ORU^R01^ORU_R01|{control_id}|P|2.5.1\r"
    "PID|1||{mrn}^^^HOSP^MR||Doe^Jane||19600101|F\r"
    "OBR|1||F1|2345-7^Glucose^LN|||20240501\r"
    "OBX|1|NM|2345-7^Glucose^LN||5.5|mmol/L|||||F\r"
)


def oru(control_id: str, mrn: str) -> bytes:
    return ORU.format(control_id=control_id, mrn=mrn).encode()


@pytest.fixture
def keys(tmp_path: Path) -> KeyFolder:
    days = SystemClock().now_ms() // 86_400_000
    today = date(1970, 1, 1) + timedelta(days=days)
    return make_keys(tmp_path / "keys", today.isoformat())


@asynccontextmanager
async def ingest(bootstrap: str, keys: KeyFolder, deadline_s: float = 5.0) -> AsyncIterator[Ingest]:
    """Run the service in this process against a real broker."""
    settings = IngestSettings(
        kafka_bootstrap=bootstrap,
        keys_dir=keys.folder,
        mllp_port=0,
        http_port=0,
        ack_deadline_s=deadline_s,
        drain_s=5,
    )
    clock = SystemClock()
    async with running(settings, kafka_logs(settings, clock), clock) as service:
        yield service


async def stored(bootstrap: str, topic: str) -> list[Record]:
    """Return every record of a topic."""
    reader = KafkaReader(KafkaConnection(bootstrap=bootstrap))
    found: list[Record] = []
    try:
        for partition in await reader.partitions(topic):
            end = await reader.end_offset(topic, partition)
            async for records in reader.read(topic, partition, 0, end):
                found += records
    finally:
        await reader.close()
    return found


async def bodies(bootstrap: str, keys: KeyFolder) -> list[IdentifiedBody]:
    """Return what is stored, opened."""
    found = []
    for record in await stored(bootstrap, IDENTIFIED.name):
        assert record.value is not None
        found.append(keys.open(IDENTIFIED.decode(record.value)))
    return found


async def test_stored_in_order_and_answered_once_through_restarts(
    own_kafka: KafkaServer, keys: KeyFolder
) -> None:
    apply_topics(own_kafka.bootstrap)
    names = [f"C{number}" for number in range(200)]
    async with ingest(own_kafka.bootstrap, keys) as service, sender(service.mllp.port) as link:
        for name in names:
            link.write(b"\x0b" + oru(name, f"M{int(name[1:]) % 7}") + b"\x1c\r")
        assert [msa(await link.answer()) for _ in names] == [("AA", name) for name in names]
    async with ingest(own_kafka.bootstrap, keys) as service, sender(service.mllp.port) as link:
        for name in names[:50]:
            assert msa(await link.send(oru(name, f"M{int(name[1:]) % 7}"))) == ("AA", name)
    found = await bodies(own_kafka.bootstrap, keys)
    assert sorted(body.control_id for body in found) == sorted(names)
    for patient in range(7):
        own = [b.control_id for b in found if b.patient.ids[0].value == f"M{patient}"]
        assert own == [name for name in names if int(name[1:]) % 7 == patient]
    assert len(await stored(own_kafka.bootstrap, ANSWERS.name)) == len(names)


@asynccontextmanager
async def ingest_process(
    bootstrap: str, keys: KeyFolder, ack_deadline_s: float
) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    """Run ``python -m services.ingest``; yield the process and its MLLP port, once it listens."""
    port = free_port()
    environment = {
        "INGEST_KAFKA_BOOTSTRAP": bootstrap,
        "INGEST_KEYS_DIR": str(keys.folder),
        "INGEST_MLLP_PORT": str(port),
        "INGEST_HTTP_PORT": str(free_port()),
        "INGEST_ACK_DEADLINE_S": str(ack_deadline_s),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.ingest", env={**os.environ, **environment}
    )
    try:
        async with asyncio.timeout(60):
            while not await listens(port):
                assert process.returncode is None
                await asyncio.sleep(0.1)
        yield process, port
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def listens(port: int) -> bool:
    """Return whether somebody takes connections there."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


async def deliver(link: Sender, content: bytes) -> tuple[str, list[str]]:
    """Send until it is answered for good, as a hospital does; return MSA-1 of all answers."""
    codes: list[str] = []
    while not codes or codes[-1] == "AE":
        link.write(b"\x0b" + content + b"\x1c\r")
        answer = await link.reader.readuntil(b"\x1c\r")
        codes.append(msa(answer[1:-2])[0])
    return codes[-1], codes[:-1]


async def test_a_dead_broker_gives_no_aa_and_its_return_goes_on(
    own_kafka: KafkaServer, keys: KeyFolder
) -> None:
    apply_topics(own_kafka.bootstrap)
    async with ingest_process(own_kafka.bootstrap, keys, 1.0) as (process, port):
        async with sender(port) as link:
            assert await deliver(link, oru("C1", "M1")) == ("AA", [])
            own_kafka.kill()
            assert msa(await link.send(oru("C2", "M1"))) == ("AE", "C2")
            await asyncio.to_thread(own_kafka.start)
            async with asyncio.timeout(90):
                code, _ = await deliver(link, oru("C2", "M1"))
            assert code == "AA"
        process.terminate()
        async with asyncio.timeout(30):
            assert await process.wait() == 0
    found = await stored(own_kafka.bootstrap, IDENTIFIED.name)
    ids = [dict(record.headers)["event_id"] for record in found]
    # What was written twice bears the same id: later stages know it and drop it.
    assert len(set(ids)) == 2


async def test_killed_at_any_time_no_acknowledged_message_is_missing(
    own_kafka: KafkaServer, keys: KeyFolder
) -> None:
    apply_topics(own_kafka.bootstrap)
    names = [f"C{number}" for number in range(120)]
    acknowledged: list[str] = []
    for _ in range(3):
        async with (
            ingest_process(own_kafka.bootstrap, keys, 5.0) as (process, port),
            sender(port) as link,
        ):
            for name in names:  # a sender that lost its connection begins anew
                link.write(b"\x0b" + oru(name, "M1") + b"\x1c\r")
            for _ in range(len(acknowledged) + 40):
                if len(acknowledged) >= len(names):
                    break
                answer = msa(await link.answer())
                assert answer[0] == "AA"
                if answer[1] not in acknowledged:
                    acknowledged.append(answer[1])
            process.kill()
            await process.wait()
    assert acknowledged == names
    found = await bodies(own_kafka.bootstrap, keys)
    assert {body.control_id for body in found} >= set(acknowledged)
    first_seen = list(dict.fromkeys(body.control_id for body in found))
    assert first_seen == names  # in the order they were sent, whatever was repeated
    records = await stored(own_kafka.bootstrap, IDENTIFIED.name)
    assert len({dict(record.headers)["event_id"] for record in records}) == len(names)
