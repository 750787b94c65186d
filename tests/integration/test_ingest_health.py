"""Health answers at once while the front door is at full load and while Kafka is slow or gone."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import httpx

from bench.mllp import Load, LoadSender
from plumbing.clock import SystemClock
from tests.integration.test_ingest_kafka import ingest_process, keys
from tests.support.brokers import KafkaServer, apply_topics, free_port
from tests.support.timing import assert_within, timed
from tests.unit.ingest.conftest import KeyFolder

__all__ = ["keys"]  # a fixture

HEALTH_S_MAX = 0.1
STRAY = 0.02  # of the looks: this machine may be busy with other tests, ingest alone is not
CONNECTIONS = 16
# A process of its own, so that the senders here do not stand in its way: seconds of each answer.
PROBE = """
import http.client, sys, time
link = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=10)
while True:
    began = time.perf_counter()
    link.request("GET", "/health/live")
    answer = link.getresponse()
    answer.read()
    print(answer.status, time.perf_counter() - began, flush=True)
    time.sleep(0.02)
"""


@timed
async def test_health_answers_within_100_ms_under_load_and_with_kafka_slow_and_gone(
    spare_kafka: KafkaServer, keys: KeyFolder, tmp_path: Path
) -> None:
    apply_topics(spare_kafka.bootstrap)
    found = tmp_path / "health.txt"
    http_port = free_port()
    running = ingest_process(spare_kafka.bootstrap, keys, 0.5, http_port=http_port)
    async with running as (process, mllp_port):
        senders, load = [], Load(SystemClock(), 8, counting=True)
        loop = asyncio.get_running_loop()
        for _ in range(CONNECTIONS):
            made = await loop.create_connection(lambda: LoadSender(load, 0), "127.0.0.1", mllp_port)
            senders.append(made[1])
        with found.open("wb") as out:
            probe = await asyncio.create_subprocess_exec(
                sys.executable, "-c", PROBE, str(http_port), stdout=out
            )
        try:
            await asyncio.sleep(2.0)
            async with asyncio.timeout(30):
                while load.accepted <= CONNECTIONS * 8:  # noqa: ASYNC110 - it is at work; nobody tells
                    await asyncio.sleep(0.05)
            accepted = load.accepted
            os.kill(spare_kafka.pid, signal.SIGSTOP)  # slow: it takes what is sent and says nothing
            await asyncio.sleep(1.5)
            await until_not_ready(http_port)
            os.kill(spare_kafka.pid, signal.SIGCONT)
            async with asyncio.timeout(30):
                while load.accepted < accepted + CONNECTIONS * 16:  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.05)
            spare_kafka.kill()  # gone
            await asyncio.sleep(2.0)
            await until_not_ready(http_port)
        finally:
            probe.kill()
            await probe.wait()
            for one in senders:
                one.close()
        assert process.returncode is None
    looks = [line.split() for line in found.read_text().splitlines()]
    assert {status for status, _ in looks} == {"200"}
    took_s = sorted(float(seconds) for _, seconds in looks)
    assert len(took_s) > 100
    assert_within(took_s[int(len(took_s) * (1 - STRAY)) - 1], HEALTH_S_MAX)


async def until_not_ready(http_port: int) -> None:
    """Wait until it says that it is not ready: it looks now and then."""
    async with asyncio.timeout(30):
        while await readiness(http_port) != 503:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)


async def readiness(http_port: int) -> int:
    async with httpx.AsyncClient() as client:
        return (await client.get(f"http://127.0.0.1:{http_port}/health/ready")).status_code
