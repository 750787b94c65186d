"""The largest messages on a real broker: what was answered AA comes out of inference, all of it."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.commands.keys import generate
from contracts.assessed import ASSESSED
from contracts.deidentified import DEIDENTIFIED, DeidentifiedEvent
from contracts.identified import IDENTIFIED
from contracts.rejection import rejected
from plumbing.clock import SystemClock
from plumbing.kafka_log import KafkaConnection, KafkaReader
from services.ingest.__main__ import kafka_logs
from services.ingest.app import Ingest, running
from services.ingest.settings import IngestSettings
from tests.integration.test_inference_service import said, service
from tests.integration.test_ingest_kafka import stored
from tests.integration.test_privacy_service import Process
from tests.support.brokers import KafkaServer, apply_topics
from tests.unit.ingest.conftest import sender
from tests.unit.ingest.test_large import send, with_text
from tests.unit.ingest.test_many_values import of_results
from tests.unit.ingest.test_mllp import oru

FRAME_BYTES_MAX = 16 * 1024 * 1024
WAIT_S = 120.0
DOCUMENT_BYTES = FRAME_BYTES_MAX - 4_096


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    generate(tmp_path / "keys", datetime.now(UTC).date())
    return tmp_path / "keys"


@contextmanager
def privacy(bootstrap: str, redis_url: str, keys: Path, folder: Path) -> Iterator[None]:
    told = {
        "PRIVACY_KAFKA_BOOTSTRAP": bootstrap,
        "PRIVACY_REDIS_URL": redis_url,
        "PRIVACY_KEYS_DIR": str(keys),
        "PRIVACY_STATE_DIR": str(folder / "privacy"),
        "PRIVACY_HTTP_PORT": "0",
    }
    process = Process(told, folder / "privacy.log")
    process.start()
    try:
        yield
    finally:
        process.kill()


@asynccontextmanager
async def ingest(bootstrap: str, keys: Path, folder: Path) -> AsyncIterator[Ingest]:
    settings = IngestSettings(
        kafka_bootstrap=bootstrap,
        keys_dir=keys,
        state_dir=folder / "ingest",
        mllp_port=0,
        http_port=0,
        ack_deadline_s=60,
    )
    clock = SystemClock()
    async with running(settings, kafka_logs(settings, clock), clock) as service:
        yield service


async def until_assessed(bootstrap: str, number: int) -> dict[str, DeidentifiedEvent]:
    """Wait until so many events are assessed, or refused; return the de-identified ones."""
    reader = KafkaReader(KafkaConnection(bootstrap=bootstrap))
    deadline = time.monotonic() + WAIT_S
    try:
        while time.monotonic() < deadline:
            assert not await stored(bootstrap, rejected(IDENTIFIED).name)
            assessed = {one.event_id for one in await said(reader, ASSESSED)}
            if len(assessed) >= number:
                break
            await asyncio.sleep(0.5)
    finally:
        await reader.close()
    events = [
        DEIDENTIFIED.decode(record.value)
        for record in await stored(bootstrap, DEIDENTIFIED.name)
        if record.value
    ]
    assert {event.event_id for event in events} == assessed
    return {event.event_id: event for event in events}


async def test_all_that_was_answered_aa_is_assessed(
    own_kafka: KafkaServer, redis_url: str, keys: Path, tmp_path: Path
) -> None:
    bootstrap = own_kafka.bootstrap
    apply_topics(bootstrap, 2)
    document = with_text("DOC", "TX", "lungs clear. " * (DOCUMENT_BYTES // 13))
    async with ingest(bootstrap, keys, tmp_path) as door, sender(door.mllp.port) as link:
        for name, message in (
            ("TEN", of_results("TEN", 10_000)),
            ("MOST", of_results("MOST", 60_000 - 1)),  # as many as are taken
            ("DOC", document),
            ("SMALL", oru("SMALL")),
        ):
            assert await send(link, message) == ("AA", name)
    number = len(await stored(bootstrap, IDENTIFIED.name))
    with (
        privacy(bootstrap, redis_url, keys, tmp_path),
        service(bootstrap, redis_url, tmp_path),
    ):
        found = await until_assessed(bootstrap, number)
    assert len(found) == number
    results = [one for event in found.values() for one in event.observations]
    assert sum(one.kind == "quantity" for one in results) == 10_000 + 59_999 + 2
    (held,) = [note for event in found.values() for note in event.notes if note.held]
    assert held.held == "too_long"
