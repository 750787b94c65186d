"""One partition's work without a broker: what a death is blamed on, who is paused."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from contracts.rejection import Rejection, rejected
from contracts.topic import Topic
from plumbing.clock import SystemClock
from plumbing.errors import Unavailable
from plumbing.event_log import Headers, Output
from plumbing.kafka_connection import KafkaConnection
from plumbing.memory_log import InMemoryLog
from plumbing.reject_limit import RejectLimit
from plumbing.stage import Batch, Handled, Refused, Subscription
from plumbing.stream_crash import CrashLedger, Place
from plumbing.stream_pace import FIRST
from plumbing.stream_partition import PartitionRunner
from plumbing.stream_settings import StreamSettings
from plumbing.stream_stage import Stage
from tests.support.streams import Numbered, a_topic, until

Handle = Callable[[Batch[Numbered]], Awaitable[Handled]]
IDENTIFIED = a_topic("t", 1, identified=True)
PLAIN = a_topic("t", 1)


@dataclass
class Fetched:
    offset: int
    value: bytes | None
    headers: Headers = ()
    key: bytes | None = b"k"
    timestamp: int = 0


def record(offset: int, source: str = "") -> Fetched:
    headers = (("source", source.encode()),) if source else ()
    return Fetched(offset, IDENTIFIED.encode(Numbered(offset)), headers)


class World:
    """A partition of ``topic`` with a log in memory."""

    def __init__(
        self, tmp_path: Path, topic: Topic[Numbered], batch_busy_s_max: float = 3_600.0
    ) -> None:
        self.topic = topic
        self.log = InMemoryLog()
        self.state_dir = tmp_path / "state"
        self.crashes: list[BaseException] = []
        settings = StreamSettings(
            connection=KafkaConnection(bootstrap="nowhere:1"),
            group="g",
            state_dir=self.state_dir,
            batch_size_max=100,
            batch_busy_s_max=batch_busy_s_max,
        )
        self.stage = Stage(
            settings=settings,
            writer=self.log,
            clock=SystemClock(),
            ledger=CrashLedger(self.state_dir, "g", settings.crashes_max),
            limit=RejectLimit(settings.reject_ratio_max, settings.reject_of_at_least),
        )

    @asynccontextmanager
    async def running(self, handle: Handle) -> AsyncIterator[PartitionRunner]:
        runner = PartitionRunner(
            Subscription(self.topic, handle),
            0,
            self.stage,
            0,
            lambda _, error: self.crashes.append(error),
        )
        try:
            yield runner
        finally:
            await runner.stop(1)
            self.stage.ledger.close()

    async def echo(self, batch: Batch[Numbered]) -> Handled:
        outputs = [
            Output("sink", b"%d" % one.event.n, self.topic.encode(one.event))
            for one in batch.arrived
            if one.event is not None
        ]
        return Handled(outputs)

    def passed(self) -> list[int]:
        return sorted(self.topic.decode(r.value or b"").n for r in self.log.records("sink"))

    def rejections(self) -> list[Rejection]:
        bin_topic = rejected(self.topic)
        found = self.log.records(bin_topic.name)
        return [bin_topic.decode(r.value or b"") for r in found]

    def suspected_after_a_death_now(self, tmp_path: Path) -> bool:
        """Return whether the next process would suspect what is in hand, were this one killed."""
        left = tmp_path / "left"
        shutil.copytree(self.state_dir, left)
        next_one = CrashLedger(left, "g", 3)
        suspicious = next_one.suspicious
        next_one.close()
        shutil.rmtree(left)
        return suspicious


async def test_a_death_while_the_handler_waits_for_redis_is_blamed_on_nobody(
    tmp_path: Path,
) -> None:
    world = World(tmp_path, IDENTIFIED)
    waiting, redis = asyncio.Event(), asyncio.Event()
    marked: list[bool] = []

    async def handle(batch: Batch[Numbered]) -> Handled:
        marked.append(world.suspected_after_a_death_now(tmp_path))
        waiting.set()
        await redis.wait()
        marked.append(world.suspected_after_a_death_now(tmp_path))
        return await world.echo(batch)

    async with world.running(handle) as runner:
        runner.push([record(0)])
        await asyncio.wait_for(waiting.wait(), 5)
        assert not world.suspected_after_a_death_now(tmp_path)
        redis.set()
        await until(lambda: runner.next_offset == 1)
    assert marked == [True, True]  # while its own code runs it is


async def test_a_death_while_kafka_does_not_confirm_is_blamed_on_nobody(tmp_path: Path) -> None:
    world = World(tmp_path, IDENTIFIED)
    waiting, kafka = asyncio.Event(), asyncio.Event()

    class Slow(InMemoryLog):
        async def write(self, outputs: Sequence[Output]) -> tuple[int, ...]:
            waiting.set()
            await kafka.wait()
            return await super().write(outputs)

    world.log = world.stage.writer = Slow()
    async with world.running(world.echo) as runner:
        runner.push([record(0)])
        await asyncio.wait_for(waiting.wait(), 5)
        assert not world.suspected_after_a_death_now(tmp_path)
        kafka.set()
        await until(lambda: runner.next_offset == 1)


async def refusing_bad(world: World, batch: Batch[Numbered]) -> Handled:
    fine = await world.echo(batch)
    bad = {one.offset for one in batch.arrived if one.headers == (("source", b"bad"),)}
    outputs = [o for o in fine.outputs if int(o.key or b"") not in bad]
    return Handled(outputs, [Refused(offset, "odd") for offset in sorted(bad)])


async def test_the_records_of_other_sources_go_on(tmp_path: Path) -> None:
    """One partition, two senders, every record of one is refused: it alone is set aside."""
    world = World(tmp_path, IDENTIFIED)
    records = [record(n, "bad" if n % 2 else "good") for n in range(2_000)]
    async with world.running(lambda batch: refusing_bad(world, batch)) as runner:
        for first in range(0, 2_000, 100):
            runner.push(records[first : first + 100])
        await until(lambda: runner.next_offset == 2_000)
        assert not runner.paused
    assert world.passed() == list(range(0, 2_000, 2))
    assert world.stage.limit.paused == {"bad"}
    codes = [one.code for one in world.rejections()]
    # 8, 16, 32, then 50 in a batch: the one that brings its 200th record is set aside whole.
    assert codes == ["odd"] * 156 + ["source_paused"] * 844
    assert [one.offset for one in world.rejections()] == list(range(1, 2_000, 2))
    aside = [one for one in world.rejections() if one.code == "source_paused"]
    assert [one.payload for one in aside] == [records[one.offset].value for one in aside]


async def test_what_is_set_aside_keeps_its_key_and_headers(tmp_path: Path) -> None:
    world = World(tmp_path, IDENTIFIED)
    world.stage.limit.pause({"bad"})
    async with world.running(world.echo) as runner:
        runner.push([record(0, "bad"), record(1, "good")])
        await until(lambda: runner.next_offset == 2)
    (aside,) = world.log.records(rejected(IDENTIFIED).name)
    assert (aside.key, aside.headers) == (b"k", (("source", b"bad"),))
    assert world.passed() == [1]


@pytest.mark.parametrize(
    ("topic", "source"), [(PLAIN, "bad"), (IDENTIFIED, "")], ids=["no-payload-kept", "no-source"]
)
async def test_a_partition_stops_where_setting_aside_would_lose_or_blur(
    tmp_path: Path, topic: Topic[Numbered], source: str
) -> None:
    world = World(tmp_path, topic)

    async def handle(batch: Batch[Numbered]) -> Handled:
        return Handled((), [Refused(one.offset, "odd") for one in batch.arrived])

    async with world.running(handle) as runner:
        runner.push([record(n, source) for n in range(500)])
        await until(lambda: runner.paused)
        assert runner.next_offset == 112  # 16, 32, 64: the next would bring the 200th record
    assert {one.code for one in world.rejections()} == {"odd"}
    assert len(world.rejections()) == 112
    assert world.crashes == []


async def test_a_quarantined_record_is_rejected_as_crashed_whatever_its_source_is(
    tmp_path: Path,
) -> None:
    world = World(tmp_path, IDENTIFIED)
    for _ in range(4):
        world.stage.ledger.blame(Place(IDENTIFIED.name, 0), 1, 1)
    world.stage.limit.count({"bad": 1_000}, {"bad": 49})
    async with world.running(world.echo) as runner:
        runner.push([record(0, "bad"), record(1, "bad"), record(2, "bad")])
        await until(lambda: runner.next_offset == 3)
    assert world.passed() == [0, 2]
    assert [(one.code, one.attempts) for one in world.rejections()] == [("crashed", 4)]


async def test_what_is_refused_without_blame_does_not_pause_its_source(tmp_path: Path) -> None:
    world = World(tmp_path, IDENTIFIED)

    async def handle(batch: Batch[Numbered]) -> Handled:
        return Handled((), [Refused(one.offset, "odd", counted=False) for one in batch.arrived])

    async with world.running(handle) as runner:
        runner.push([record(n, "flooding") for n in range(500)])
        await until(lambda: runner.next_offset == 500)
    assert [one.code for one in world.rejections()] == ["odd"] * 500
    assert world.stage.limit.paused == set()


def slow(world: World, sizes: list[int], record_s: float) -> Handle:
    """Return what handles records as a network reads notes, and tells the sizes of batches."""

    async def handle(batch: Batch[Numbered]) -> Handled:
        sizes.append(len(batch.arrived))
        time.sleep(record_s * len(batch.arrived))  # noqa: ASYNC251 - nothing else gets on
        return await world.echo(batch)

    return handle


async def test_a_batch_that_is_slow_and_tried_again_is_learnt_from(tmp_path: Path) -> None:
    world = World(tmp_path, PLAIN, batch_busy_s_max=0.1)
    sizes: list[int] = []
    slowly = slow(world, sizes, 0.02)

    async def failing_once(batch: Batch[Numbered]) -> Handled:
        handled = await slowly(batch)
        if len(sizes) == 1:
            raise Unavailable
        return handled

    async with world.running(failing_once) as runner:
        runner.push([record(n) for n in range(FIRST)])
        await until(lambda: runner.next_offset == FIRST)
        runner.push([record(n) for n in range(FIRST, 60)])
        await until(lambda: runner.next_offset == 60)
    assert sizes[:2] == [FIRST, FIRST]
    assert max(sizes[2:]) <= 5


async def test_the_batches_in_hand_share_the_time(tmp_path: Path) -> None:
    world = World(tmp_path, PLAIN)
    ran: list[float] = []
    both = asyncio.Barrier(2)

    async def work() -> None:
        time.sleep(0.1)  # noqa: ASYNC251 - as a network reads notes
        await both.wait()

    places = [Place(PLAIN.name, partition) for partition in range(2)]
    await asyncio.gather(*(world.stage.carry(work(), at, 0, 9, ran.append) for at in places))
    assert max(ran) >= 0.2
    await world.stage.carry(asyncio.sleep(0), places[0], 0, 9, ran.append)
    assert ran[-1] < 0.1


async def test_slow_records_come_in_small_batches_so_that_others_get_on(tmp_path: Path) -> None:
    world = World(tmp_path, PLAIN, batch_busy_s_max=0.5)
    sizes: list[int] = []
    async with world.running(slow(world, sizes, 0.05)) as runner:
        runner.push([record(n) for n in range(60)])
        await until(lambda: runner.next_offset == 60)
    assert world.passed() == list(range(60))
    assert sizes[0] == FIRST
    assert max(sizes[1:]) <= 10  # half a second of them
