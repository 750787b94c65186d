"""A stream stage as a process of its own: killed, drained, and dying of one record."""

import asyncio
import contextlib
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.rejection import rejected
from plumbing.kafka_admin import Durability, KafkaAdmin
from plumbing.kafka_log import KafkaReader
from tests.support.brokers import KafkaServer
from tests.support.streams import Stage, a_topic, start_worker, until, values_of

SINK_SUFFIX = ".out"
SESSION_S = 40.0  # so long, and longer, a dead member would be waited for
TAKE_OVER_MAX_S = 20.0  # 0.1 s on an idle machine


@pytest.fixture
def stage(kafka_broker: str, tmp_path: Path) -> Stage:
    return _with_sink(Stage.make(kafka_broker, tmp_path))


@pytest.fixture
def workers() -> Iterator[list[subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for worker in started:
        worker.kill()
        worker.wait()


def _with_sink(stage: Stage) -> Stage:
    with KafkaAdmin(stage.connection) as admin:
        admin.apply([a_topic(stage.source.name + SINK_SUFFIX, 4)], Durability())
        admin.apply([rejected(stage.source)], Durability())
    stage.sink_topic = stage.source.name + SINK_SUFFIX
    return stage


async def _passed(stage: Stage) -> set[int]:
    return set(await values_of(stage.connection, stage.sink_topic))


async def _grows(stage: Stage, beyond: int) -> bool:
    return len(await _passed(stage)) > beyond


async def test_kill_9_under_feed_loses_nothing(
    stage: Stage, workers: list[subprocess.Popen[bytes]]
) -> None:
    fed = 0
    enough = asyncio.Event()

    async def feeding() -> None:
        nonlocal fed
        while not enough.is_set():
            await stage.feed(range(fed, fed + 500))
            fed += 500
            await asyncio.sleep(0.2)

    feed = asyncio.create_task(feeding())
    for _ in range(3):
        told = {"slow_s": 0.05, "batch_size_max": 100, "session_timeout_s": SESSION_S}
        workers.append(start_worker(stage, stage.sink_topic, **told))
        before = len(await _passed(stage))
        await until(lambda before=before: _grows(stage, before))  # type: ignore[misc] # a default binds it
        workers[-1].kill()
        workers[-1].wait()
    before = len(await _passed(stage))
    workers.append(start_worker(stage, stage.sink_topic, session_timeout_s=SESSION_S))
    await until(lambda: _grows(stage, before))
    assert float(stage.first_batch_file.read_text()) < TAKE_OVER_MAX_S
    enough.set()
    await feed
    await until(stage.caught_up)
    assert await _passed(stage) == set(range(fed))


async def test_sigterm_drains_so_that_a_restart_repeats_nothing(
    stage: Stage, workers: list[subprocess.Popen[bytes]]
) -> None:
    await stage.feed(range(20_000))
    for _ in range(2):
        workers.append(start_worker(stage, stage.sink_topic, slow_s=0.1, batch_size_max=100))
        before = len(await _passed(stage))
        await until(lambda before=before: _grows(stage, before))  # type: ignore[misc] # a default binds it
        workers[-1].send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(workers[-1].wait, 30) == 0
    workers.append(start_worker(stage, stage.sink_topic))
    await until(stage.caught_up)
    assert sorted(await values_of(stage.connection, stage.sink_topic)) == list(range(20_000))


async def test_a_record_that_kills_without_an_exception_is_found(
    stage: Stage, workers: list[subprocess.Popen[bytes]]
) -> None:
    await stage.feed(range(400))
    starts = 0
    while True:
        starts += 1
        assert starts < 12
        workers.append(start_worker(stage, stage.sink_topic, die_at=123))
        with contextlib.suppress(TimeoutError):
            await until(lambda: _gone_or_done(stage, workers[-1]), 60)
        if workers[-1].poll() is None:
            break
    assert await _passed(stage) == set(range(400)) - {123}
    bin_topic = rejected(stage.source)
    reader = KafkaReader(stage.connection)
    found = [
        bin_topic.decode(record.value or b"")
        for partition in await reader.partitions(bin_topic.name)
        async for batch in reader.read(bin_topic.name, partition, 0, 10**9)
        for record in batch
    ]
    await reader.close()
    assert [(r.code, r.event_id) for r in found] == [("crashed", "123")]


async def test_kills_while_a_record_waits_are_not_blamed_on_it(
    stage: Stage, workers: list[subprocess.Popen[bytes]]
) -> None:
    """More kills than a record may cause, each while its handler waits for something outside."""
    await stage.feed([7])
    for _ in range(5):
        stage.first_batch_file.unlink(missing_ok=True)
        workers.append(start_worker(stage, stage.sink_topic, slow_s=600))
        await until(stage.first_batch_file.exists)
        await asyncio.sleep(0.2)
        workers[-1].kill()
        workers[-1].wait()
    workers.append(start_worker(stage, stage.sink_topic))
    await until(stage.caught_up)
    assert await _passed(stage) == {7}


async def _gone_or_done(stage: Stage, worker: subprocess.Popen[bytes]) -> bool:
    return worker.poll() is not None or await stage.caught_up()


async def test_a_broker_restart_is_ridden_out(
    spare_kafka: KafkaServer, tmp_path: Path, workers: list[subprocess.Popen[bytes]]
) -> None:
    stage = _with_sink(Stage.make(spare_kafka.bootstrap, tmp_path))
    await stage.feed(range(10_000))
    workers.append(start_worker(stage, stage.sink_topic, slow_s=0.2, batch_size_max=200))
    await until(lambda: _grows(stage, 500))
    spare_kafka.kill()
    await asyncio.to_thread(spare_kafka.start)
    await stage.feed(range(10_000, 12_000))
    await until(stage.caught_up, 120)
    assert await _passed(stage) == set(range(12_000))
    assert workers[-1].poll() is None  # the same process all along
