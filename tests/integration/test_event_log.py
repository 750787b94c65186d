"""One suite for every back end of the event log: what a test in memory shows holds on Kafka."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from contracts.rejection import Rejection
from contracts.topic import Topic
from plumbing.batch_writer import BatchWriter
from plumbing.errors import MalformedEvent, Unavailable
from plumbing.event_log import EventReader, EventWriter, Output, Record
from plumbing.kafka_admin import Durability, KafkaAdmin
from plumbing.kafka_log import KafkaConnection, KafkaReader, KafkaWriter
from plumbing.memory_log import InMemoryLog
from plumbing.partition import partition_of
from tests.support.brokers import KafkaServer

PARTITIONS = 3
_names = count(1)


def a_topic(name: str, partitions: int = PARTITIONS) -> Topic[Any]:
    return Topic(
        name=name,
        event=Rejection,
        key="key",
        producer="test",
        consumers=("test",),
        retention_ms=-1,
        partitions=partitions,
    )


@dataclass
class Log:
    writer: EventWriter
    reader: EventReader
    topic: str


@pytest.fixture(params=["memory", "kafka-python", "stream"])
async def log(request: pytest.FixtureRequest) -> AsyncIterator[Log]:
    topic = f"event-log-{next(_names)}"
    if request.param == "memory":
        memory = InMemoryLog([topic], partitions=PARTITIONS)
        yield Log(memory, memory, topic)
        return
    connection = KafkaConnection(bootstrap=request.getfixturevalue("kafka_broker"))
    with KafkaAdmin(connection) as admin:
        admin.apply([a_topic(topic)], Durability())
    writer: EventWriter = (
        KafkaWriter(connection) if request.param == "kafka-python" else BatchWriter(connection)
    )
    reader = KafkaReader(connection, batch_size_max=100)
    yield Log(writer, reader, topic)
    await writer.close()
    await reader.close()


async def _all(log: Log, partition: int, start: int = 0, stop: int = 10**9) -> list[Record]:
    batches = log.reader.read(log.topic, partition, start, stop)
    return [record async for batch in batches for record in batch]


def _outputs(log: Log, keys: Sequence[str], value: bytes = b"v") -> list[Output]:
    return [Output(log.topic, key.encode(), value) for key in keys]


async def test_what_is_written_is_read_back(log: Log) -> None:
    headers = (("event_id", b"e-1"), ("traceparent", b"t"))
    (offset,) = await log.writer.write([Output(log.topic, b"key", b"value", headers, partition=1)])
    (record,) = await _all(log, 1)
    assert (record.topic, record.partition, record.offset) == (log.topic, 1, offset)
    assert (record.key, record.value, record.headers) == (b"key", b"value", headers)
    assert record.timestamp_ms > 1_600_000_000_000


async def test_offsets_come_in_the_order_given(log: Log) -> None:
    keys = [f"key-{n % 7}" for n in range(50)]
    offsets = await log.writer.write(_outputs(log, keys))
    expected = dict.fromkeys(range(PARTITIONS), 0)
    for key, offset in zip(keys, offsets, strict=True):
        partition = partition_of(key.encode(), PARTITIONS)
        assert offset == expected[partition]
        expected[partition] += 1
    assert [await log.reader.end_offset(log.topic, n) for n in range(PARTITIONS)] == list(
        expected.values()
    )


async def test_a_key_keeps_its_order_across_concurrent_calls(log: Log) -> None:
    async def call(number: int) -> None:
        values = [f"{number:03d}-{step:02d}".encode() for step in range(20)]
        await log.writer.write([Output(log.topic, b"one patient", value) for value in values])

    await asyncio.gather(*(call(number) for number in range(40)))
    values = [r.value for r in await _all(log, partition_of(b"one patient", PARTITIONS))]
    assert len(values) == 800
    assert values == sorted(values, key=lambda value: value or b"")


async def test_tombstones_and_keyless_records(log: Log) -> None:
    await log.writer.write([Output(log.topic, b"gone", None)])
    await log.writer.write([Output(log.topic, None, b"anywhere")])
    found = [record for n in range(PARTITIONS) for record in await _all(log, n)]
    assert sorted((r.key or b"", r.value or b"") for r in found) == [
        (b"", b"anywhere"),
        (b"gone", b""),
    ]
    assert [record.value for record in found if record.key == b"gone"] == [None]


async def test_reading_a_range_ends_at_its_stop_or_the_log_end(log: Log) -> None:
    await log.writer.write([Output(log.topic, b"k", b"%d" % n, partition=0) for n in range(250)])
    assert [r.offset for r in await _all(log, 0, 17, 203)] == list(range(17, 203))
    assert [r.offset for r in await _all(log, 0, 240)] == list(range(240, 250))
    assert await _all(log, 0, 250) == []
    assert await _all(log, 1) == []


async def test_a_large_record_passes_and_one_too_large_is_malformed(log: Log) -> None:
    if isinstance(log.writer, InMemoryLog):
        pytest.skip("memory has no limit on a record")
    large = Output(log.topic, b"k", b"x" * 900_000, partition=0)
    small = Output(log.topic, b"k", b"y", partition=0)
    assert await log.writer.write([small, large, small]) == (0, 1, 2)
    with pytest.raises(MalformedEvent) as caught:
        await log.writer.write([small, Output(log.topic, b"k", b"x" * 1_000_000)])
    assert caught.value.code == "too_large"
    assert await log.reader.end_offset(log.topic, 0) == 3


async def test_nothing_to_write_is_nothing(log: Log) -> None:
    assert await log.writer.write([]) == ()


async def test_tail_yields_all_then_a_mark_then_what_arrives(log: Log) -> None:
    await log.writer.write(_outputs(log, [f"k{n}" for n in range(30)]))
    tail = log.reader.tail(log.topic)
    seen: list[Record] = []
    async for batch in tail:
        if not batch:
            break
        seen.extend(batch)
    assert len(seen) == 30
    await log.writer.write(_outputs(log, ["later"], b"fresh"))
    async with asyncio.timeout(30):
        fresh = [record async for record in _first(tail)]
    assert [record.value for record in fresh] == [b"fresh"]
    await tail.aclose()  # type: ignore[attr-defined] # an async generator, typed as an iterator


async def _first(tail: AsyncIterator[Sequence[Record]]) -> AsyncIterator[Record]:
    async for batch in tail:
        if batch:
            for record in batch:
                yield record
            return


async def test_an_unknown_topic_is_unavailable(log: Log) -> None:
    with pytest.raises(Unavailable):
        await log.reader.partitions("no-such-topic")
    if not isinstance(log.writer, InMemoryLog):
        with pytest.raises(Unavailable):
            await log.writer.write([Output("no-such-topic", b"k", b"v")])
        # And the writer goes on with the others.
        assert await log.writer.write([Output(log.topic, b"k", b"v", partition=2)]) == (0,)


async def test_writes_fail_while_the_broker_is_away_and_go_on_after(
    spare_kafka: KafkaServer,
) -> None:
    connection = KafkaConnection(bootstrap=spare_kafka.bootstrap)
    with KafkaAdmin(connection) as admin:
        admin.apply([a_topic("first", 1), a_topic("second", 1)], Durability())
    writers: dict[str, KafkaWriter | BatchWriter] = {
        "first": KafkaWriter(connection, delivery_timeout_s=3.0),
        "second": BatchWriter(connection, delivery_timeout_s=3.0),
    }
    for topic, writer in writers.items():
        await writer.write([Output(topic, b"k", b"before")])
    spare_kafka.kill()
    during = (writer.write([Output(topic, b"k", b"during")]) for topic, writer in writers.items())
    failed = await asyncio.gather(*during, return_exceptions=True)
    assert [type(one) for one in failed] == [Unavailable, Unavailable]
    assert not any(writer.healthy for writer in writers.values())
    await asyncio.to_thread(spare_kafka.start)
    reader = KafkaReader(connection)
    for topic, writer in writers.items():
        await _until_written(writer, Output(topic, b"k", b"after"))
        assert writer.healthy
        await writer.close()
        batches = reader.read(topic, 0, 0, 10**9)
        values = [record.value async for batch in batches for record in batch]
        assert values[0] == b"before"
        assert values[-1] == b"after"
    await reader.close()


async def _until_written(writer: EventWriter, output: Output) -> None:
    async with asyncio.timeout(40):
        while True:
            try:
                await writer.write([output])
            except Unavailable:
                await asyncio.sleep(0.2)
            else:
                return


@pytest.mark.parametrize("make", [KafkaWriter, BatchWriter])
async def test_bytes_in_hand_stay_within_the_bound(
    kafka_broker: str, make: type[KafkaWriter] | type[BatchWriter]
) -> None:
    connection = KafkaConnection(bootstrap=kafka_broker)
    topic = f"event-log-{next(_names)}"
    with KafkaAdmin(connection) as admin:
        admin.apply([a_topic(topic)], Durability())
    writer = make(connection, bytes_max=100_000)
    most = 0

    async def call() -> None:
        nonlocal most
        await writer.write([Output(topic, b"k%d" % n, b"v" * 1_000) for n in range(10)])
        most = max(most, writer._gate.in_hand)

    await asyncio.gather(*(call() for _ in range(100)))
    await writer.close()
    assert 0 < most <= 100_000


async def test_memory_compaction_keeps_offsets_and_the_last_of_a_key() -> None:
    memory = InMemoryLog(["t"], partitions=1)
    keys = [b"a", b"b", b"a", b"c", b"b"]
    await memory.write([Output("t", key, b"%d" % n) for n, key in enumerate(keys)])
    memory.compact("t")
    assert [(r.key, r.offset) for r in memory.records("t")] == [(b"a", 2), (b"c", 3), (b"b", 4)]
    assert await memory.end_offset("t", 0) == 5


async def test_memory_unavailable_is_unavailable() -> None:
    memory = InMemoryLog(["t"])
    memory.available = False
    with pytest.raises(Unavailable):
        await memory.write([Output("t", b"k", b"v")])
    with pytest.raises(Unavailable):
        await memory.end_offset("t", 0)
