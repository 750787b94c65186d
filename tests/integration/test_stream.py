"""A stream stage on a real broker, in this process: nothing lost, nothing committed too early."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from contracts.rejection import Rejection, rejected
from plumbing.errors import MalformedEvent, Unavailable
from plumbing.event_log import Output
from plumbing.memory_log import InMemoryLog
from plumbing.stage import Batch, Handled, Refused
from plumbing.stream import StreamApp, StreamCrashed
from tests.support.streams import Numbered, Stage, running, until

HOUR_S = 3_600.0  # however slow the machine is, batches grow as they do with quick records


@pytest.fixture
def stage(kafka_broker: str, tmp_path: Path) -> Stage:
    return Stage.make(kafka_broker, tmp_path)


def _has(batch: Batch[Numbered], number: int) -> bool:
    return any(a.event is not None and a.event.n == number for a in batch.arrived)


def _rejections(stage: Stage) -> list[Rejection]:
    bin_topic = rejected(stage.source)
    records = stage.sink.records(bin_topic.name)
    return sorted((bin_topic.decode(r.value or b"") for r in records), key=lambda r: r.offset)


async def test_every_record_passes_once_and_in_order_and_is_committed(stage: Stage) -> None:
    await stage.feed(range(3_000))
    async with running(stage.app(stage.echo)) as app:
        await until(lambda: len(stage.received()) >= 3_000)
        assert app.ready
    assert sorted(stage.received()) == list(range(3_000))
    for partition in range(12):  # of the sink: one key is in one partition
        part = [r.key for r in stage.sink.records("sink") if r.partition == partition]
        assert part == sorted(part, key=lambda key: int(key or b""))
    assert await stage.caught_up()


async def test_the_commit_stops_at_a_held_batch_while_others_go_on(stage: Stage) -> None:
    held = asyncio.Event()

    async def handle(batch: Batch[Numbered]) -> Handled:
        if batch.partition == 0 and batch.first_offset >= 100:  # 16, 32 and 64 have passed
            await held.wait()
        return await stage.echo(batch)

    for partition in range(4):
        await stage.feed(range(1_000 * partition, 1_000 * partition + 400), partition=partition)
    async with running(stage.app(handle, batch_size_max=100, batch_busy_s_max=HOUR_S)) as app:
        await until(lambda: len(stage.received()) >= 1_312)
        await until(lambda: stage.lag() == {0: 288, 1: 0, 2: 0, 3: 0})
        await asyncio.sleep(1)  # more commit intervals: it stays there
        assert stage.lag()[0] == 288
        assert app.ready
        held.set()
    passed = sum(n < 400 for n in stage.received())  # drained: what is committed is what passed
    assert stage.lag() == {0: 400 - passed, 1: 0, 2: 0, 3: 0}
    assert passed >= 212


async def test_a_raise_stops_the_process_with_nothing_of_the_batch_committed(stage: Stage) -> None:
    async def raising(batch: Batch[Numbered]) -> Handled:
        if _has(batch, 700):
            raise ZeroDivisionError
        return await stage.echo(batch)

    await stage.feed(range(1_000), partition=2)
    with pytest.raises(StreamCrashed):
        async with running(stage.app(raising, batch_size_max=100, batch_busy_s_max=HOUR_S)) as app:
            await until(app.ended.done)
    assert sorted(stage.received()) == list(range(612))  # 16, 32, 64 and five of 100
    assert stage.lag()[2] == 388
    async with running(stage.app(stage.echo)):
        await until(lambda: len(set(stage.received())) == 1_000)
    assert sorted(stage.received()) == list(range(1_000))


async def test_a_crashing_record_is_found_and_the_rest_goes_through(stage: Stage) -> None:
    async def poisoned(batch: Batch[Numbered]) -> Handled:
        if _has(batch, 437):
            raise KeyError("content that must not be logged")
        return await stage.echo(batch)

    await stage.feed(range(1_000), partition=1)
    starts = 0
    while not (stage.lag() == {0: 0, 1: 0, 2: 0, 3: 0} and starts):
        starts += 1
        assert starts < 10
        try:
            async with running(stage.app(poisoned, batch_busy_s_max=HOUR_S)) as app:
                await until(lambda: app.ended.done() or len(set(stage.received())) == 999)
        except StreamCrashed:
            continue
    assert sorted(set(stage.received())) == [n for n in range(1_000) if n != 437]
    (found,) = _rejections(stage)
    assert (found.code, found.offset, found.partition) == ("crashed", 437, 1)
    assert found.attempts >= 3
    assert starts == 5  # three times in ever smaller batches, alone, quarantined


async def test_unavailable_brings_the_same_batch_again(stage: Stage) -> None:
    await stage.feed(range(500))
    stage.sink.available = False
    async with running(stage.app(stage.echo, retry_first_s=0.02)) as app:
        await until(lambda: app._consumer is not None and app.consumer.joined)  # type: ignore[attr-defined] # our consumer
        await until(lambda: not app.ready)
        assert sum(stage.lag().values()) == 500
        stage.sink.available = True
        await until(lambda: len(stage.received()) >= 500)
        await until(lambda: app.ready)
    assert sorted(stage.received()) == list(range(500))
    assert await stage.caught_up()


async def test_refusals_go_to_the_rejected_topic_with_coordinates_only(stage: Stage) -> None:
    async def handle(batch: Batch[Numbered]) -> Handled:
        fine = await stage.echo(batch)
        refused = [Refused(a.offset, "odd") for a in batch.arrived if a.event and a.event.n == 7]
        return Handled([o for o in fine.outputs if o.key != b"7"], refused)

    await stage.feed(range(50), partition=0)
    await stage.feed_raw([(b"secret", b'{"n": "secret"}'), (b"gone", None)], partition=0)
    async with running(stage.app(handle)):
        await until(lambda: len(stage.received()) >= 49)
        await until(lambda: len(_rejections(stage)) == 2)
    first, second = _rejections(stage)
    assert (first.code, first.offset, first.event_id, first.payload) == ("odd", 7, "7", b"")
    assert (second.code, second.offset, second.payload) == ("undecodable", 50, b"")
    assert (second.topic, second.partition, second.stage) == (stage.source.name, 0, stage.group)
    assert await stage.caught_up()


async def test_an_identified_topic_keeps_the_refused_payload(
    kafka_broker: str, tmp_path: Path
) -> None:
    stage = Stage.make(kafka_broker, tmp_path, identified=True)
    await stage.feed_raw([(b"k", b"not json")])
    async with running(stage.app(stage.echo)):
        await until(lambda: len(_rejections(stage)) == 1)
    assert _rejections(stage)[0].payload == b"not json"


async def test_a_malformed_event_is_found_within_its_batch(stage: Stage) -> None:
    async def handle(batch: Batch[Numbered]) -> Handled:
        if _has(batch, 33):
            raise MalformedEvent("no_good")
        return await stage.echo(batch)

    await stage.feed(range(100), partition=3)
    async with running(stage.app(handle)):
        await until(lambda: len(stage.received()) >= 99)
    assert sorted(stage.received()) == [n for n in range(100) if n != 33]
    assert [(r.code, r.offset) for r in _rejections(stage)] == [("no_good", 33)]


async def test_a_partition_mostly_refused_stops_alone(stage: Stage) -> None:
    """Its records do not say who sent them and their payload would not be kept: they wait, from the
    batch on that would bring the 200th.
    """
    await stage.feed_raw([(b"bad", b"{")] * 1_000, partition=1)
    await stage.feed(range(600), partition=2)
    async with running(stage.app(stage.echo, batch_busy_s_max=HOUR_S)):
        await until(lambda: len(stage.received()) >= 600)
        await until(lambda: stage.lag() == {0: 0, 1: 888, 2: 0, 3: 0})
        await stage.feed(range(600, 700), partition=2)
        await until(lambda: len(stage.received()) >= 700)
    assert len(_rejections(stage)) == 112  # 16, 32 and 64
    assert stage.lag()[1] == 888


async def test_a_source_mostly_refused_is_paused_alone(kafka_broker: str, tmp_path: Path) -> None:
    """In one partition: what others send goes on, its own is set aside with its payload."""
    stage = Stage.make(kafka_broker, tmp_path, identified=True)
    bad, good = (("source", b"lab"),), (("source", b"ward"),)
    for first in range(0, 1_000, 100):
        await stage.feed_raw([(b"bad", b"{")] * 100, partition=1, headers=bad)
        fine = [(b"%d" % n, stage.source.encode(Numbered(n))) for n in range(first, first + 100)]
        await stage.feed_raw(fine, partition=1, headers=good)
    async with running(stage.app(stage.echo, batch_size_max=150)):
        await until(lambda: len(stage.received()) >= 1_000)
        await until(stage.caught_up)
    assert sorted(stage.received()) == list(range(1_000))
    found = _rejections(stage)
    assert len(found) == 1_000
    assert {one.payload for one in found} == {b"{"}
    codes = [one.code for one in found]
    assert codes == sorted(codes, key=["undecodable", "source_paused"].index)
    assert codes.count("undecodable") < 200


async def test_a_slow_sink_bounds_what_is_buffered(stage: Stage) -> None:
    most = 0
    slow = asyncio.Event()

    class SlowSink(InMemoryLog):
        async def write(self, outputs: Sequence[Output]) -> tuple[int, ...]:
            await slow.wait()
            return await super().write(outputs)

    stage.sink = SlowSink()
    limit, fetch = 200_000, 100_000
    await stage.feed(range(20_000), pad="x" * 500)  # 14 MB in memory, 3.5 MB a partition
    app = stage.app(stage.echo, buffered_bytes_max=limit, fetch_bytes_max=fetch)
    async with running(app):
        full_s = 0.0  # how long it has been full: nothing more may come
        async with asyncio.timeout(60):
            while full_s < 1.0:
                await asyncio.sleep(0.05)
                runners = app.consumer._runners.values()  # type: ignore[attr-defined] # our consumer
                most = max([most, *(runner.buffered_bytes for runner in runners)])
                full_s += 0.05 * (most >= limit)
        slow.set()
        await until(lambda: len(stage.received()) >= 20_000)
    assert limit <= most <= limit + 3 * fetch
    assert sorted(stage.received()) == list(range(20_000))


async def test_idle_is_called_with_the_next_offset(stage: Stage) -> None:
    calls: list[tuple[int, int]] = []

    async def idle(partition: int, next_offset: int) -> None:
        calls.append((partition, next_offset))
        if len(calls) == 1:
            raise Unavailable

    await stage.feed(range(10), partition=0)
    async with running(stage.app(stage.echo, idle=idle)):
        await until(lambda: len(calls) > 8)
    assert {(0, 10), (1, 0), (2, 0), (3, 0)} == set(calls)


async def test_two_members_share_and_hand_over_without_a_loss(stage: Stage) -> None:
    in_hand: set[int] = set()

    async def handle(batch: Batch[Numbered]) -> Handled:
        assert batch.partition not in in_hand
        in_hand.add(batch.partition)
        await asyncio.sleep(0.02)
        in_hand.discard(batch.partition)
        return await stage.echo(batch)

    async def feeding() -> None:
        for first in range(0, 10_000, 500):
            await stage.feed(range(first, first + 500))
            await asyncio.sleep(0.1)

    feed = asyncio.create_task(feeding())
    async with running(stage.app(handle, batch_size_max=50)):
        await until(lambda: len(stage.received()) > 500)
        other = stage.app(handle, batch_size_max=50, instance_id="", session_timeout_s=6.0)
        async with running(other):
            await until(lambda: other.ready)
            runners = other.consumer._runners  # type: ignore[attr-defined] # our consumer
            await until(lambda: len(runners) == 2)
            await until(lambda: len(set(stage.received())) > 3_000)
        await feed
        await until(lambda: len(set(stage.received())) == 10_000)
    assert sorted(stage.received()) == list(range(10_000))  # and none doubled: handed over clean
    assert await stage.caught_up()


async def test_two_members_with_one_instance_id_do_not_go_on(stage: Stage, tmp_path: Path) -> None:
    first = stage.app(stage.echo, heartbeat_interval_s=0.3)
    second = stage.app(stage.echo, heartbeat_interval_s=0.3, state_dir=tmp_path / "second")
    with pytest.raises(StreamCrashed):
        await _beside(first, second)


async def _beside(first: StreamApp, second: StreamApp) -> None:
    async with running(first):
        await until(lambda: first.ready)
        async with running(second):
            await until(lambda: first.ended.done() or second.ended.done())


async def test_marks_of_transactions_count_as_done(stage: Stage) -> None:
    """A partition written in transactions ends with a mark that is no record."""
    producer = AIOKafkaProducer(
        bootstrap_servers=stage.connection.bootstrap, transactional_id=f"tx-{stage.source.name}"
    )
    await producer.start()
    async with producer.transaction():
        for number in range(3):
            value = stage.source.encode(Numbered(n=number))
            await producer.send(stage.source.name, value, key=b"k", partition=0)
    await producer.stop()
    async with running(stage.app(stage.echo)):
        await until(lambda: len(stage.received()) == 3)
        await until(lambda: stage.lag()[0] == 0)
