"""What happens to Redis never shows in an assessment: real Redis, log in memory."""

from collections.abc import Awaitable, Callable, Iterator
from random import Random
from typing import Any

import msgspec
import pytest
from redis import Redis

from contracts.assessed import ASSESSED, Assessment
from contracts.deidentified import DEIDENTIFIED, DeidentifiedEvent
from contracts.promoted import PROMOTED, ModelPromoted
from plumbing.errors import Unavailable
from plumbing.event_log import Output
from plumbing.memory_log import InMemoryLog
from services.inference import metrics
from tests.support.brokers import RedisServer
from tests.support.inference import (
    HOUR,
    MINUTE,
    T0,
    CountingModel,
    Driver,
    Shelf,
    a_log,
    admission,
    assessments,
    driving,
    event_id,
    reports,
    tell,
    vitals,
)

TOKENS = tuple(f"token{number:021d}" for number in range(6))
Harm = Callable[[Driver, "Redis", InMemoryLog, int], Awaitable[None]]


def a_day(seed: int = 7, count: int = 60) -> list[DeidentifiedEvent]:
    """Return events of six patients: admissions, then vital signs, some doubled."""
    random = Random(seed)
    events = [admission(f"in-{token}", token) for token in TOKENS[:3]]
    for number in range(count):
        token = random.choice(TOKENS)
        events.append(
            vitals(
                f"v-{number}",
                token,
                T0 + number * 10 * MINUTE,
                heart_rate=random.randint(50, 150),
                resp_rate=random.randint(8, 30),
                sbp=random.randint(80, 200),
                spo2=random.randint(85, 100),
                temperature=random.randint(350, 400) / 10,
            )
        )
        if random.random() < 0.1:
            events.append(events[-1])  # privacy wrote it twice
    return events


async def live(log: InMemoryLog, offset_name: str = "icu_mortality") -> None:
    """Put the test's model in force."""
    model = CountingModel()
    said = ModelPromoted(
        model=offset_name,
        version=model.version,
        digest=model.digest,
        state="live",
        by="test",
        at_ms=T0,
    )
    await log.write([Output(PROMOTED.name, offset_name.encode(), PROMOTED.encode(said))])


async def run(redis: "Redis", url: str, harm: Harm | None = None) -> InMemoryLog:
    """Feed the day, batch by batch, with ``harm`` done before each; return the log."""
    redis.flushall()
    log = a_log()
    await live(log)
    await tell(log, *a_day())
    async with driving(log, url, snapshot_events=8, snapshot_s=1e9) as driver:
        step = 0
        for partition in (0, 1):
            while True:
                if harm is not None:
                    await harm(driver, redis, log, step)
                if not await driver.step(partition, 5):
                    break
                step += 1
        await driver.idle()
    return log


def restores() -> float:
    """Return how often any state was brought back in this process."""
    return sum(
        sample.value
        for metric in metrics.STATE_RESTORES.collect()
        for sample in metric.samples
        if sample.name.endswith("_total")
    )


def plain(found: dict[str, Assessment]) -> dict[str, bytes]:
    """Return the assessments' bytes without the time they took."""
    return {
        key: ASSESSED.encode(msgspec.structs.replace(one, elapsed_ms=0))
        for key, one in found.items()
    }


@pytest.fixture
def redis(redis_url: str) -> Iterator["Redis"]:
    with Redis.from_url(redis_url) as client:
        yield client


async def flush_sometimes(_driver: Driver, redis: "Redis", _log: InMemoryLog, step: int) -> None:
    if step % 3 == 2:
        redis.flushall()


async def delete_a_state(_driver: Driver, redis: "Redis", _log: InMemoryLog, step: int) -> None:
    for key in redis.keys("inf:*:states"):
        tokens = sorted(field for field in redis.hkeys(key) if field != b"@")
        if tokens and step % 2:
            redis.hdel(key, tokens[step % len(tokens)])


async def damage_a_state(_driver: Driver, redis: "Redis", _log: InMemoryLog, step: int) -> None:
    for key in redis.keys("inf:*:states"):
        tokens = sorted(field for field in redis.hkeys(key) if field != b"@")
        if tokens and step % 3 == 1:
            redis.hset(key, tokens[0], b"\x91\x01")


def older_dump() -> Harm:
    """Return a harm that keeps what Redis holds at step 2 and brings it back three times."""
    kept: dict[Any, Any] = {}

    async def harm(_driver: Driver, redis: "Redis", _log: InMemoryLog, step: int) -> None:
        if step == 2:
            for key in redis.keys("inf:*"):
                kept[key] = redis.dump(key)
        if step in {4, 7, 9}:
            redis.flushall()
            for key, value in kept.items():
                redis.restore(key, 0, value)

    return harm


async def redeliver(driver: Driver, _redis: "Redis", _log: InMemoryLog, step: int) -> None:
    for partition, done in list(driver.done.items()):
        for start in range(max(0, done - 10), done):
            batch = await driver.batch(partition, start, done - start)
            assert batch is not None
            await driver.finish(await driver.service.subscription.handle(batch))


@pytest.mark.parametrize(
    "harm",
    [flush_sometimes, delete_a_state, damage_a_state, older_dump(), redeliver],
    ids=["flushed", "state_deleted", "state_damaged", "older_dump", "redelivered"],
)
async def test_harm_to_redis_never_shows(redis: "Redis", redis_url: str, harm: Harm) -> None:
    undisturbed = await run(redis, redis_url)
    before = restores()
    disturbed = await run(redis, redis_url, harm)
    if harm is not redeliver:
        assert restores() > before + 1

    expected = assessments(undisturbed)
    assert len(expected) == 63
    assert sum(one.status == "scored" for one in expected.values()) == 60
    assert any(risk.probability for one in expected.values() for risk in one.risks)
    assert plain(assessments(disturbed)) == plain(expected)
    assert plain(reports(disturbed)) == plain(reports(undisturbed))
    for record in disturbed.records(ASSESSED.name):  # every copy is the same
        assert record.value is not None
        copy = ASSESSED.decode(record.value)
        first = expected[copy.event_id]
        assert copy.inputs_digest == first.inputs_digest
        assert copy.scores == first.scores
        assert copy.risks == first.risks


async def test_redis_away_makes_the_batch_wait_and_nothing_else(own_redis: RedisServer) -> None:
    log = a_log()
    await tell(log, *a_day(count=20))
    async with driving(log, own_redis.url) as driver:
        assert await driver.step(0, 5)
        own_redis.kill()
        with pytest.raises(Unavailable):
            await driver.step(0, 5)
        own_redis.start()
        await driver.feed(5)

    undisturbed = a_log()
    await tell(undisturbed, *a_day(count=20))
    own_redis.flush()
    async with driving(undisturbed, own_redis.url) as driver:
        await driver.feed(5)
    assert plain(assessments(log)) == plain(assessments(undisturbed))


async def test_a_state_that_the_log_no_longer_completes_says_so(
    redis: "Redis", redis_url: str
) -> None:
    log = a_log(partitions=1)
    await tell(log, *a_day(count=10))
    async with driving(log, redis_url, snapshot_s=1e9) as driver:
        await driver.feed()
        redis.flushall()
        kept = log._topics[DEIDENTIFIED.name][0].records
        del kept[:5]  # retention took them before any snapshot was written
        await tell(log, vitals("late", TOKENS[0], T0 + HOUR, heart_rate=70))
        await driver.feed()
    found = assessments(log)
    assert found[event_id("late")].degraded == "state_incomplete"
    assert not found[event_id("v-0")].degraded


async def test_a_promoted_model_that_is_refused_is_said_to_be_unavailable(
    redis: "Redis", redis_url: str
) -> None:
    redis.flushall()
    log = a_log()
    await live(log)
    await tell(log, admission("in", TOKENS[0]), vitals("one", TOKENS[0], T0, heart_rate=80))
    async with driving(log, redis_url, Shelf(code="signature")) as driver:
        await driver.feed()
        assert not driver.service.models_ready
    found = assessments(log)[event_id("one")]
    assert [(risk.covered, risk.reason) for risk in found.risks] == [(False, "model_unavailable")]
    assert found.degraded == "model_unavailable"
    assert found.status == "scored"  # the rules go on
    assert found.scores[0].parts == {"pulse": 0}


async def test_a_redelivered_event_is_answered_from_the_kept_result(
    redis: "Redis", redis_url: str
) -> None:
    redis.flushall()
    log, shelf = a_log(partitions=1), Shelf()
    await live(log)
    events = [admission("in", TOKENS[0])]
    events += [vitals(f"v{n}", TOKENS[0], T0 + n * MINUTE, heart_rate=80 + n) for n in range(3)]
    await tell(log, *events)
    async with driving(log, redis_url, shelf) as driver:
        await driver.feed(10)
        assert isinstance(shelf.model, CountingModel)
        asked = shelf.model.rows
        batch = await driver.batch(0, 0, 10)
        assert batch is not None
        await driver.finish(await driver.service.subscription.handle(batch))
        assert shelf.model.rows <= asked + 1  # the person's report is asked anew
    assert all(int(str(redis.ttl(key))) > 0 for key in redis.keys("inf:r:*"))
    assert not any(TOKENS[0] in str(key) for key in redis.keys("inf:r:*"))
