"""The audit as a site has it: two services, a real broker, and somebody who changes the log."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest
from kafka import KafkaAdminClient

from contracts.audited import AUDIT, AuditEntry
from plumbing.clock import SystemClock
from plumbing.event_log import Output, Record
from plumbing.kafka_connection import KafkaConnection
from plumbing.kafka_log import KafkaReader, KafkaWriter
from plumbing.key_files import read_key
from services.gateway.sessions import Claims, Sessions
from tests.integration.test_gateway_service import Place, tell
from tests.support.brokers import KafkaServer, apply_topics, free_port


class Site(Place):
    """A gateway and a privacy beside it, on a broker of their own."""

    def __init__(self, kafka: str, redis_url: str, folder: Path) -> None:
        super().__init__(kafka, redis_url, folder)
        self.kafka, self.folder = kafka, folder
        self.privacy_port = free_port()
        self.environment |= {
            "GATEWAY_PRIVACY_URL": f"http://127.0.0.1:{self.privacy_port}",
            "PRIVACY_KAFKA_BOOTSTRAP": kafka,
            "PRIVACY_REDIS_URL": redis_url,
            "PRIVACY_KEYS_DIR": str(self.keys),
            "PRIVACY_STATE_DIR": str(folder / "privacy"),
            "PRIVACY_HTTP_PORT": str(self.privacy_port),
            "PRIVACY_INSTANCE_ID": "privacy-1",
        }

    @contextmanager
    def both_running(self) -> Iterator[None]:
        with self.log.open("ab") as log:
            privacy = subprocess.Popen(
                [sys.executable, "-m", "services.privacy"], env=self.environment, stderr=log
            )
        try:
            with self.running():
                yield
        finally:
            privacy.kill()
            privacy.wait()

    def both_ready(self) -> bool:
        try:
            answer = httpx.get(f"http://127.0.0.1:{self.privacy_port}/health/ready")
        except httpx.HTTPError:
            return False
        return answer.status_code == 200 and self.ready()

    def looks(self, staff_id: str) -> bool:
        """Look at the list; return whether identities were shown with it."""
        key = read_key(self.keys / "gateway" / "session.key")
        claims = Claims(staff_id, "Dr Lin", frozenset({"clinician"}), frozenset({"*"}))
        cookie = Sessions(key, 3600, SystemClock(), lambda size: "ab" * size).begin(claims)
        answer = httpx.get(
            f"http://127.0.0.1:{self.port}/v1/worklist", cookies={"auscult_session": cookie}
        )
        return answer.status_code == 200 and answer.json()["identity"] == "ok"

    def checkpoints(self, writer: str) -> Path:
        return {"privacy": self.folder / "privacy", "gateway": self.state}[writer] / "audit"

    def verify(self) -> tuple[int, list[str]]:
        """Run ``auscult audit verify``; return its exit code and its lines."""
        command = [sys.executable, "-m", "cli.main", "audit", "verify", "--bootstrap", self.kafka]
        for writer in ("privacy", "gateway"):
            command += ["--checkpoints", str(self.checkpoints(writer))]
            command += ["--key", f"{writer}={self.keys / writer / 'audit.pub'}"]
        done = subprocess.run(command, check=False, capture_output=True, text=True, env=os.environ)
        assert done.stderr == ""
        return done.returncode, done.stdout.splitlines()


@pytest.fixture
def site(spare_kafka: KafkaServer, redis_url: str, tmp_path: Path) -> Site:
    apply_topics(spare_kafka.bootstrap, partitions=1)
    return Site(spare_kafka.bootstrap, redis_url, tmp_path)


async def records_of(bootstrap: str) -> list[Record]:
    reader = KafkaReader(KafkaConnection(bootstrap=bootstrap))
    end = await reader.end_offset(AUDIT.name, 0)
    found = [one async for batch in reader.read(AUDIT.name, 0, 0, end) for one in batch]
    await reader.close()
    return found


async def make_anew(bootstrap: str, records: list[Record]) -> None:
    """Do what whoever may write to the broker can do: drop the topic and fill it again."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    admin.delete_topics([AUDIT.name])
    async with asyncio.timeout(30):
        while AUDIT.name in admin.list_topics():  # noqa: ASYNC110  # another process
            await asyncio.sleep(0.1)
    admin.close()
    apply_topics(bootstrap, partitions=1)
    writer = KafkaWriter(KafkaConnection(bootstrap=bootstrap))
    await writer.write([Output(AUDIT.name, one.key, one.value) for one in records])
    await writer.close()


def entry_of(record: Record) -> AuditEntry:
    return AUDIT.decode(record.value or b"")


async def test_what_is_done_to_either_chain_is_found(site: Site) -> None:
    await tell(site.kafka, 0)
    with site.both_running():
        await site.until(site.both_ready)
        for viewer in ("D1", "D2", "D3"):
            await site.until(partial(site.looks, viewer))
    records = await records_of(site.kafka)
    of = {
        name: [one for one in records if entry_of(one).writer == name]
        for name in ("privacy", "gateway")
    }
    assert [entry_of(one).action for one in of["gateway"]] == ["worklist"] * 3
    assert len(of["privacy"]) >= 6  # three times a member of staff and a look
    code, lines = site.verify()
    assert (code, lines[-1].rsplit(": ", 1)[1]) == (0, "whole"), lines
    assert lines[0] == (
        f"privacy: {len(of['privacy'])} entries in 1 chains, 1 checkpoints, 0 entries after them"
    )
    assert lines[1] == "gateway: 3 entries in 1 chains, 1 checkpoints, 0 entries after them"

    for name, mine in of.items():
        start, last = entry_of(mine[-1]).start, len(mine) - 1
        others = [one for one in records if one not in mine]
        broken = {
            f"cut_off: {name} {start} entry {last}": mine[:-1],
            f"missing: {name} {start} entry 1": mine[1:],
            f"reordered: {name} {start} entry 0": [mine[1], mine[0], *mine[2:]],
        }
        for expected, left in broken.items():
            await make_anew(site.kafka, [*others, *left])
            code, lines = site.verify()
            assert (code, lines[-1].rsplit(": ", 1)[1]) == (1, "NOT whole"), lines
            assert expected in lines
            assert [line for line in lines[:-3] if f": {name} " not in line] == []


async def test_a_wrong_key_or_folder_is_never_whole(site: Site) -> None:
    (site.state / "audit").mkdir(parents=True)
    (site.state / "audit" / "gateway-x.json").write_text("{}")
    command = [sys.executable, "-m", "cli.main", "audit", "verify", "--bootstrap", site.kafka]
    keys = [
        f"--key={writer}={site.keys / writer / 'audit.pub'}" for writer in ("privacy", "gateway")
    ]
    folder = f"--checkpoints={site.checkpoints('gateway')}"

    def run(*options: str) -> tuple[int, str]:
        done = subprocess.run([*command, *options], check=False, capture_output=True, text=True)
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout + done.stderr

    code, said = await asyncio.to_thread(run, *keys, folder)
    assert code == 1
    assert "gateway-x.json is no checkpoint" in said
    assert "NOT whole" in said
    (site.keys / "gateway" / "audit.pub").unlink()
    code, said = await asyncio.to_thread(run, *keys, folder)
    assert code == 2
    assert "the key of gateway cannot be used" in said
    code, said = await asyncio.to_thread(run, *keys, "--checkpoints=nowhere")
    assert code == 2
    code, said = await asyncio.to_thread(run, "--key=somebody=file", folder)
    assert code == 2
    assert "somebody writes no audit" in said
