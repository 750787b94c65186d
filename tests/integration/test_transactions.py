"""One suite for both back ends of ``Transactions``: groups whole or not at all, one bearer."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from itertools import count

import pytest

from contracts.rejection import Rejection
from contracts.topic import Topic
from plumbing.errors import MalformedEvent, Superseded, Unavailable
from plumbing.event_log import EventReader, Output, Place, Record, Transactions
from plumbing.kafka_admin import Durability, KafkaAdmin
from plumbing.kafka_log import KafkaConnection, KafkaReader, KafkaTransactions
from plumbing.memory_log import InMemoryLog
from tests.support.brokers import KafkaServer

PARTITIONS = 3
_names = count(1)


@dataclass
class Log:
    open_as: Callable[[str], Transactions]
    committed: EventReader
    all_records: EventReader
    topic: str


@pytest.fixture(params=["memory", "kafka"])
async def log(request: pytest.FixtureRequest) -> AsyncIterator[Log]:
    topic = f"transactions-{next(_names)}"
    if request.param == "memory":
        memory = InMemoryLog([topic], partitions=PARTITIONS)
        yield Log(lambda _: memory, memory, memory, topic)
        return
    connection = KafkaConnection(bootstrap=request.getfixturevalue("kafka_broker"))
    with KafkaAdmin(connection) as admin:
        admin.apply([a_topic(topic)], Durability())
    made: list[KafkaTransactions] = []

    def open_as(name: str) -> Transactions:
        made.append(KafkaTransactions(connection, f"{topic}-{name}"))
        return made[-1]

    committed = KafkaReader(connection)
    all_records = KafkaReader(connection, isolation="read_uncommitted")
    yield Log(open_as, committed, all_records, topic)
    for one in made:
        await one.close()
    await committed.close()
    await all_records.close()


def a_topic(name: str) -> Topic[Rejection]:
    return Topic(
        name=name,
        event=Rejection,
        key="key",
        producer="test",
        consumers=("test",),
        retention_ms=-1,
        partitions=PARTITIONS,
    )


async def unchecked(_places: Sequence[Place]) -> None:
    return None


async def everything(log: Log, at_least: int = 0) -> list[Record]:
    """Return what is committed; a commit shows a moment after it is confirmed (its markers)."""
    async with asyncio.timeout(30):
        while True:
            found = await _everything(log)
            if len(found) >= at_least:
                return found
            await asyncio.sleep(0.02)


async def _everything(log: Log) -> list[Record]:
    ends = await log.committed.end_offsets(log.topic)
    ranges = {number: (0, end) for number, end in ends.items()}
    return list(await log.committed.read_ranges(log.topic, ranges))


def outputs(log: Log, keys: Sequence[str], value: bytes = b"v") -> list[Output]:
    return [Output(log.topic, key.encode(), value) for key in keys]


async def test_a_group_is_read_whole_at_the_places_that_were_told(log: Log) -> None:
    writing = log.open_as("a")
    await writing.open()
    for step in range(5):
        keys = [f"key-{number}" for number in range(20)]
        places = await writing.commit(outputs(log, keys, b"%d" % step), unchecked)
        found = {(r.partition, r.offset): r for r in await everything(log, 20 * (step + 1))}
        for key, place in zip(keys, places, strict=True):
            record = found[place.partition, place.offset]
            assert (record.key, record.value) == (key.encode(), b"%d" % step)
    assert len(await everything(log, 100)) == 100


async def test_what_the_check_refuses_was_never_there(log: Log) -> None:
    writing = log.open_as("a")
    await writing.open()
    seen: list[Place] = []

    async def refuse(places: Sequence[Place]) -> None:
        seen.extend(places)
        assert await everything(log) == []
        raise MalformedEvent("refused")

    with pytest.raises(MalformedEvent):
        await writing.commit(outputs(log, ["a", "b", "c"]), refuse)
    assert len(seen) == 3
    await writing.commit(outputs(log, ["d"]), unchecked)
    assert [record.key for record in await everything(log, 1)] == [b"d"]


async def test_a_large_group_keeps_the_order_of_each_key(log: Log) -> None:
    writing = log.open_as("a")
    await writing.open()
    group = [
        Output(log.topic, b"key-%d" % (number % 5), b"%06d" % number + b"x" * 5_000)
        for number in range(1_000)
    ]
    await writing.commit(group, unchecked)
    found = await everything(log, len(group))
    assert len(found) == len(group)
    for key in {record.key for record in found}:
        values = [record.value or b"" for record in found if record.key == key]
        assert values == sorted(values)


async def test_who_takes_the_name_over_fences_the_one_before(kafka_broker: str) -> None:
    connection = KafkaConnection(bootstrap=kafka_broker)
    topic = f"transactions-{next(_names)}"
    with KafkaAdmin(connection) as admin:
        admin.apply([a_topic(topic)], Durability())
    first, second = (KafkaTransactions(connection, f"{topic}-same") for _ in range(2))
    reader = KafkaReader(connection)
    log = Log(lambda _: first, reader, reader, topic)
    await first.open()

    async def overtaken(_places: Sequence[Place]) -> None:
        await second.open()  # undoes what the first has open

    with pytest.raises(Superseded):
        await first.commit(outputs(log, ["late"]), overtaken)
    await second.commit(outputs(log, ["good"]), unchecked)
    assert [record.key for record in await everything(log, 1)] == [b"good"]
    for one in (first, second):
        await one.close()
    await reader.close()


async def test_a_broker_that_dies_gives_unavailable_and_open_goes_on(
    spare_kafka: KafkaServer,
) -> None:
    connection = KafkaConnection(bootstrap=spare_kafka.bootstrap)
    with KafkaAdmin(connection) as admin:
        admin.apply([a_topic("t")], Durability())
    writing = KafkaTransactions(connection, "one", group_timeout_s=2.0, abandoned_after_s=4.0)
    reader = KafkaReader(connection)
    log = Log(lambda _: writing, reader, reader, "t")
    await writing.open()
    await writing.commit(outputs(log, ["before"]), unchecked)
    spare_kafka.kill()
    with pytest.raises(Unavailable):
        await writing.commit(outputs(log, ["lost"]), unchecked)
    with pytest.raises(Unavailable):
        await writing.commit(outputs(log, ["not open"]), unchecked)
    await asyncio.to_thread(spare_kafka.start)
    await writing.open()
    await writing.commit(outputs(log, ["after"]), unchecked)
    keys = [record.key for record in await everything(log, 2)]
    assert {b"before", b"after"} <= set(keys)
    assert len(keys) == len(set(keys))
    await writing.close()
    await reader.close()
    assert [task for task in asyncio.all_tasks() if "Sender" in repr(task)] == []
