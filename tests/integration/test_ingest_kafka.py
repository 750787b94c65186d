"""Ingest on a real broker: stored before acknowledged, through a broker's death and its own."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from pathlib import Path

import pytest

from contracts.answers import ANSWERS
from contracts.identified import IDENTIFIED, IdentifiedBody
from plumbing.clock import SystemClock
from plumbing.event_log import Record
from plumbing.kafka_log import KafkaConnection, KafkaReader, KafkaWriter
from services.ingest.app import Ingest, running
from services.ingest.settings import IngestSettings
from tests.support.brokers import KafkaServer, apply_topics
from tests.unit.ingest.conftest import KeyFolder, make_keys, msa, sender

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
        keys_dir=keys.folder, mllp_port=0, http_port=0, ack_deadline_s=deadline_s, drain_s=5
    )
    connection = KafkaConnection(bootstrap=bootstrap)
    writer, reader = KafkaWriter(connection), KafkaReader(connection)
    async with running(settings, writer, reader, SystemClock()) as service:
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


# kafka-python leaves the socket of each failed connection attempt to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_dead_broker_gives_no_aa_and_its_return_goes_on(
    own_kafka: KafkaServer, keys: KeyFolder
) -> None:
    apply_topics(own_kafka.bootstrap)
    async with (
        ingest(own_kafka.bootstrap, keys, deadline_s=1.0) as service,
        sender(service.mllp.port) as link,
    ):
        assert msa(await link.send(oru("C1", "M1"))) == ("AA", "C1")
        own_kafka.kill()
        assert msa(await link.send(oru("C2", "M1"))) == ("AE", "C2")
        own_kafka.start()
        async with asyncio.timeout(60):
            link.write(b"\x0b" + oru("C2", "M1") + b"\x1c\r")
            answer = await link.reader.readuntil(b"\x1c\r")
            while msa(answer[1:-2])[0] == "AE":
                link.write(b"\x0b" + oru("C2", "M1") + b"\x1c\r")
                answer = await link.reader.readuntil(b"\x1c\r")
        assert msa(answer[1:-2]) == ("AA", "C2")
    found = await stored(own_kafka.bootstrap, IDENTIFIED.name)
    ids = [dict(record.headers)["event_id"] for record in found]
    # What was written twice bears the same id: later stages know it and drop it.
    assert len(set(ids)) == 2
    gc.collect()
