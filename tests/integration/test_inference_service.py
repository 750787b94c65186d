"""The service on a real broker and a real Redis: killed, restarted, its Redis emptied."""

import asyncio
import os
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from redis import Redis

from contracts.assessed import ASSESSED, CURRENT, Assessment
from contracts.deidentified import DEIDENTIFIED, DeidentifiedEvent
from contracts.merged import MERGED, IdentityMerged, TokenLink
from contracts.topic import Topic
from plumbing.event_log import Output
from plumbing.kafka_log import KafkaConnection, KafkaReader, KafkaWriter
from tests.support.brokers import KafkaServer, apply_topics, free_port
from tests.support.inference import MINUTE, T0, admission, event_id, vitals

WAIT_S = 90.0
TOKENS = tuple(f"person{number:020d}" for number in range(8))


def feed(count: int) -> list[DeidentifiedEvent]:
    """Return vital signs of eight patients, after an admission of each."""
    events = [admission(f"in-{token}", token) for token in TOKENS]
    for number in range(count):
        token = TOKENS[number % len(TOKENS)]
        values = {"heart_rate": 60 + number % 80, "resp_rate": 10 + number % 20}
        events.append(vitals(f"v-{number}", token, T0 + number * MINUTE, **values))
    return events


@contextmanager
def service(bootstrap: str, redis_url: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the service in a process of its own."""
    environment = os.environ | {
        "INFERENCE_KAFKA_BOOTSTRAP": bootstrap,
        "INFERENCE_REDIS_URL": redis_url,
        "INFERENCE_HEALTH_PORT": str(free_port()),
        "INFERENCE_STATE_DIR": str(folder),
        "INFERENCE_SNAPSHOT_EVENTS": "40",
        "OMP_NUM_THREADS": "1",
    }
    with (folder / "inference.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.inference"], env=environment, stderr=log
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def tell(writer: KafkaWriter, events: list[DeidentifiedEvent]) -> None:
    await writer.write(
        [Output(DEIDENTIFIED.name, e.token.encode(), DEIDENTIFIED.encode(e)) for e in events]
    )


async def said(reader: KafkaReader, topic: Topic[Assessment]) -> list[Assessment]:
    """Return everything on a topic, partition by partition."""
    found: list[Assessment] = []
    for partition in await reader.partitions(topic.name):
        end = await reader.end_offset(topic.name, partition)
        async for records in reader.read(topic.name, partition, 0, end):
            found += [topic.decode(record.value) for record in records if record.value]
    return found


async def until(
    reader: KafkaReader, topic: Topic[Assessment], enough: Callable[[list[Assessment]], bool]
) -> list[Assessment]:
    """Wait until what is on a topic is enough."""
    async with asyncio.timeout(WAIT_S):
        while not enough(found := await said(reader, topic)):  # noqa: ASYNC110 - a broker is no Event
            await asyncio.sleep(0.2)
    return found


def distinct(count: int) -> Callable[[list[Assessment]], bool]:
    return lambda found: len({one.event_id for one in found}) >= count


@pytest.fixture
def redis(redis_url: str) -> Iterator["Redis"]:
    with Redis.from_url(redis_url) as client:
        yield client


async def test_killed_and_emptied_it_says_what_an_undisturbed_run_says(
    own_kafka: KafkaServer, redis: "Redis", redis_url: str, tmp_path: Path
) -> None:
    apply_topics(own_kafka.bootstrap, 2)
    connection = KafkaConnection(bootstrap=own_kafka.bootstrap)
    writer, reader = KafkaWriter(connection), KafkaReader(connection)
    events = feed(400)
    try:
        await tell(writer, events[:150])
        with service(own_kafka.bootstrap, redis_url, tmp_path) as first:
            await until(reader, ASSESSED, distinct(100))
            first.send_signal(signal.SIGKILL)
            first.wait()
        await tell(writer, events[150:300])
        with service(own_kafka.bootstrap, redis_url, tmp_path) as second:
            await until(reader, ASSESSED, distinct(250))
            redis.flushall()
            await tell(writer, events[300:])
            found = await until(reader, ASSESSED, distinct(len(events)))
            second.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(second.wait, 30) == 0
    finally:
        await writer.close()
        await reader.close()

    copies: dict[str, list[Assessment]] = defaultdict(list)
    for one in found:
        copies[one.event_id].append(msgspec.structs.replace(one, elapsed_ms=0))
    assert copies.keys() == {event.event_id for event in events}
    assert all(one == group[0] for group in copies.values() for one in group)
    # By hand: each event's score is that of its own token's events up to it, and no others'.
    for number in range(400):
        one = copies[event_id(f"v-{number}")][0]
        assert {v.parameter: v.value for v in one.vitals} == {
            "heart_rate": 60 + number % 80,
            "resp_rate": 10 + number % 20,
        }


async def test_a_link_joins_two_partitions_and_an_unlink_parts_them(
    own_kafka: KafkaServer, redis_url: str, tmp_path: Path
) -> None:
    apply_topics(own_kafka.bootstrap, 2)
    connection = KafkaConnection(bootstrap=own_kafka.bootstrap)
    writer, reader = KafkaWriter(connection), KafkaReader(connection)
    here, there = TOKENS[0], TOKENS[1]

    async def link(version: int, *, linked: bool) -> None:
        records = [
            IdentityMerged(
                token=token,
                links=(TokenLink(other, days, event_id("merge")),) if linked else (),
                version=version,
                event_id=event_id("merge"),
            )
            for token, other, days in ((here, there, 10), (there, here, -10))
        ]
        await writer.write(
            [Output(MERGED.name, one.token.encode(), MERGED.encode(one)) for one in records]
        )

    def shows(token: str, aliases: tuple[str, ...], names: set[str]) -> Callable[..., bool]:
        def check(found: list[Assessment]) -> bool:
            last = {one.token: one for one in found}.get(token)
            said = {vital.parameter for vital in last.vitals} if last else set()
            return last is not None and last.aliases == aliases and said == names

        return check

    try:
        with service(own_kafka.bootstrap, redis_url, tmp_path):
            ten_days_ms = 10 * 24 * 60 * MINUTE
            await tell(writer, [vitals("one", here, T0, heart_rate=80)])
            await tell(writer, [vitals("two", there, T0 - ten_days_ms, sbp=95)])
            await until(reader, CURRENT, shows(there, (), {"sbp"}))
            await link(1, linked=True)
            await until(reader, CURRENT, shows(here, (there,), {"heart_rate", "sbp"}))
            await tell(writer, [vitals("three", there, T0 - ten_days_ms + MINUTE, spo2=91)])
            names = {"heart_rate", "sbp", "spo2"}
            one, other = shows(here, (there,), names), shows(there, (here,), names)
            # They lie in two partitions: either may come first.
            found = await until(reader, CURRENT, lambda found: one(found) and other(found))
            newest = {one.token: one for one in found}
            assert newest[there].as_of_ms == newest[here].as_of_ms - ten_days_ms
            await link(2, linked=False)
            await until(reader, CURRENT, shows(here, (), {"heart_rate"}))
            parted = await until(reader, CURRENT, shows(there, (), {"sbp", "spo2"}))
            last = {one.token: one for one in parted}[there]
            assert last.link_version > newest[there].link_version
    finally:
        await writer.close()
        await reader.close()
