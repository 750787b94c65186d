"""Ingest on a real broker: stored before acknowledged, through a broker's death and its own."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date, timedelta
from pathlib import Path

import pytest

from cli.stack.scratch import free_ports
from contracts.answers import ANSWERS
from contracts.identified import IDENTIFIED, IdentifiedBody
from plumbing.clock import SystemClock
from plumbing.event_log import Record
from plumbing.kafka_log import KafkaConnection, KafkaReader
from services.ingest.__main__ import kafka_logs
from services.ingest.app import Ingest, running
from services.ingest.settings import IngestSettings
from tests.support.brokers import KafkaServer, apply_topics
from tests.support.ingest_killed import BROKER_STEPS, STEPS
from tests.support.resends import a_month, require_exact
from tests.support.resends import deliver as send_month
from tests.unit.ingest.conftest import KeyFolder, Sender, make_keys, msa, sender

ORU = (
    "MSH|^~\\&|LAB|HOSP|AUSCULT|HOSP|20240501||ORU^R01^ORU_R01|{control_id}|P|2.5.1\r"
    "PID|1||{mrn}^^^HOSP^MR||Doe^Jane||19600101|F\r"
    "OBR|1||F1|2345-7^Glucose^LN|||20240501\r"
    "OBX|1|NM|2345-7^Glucose^LN||5.5|mmol/L|||||F\r"
)
PARTITIONS = 3  # a broker that was killed opens each of each topic


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
        state_dir=keys.folder.parent / "state",
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
    spare_kafka: KafkaServer, keys: KeyFolder
) -> None:
    apply_topics(spare_kafka.bootstrap, PARTITIONS)
    names = [f"C{number}" for number in range(200)]
    async with (
        ingest(spare_kafka.bootstrap, keys) as service,
        sender(service.mllp.port) as link,
    ):
        for name in names:
            link.write(b"\x0b" + oru(name, f"M{int(name[1:]) % 7}") + b"\x1c\r")
        assert [msa(await link.answer()) for _ in names] == [("AA", name) for name in names]
    async with (
        ingest(spare_kafka.bootstrap, keys) as service,
        sender(service.mllp.port) as link,
    ):
        for name in names[:50]:
            assert msa(await link.send(oru(name, f"M{int(name[1:]) % 7}"))) == ("AA", name)
    found = await bodies(spare_kafka.bootstrap, keys)
    assert sorted(body.control_id for body in found) == sorted(names)
    for patient in range(7):
        own = [b.control_id for b in found if b.patient.ids[0].value == f"M{patient}"]
        assert own == [name for name in names if int(name[1:]) % 7 == patient]
    assert len(await stored(spare_kafka.bootstrap, ANSWERS.name)) == len(names)


@asynccontextmanager
async def ingest_process(
    bootstrap: str,
    keys: KeyFolder,
    ack_deadline_s: float = 5.0,
    instance: str = "test",
    program: Sequence[str] = ("services.ingest",),
    http_port: int = 0,
) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    """Run ``python -m services.ingest``; yield the process and its MLLP port, once it listens."""
    port, other_port = free_ports(2)
    environment = {
        "INGEST_KAFKA_BOOTSTRAP": bootstrap,
        "INGEST_KEYS_DIR": str(keys.folder),
        "INGEST_STATE_DIR": str(keys.folder.parent / "state"),
        "INGEST_MLLP_PORT": str(port),
        "INGEST_HTTP_PORT": str(http_port or other_port),
        "INGEST_ACK_DEADLINE_S": str(ack_deadline_s),
        "INGEST_GROUP_TIMEOUT_S": "3",
        "INGEST_INSTANCE_ID": instance,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *program, env={**os.environ, **environment}
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
    spare_kafka: KafkaServer, keys: KeyFolder
) -> None:
    apply_topics(spare_kafka.bootstrap, PARTITIONS)
    async with ingest_process(spare_kafka.bootstrap, keys, 1.0) as (process, port):
        async with sender(port) as link:
            assert await deliver(link, oru("C1", "M1")) == ("AA", [])
            spare_kafka.kill()
            assert msa(await link.send(oru("C2", "M1"))) == ("AE", "C2")
            await asyncio.to_thread(spare_kafka.start)
            async with asyncio.timeout(90):
                code, _ = await deliver(link, oru("C2", "M1"))
            assert code == "AA"
        process.terminate()
        async with asyncio.timeout(30):
            assert await process.wait() == 0
    assert await control_ids(spare_kafka.bootstrap, keys, 2) == ["C1", "C2"]


async def control_ids(bootstrap: str, keys: KeyFolder, at_least: int) -> list[str]:
    """Return the control ids on the topic, as often as they are there (read committed)."""
    async with asyncio.timeout(30):
        while True:
            found = sorted(body.control_id for body in await bodies(bootstrap, keys))
            if len(found) >= at_least:
                return found
            await asyncio.sleep(0.2)  # a commit that was confirmed shows a moment later


class Hospital:
    """Sends again, on a new connection, what was not answered AA; in the order of its list."""

    def __init__(self, names: Sequence[str]) -> None:
        self.waiting = list(names)
        self.accepted: list[str] = []

    async def send(self, port: int) -> None:
        """Send what waits, many on their way at once, until all is accepted or the line breaks."""
        async with sender(port) as link:
            for name in self.waiting:
                link.write(b"\x0b" + oru(name, "M1") + b"\x1c\r")
            for _ in tuple(self.waiting):
                answer = await link.reader.readuntil(b"\x1c\r")
                code, name = msa(answer[1:-2])
                if code == "AA":
                    self.waiting.remove(name)
                    self.accepted.append(name)
                else:
                    assert code == "AE"

    async def try_to_send(self, port: int) -> None:
        """The same; a line that breaks is no failure."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await self.send(port)


async def test_ingest_killed_at_every_step_each_accepted_message_is_there_once(
    spare_kafka: KafkaServer, keys: KeyFolder
) -> None:
    apply_topics(spare_kafka.bootstrap, PARTITIONS)
    sent: list[str] = []
    hospital = Hospital([])
    for step in (*STEPS, ""):
        plan = f"{step}:1" if step else ""
        program = ("tests.support.ingest_killed", plan, "0")
        fresh = [f"{step or 'last'}-{number}" for number in range(30)]
        sent += fresh
        hospital.waiting += fresh
        async with ingest_process(spare_kafka.bootstrap, keys, program=program) as (
            process,
            port,
        ):
            if step:
                await hospital.try_to_send(port)
                async with asyncio.timeout(60):
                    assert await process.wait() == -signal.SIGKILL
            else:
                await hospital.send(port)
    assert hospital.waiting == []
    assert sorted(hospital.accepted) == sorted(sent)
    assert await control_ids(spare_kafka.bootstrap, keys, len(sent)) == sorted(sent)


@pytest.mark.timeout(600)
async def test_the_broker_killed_at_every_step_each_accepted_message_is_there_once(
    spare_kafka: KafkaServer, keys: KeyFolder
) -> None:
    apply_topics(spare_kafka.bootstrap, PARTITIONS)
    sent: list[str] = []
    hospital = Hospital([])
    for step in BROKER_STEPS:
        program = ("tests.support.ingest_killed", f"{step}:1", str(spare_kafka.pid))
        fresh = [f"{step}-{number}" for number in range(30)]
        sent += fresh
        hospital.waiting += fresh
        async with ingest_process(spare_kafka.bootstrap, keys, 1.0, program=program) as (
            _,
            port,
        ):
            async with asyncio.timeout(120):
                while spare_kafka.is_running:
                    await hospital.try_to_send(port)
                    await more_to_send(hospital, sent, step)
                await asyncio.to_thread(spare_kafka.start)
                while hospital.waiting:
                    await hospital.try_to_send(port)
                    await asyncio.sleep(0.2)
    assert sorted(hospital.accepted) == sorted(sent)
    assert await control_ids(spare_kafka.bootstrap, keys, len(sent)) == sorted(sent)


async def more_to_send(hospital: Hospital, sent: list[str], step: str) -> None:
    """A group more, where all were accepted before the plan's step came."""
    if not hospital.waiting:
        name = f"{step}-more-{len(sent)}"
        sent.append(name)
        hospital.waiting.append(name)
    await asyncio.sleep(0.05)


@pytest.mark.timeout(
    3_600
)  # the whole month, by --month-messages=100000, is no part of `make test`
async def test_a_month_of_resends_through_two_listeners_is_exact(
    spare_kafka: KafkaServer, keys: KeyFolder, month_messages: int
) -> None:
    apply_topics(spare_kafka.bootstrap, PARTITIONS)
    month = a_month(month_messages, seed=11)
    async with (
        ingest_process(spare_kafka.bootstrap, keys, 60, instance="one") as (_, first),
        ingest_process(spare_kafka.bootstrap, keys, 60, instance="two") as (_, second),
    ):
        await send_month(month, (first, second))
    await control_ids(spare_kafka.bootstrap, keys, month.contents)
    require_exact(month, await bodies(spare_kafka.bootstrap, keys))


async def test_a_second_process_of_the_same_name_ends_the_first(
    spare_kafka: KafkaServer, keys: KeyFolder
) -> None:
    apply_topics(spare_kafka.bootstrap, PARTITIONS)
    async with ingest_process(spare_kafka.bootstrap, keys) as (first, port):
        async with ingest_process(spare_kafka.bootstrap, keys) as (_, new_port):
            await Hospital([]).try_to_send(port)
            old, new = Hospital(["C1", "C2"]), Hospital(["C1", "C2"])
            await old.try_to_send(port)
            async with asyncio.timeout(60):
                assert await first.wait() == 1
            await new.send(new_port)
        assert (old.accepted, new.accepted) == ([], ["C1", "C2"])
    assert await control_ids(spare_kafka.bootstrap, keys, 2) == ["C1", "C2"]
