"""A tombstone erases a person from inference: states, snapshots, results; nobody else notices."""

from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis

from contracts.assessed import ASSESSED, CURRENT, Assessment
from contracts.deidentified import DEIDENTIFIED
from contracts.state import STATE
from plumbing.event_log import Output
from plumbing.memory_log import InMemoryLog
from tests.integration.test_inference_state import TOKENS, a_day, live, plain
from tests.support.inference import T0, a_log, assessments, driving, tell, vitals

GONE = TOKENS[1]
NOBODY = "nobody" + TOKENS[0][6:]


@pytest.fixture
def redis(redis_url: str) -> Iterator["Redis"]:
    with Redis.from_url(redis_url) as client:
        client.flushall()
        yield client


async def erased(log: InMemoryLog, token: str) -> None:
    """Write the tombstone where that of ``GONE`` goes, whoever it is about."""
    partition = log.partition_of(GONE)
    await log.write([Output(DEIDENTIFIED.name, token.encode(), None, partition=partition)])


async def a_day_with(
    redis: "Redis", url: str, token: str, batch_size: int, *, flush: str = ""
) -> InMemoryLog:
    """Feed a day with a tombstone in the middle; Redis is emptied before, after it, or never."""
    redis.flushall()
    log = a_log()
    await live(log)
    events = a_day()
    await tell(log, *events[:40])
    async with driving(log, url, snapshot_events=8, snapshot_s=1e9) as driver:
        await driver.feed(batch_size)
        if flush == "before":
            redis.flushall()
        await erased(log, token)
        await tell(log, *(one for one in events[40:] if one.token != GONE))
        await driver.feed(batch_size)
        if flush == "after":
            redis.flushall()
            await driver.idle()
        await tell(log, vitals("last", TOKENS[0], T0, heart_rate=70))
        await driver.feed(batch_size)
        await driver.idle()
    return log


def of_others(log: InMemoryLog) -> dict[str, Assessment]:
    return {name: one for name, one in assessments(log).items() if one.token != GONE}


@pytest.mark.parametrize("batch_size", [1, 500])
@pytest.mark.parametrize("flush", ["", "before", "after"])
async def test_everything_of_one_goes_and_nothing_of_the_others(
    redis: "Redis", redis_url: str, batch_size: int, flush: str
) -> None:
    before = await a_day_with(redis, redis_url, NOBODY, batch_size)
    log = await a_day_with(redis, redis_url, GONE, batch_size, flush=flush)
    assert plain(of_others(log)) == plain(of_others(before))
    partition = log.partition_of(GONE)
    states = redis.hgetall(f"inf:{{p{partition}}}:states")
    assert GONE.encode() not in states
    held: list[Any] = [
        redis.hgetall(key) for key in redis.scan_iter("inf:*") if redis.type(key) == b"hash"
    ]
    everything = b" ".join(name + value for one in held for name, value in one.items())
    assert GONE.encode() not in everything
    for topic in (STATE, CURRENT, ASSESSED):
        log.compact(topic.name)
        left = [r for r in log.records(topic.name) if r.key == GONE.encode()]
        assert [one.value for one in left] == [None]
        assert {one.partition for one in left} == {partition}
    counted = redis.hlen(f"inf:{{p{partition}}}:states")
    assert counted == 1 + len({t for t in TOKENS if log.partition_of(t) == partition} - {GONE})


async def test_a_tombstone_that_comes_again_harms_nobody(redis: "Redis", redis_url: str) -> None:
    log = a_log()
    await live(log)
    await tell(log, *a_day()[:20])
    async with driving(log, redis_url, snapshot_events=8, snapshot_s=1e9) as driver:
        await driver.feed()
        await erased(log, GONE)
        await erased(log, NOBODY)
        await driver.feed()
        before = assessments(log)
        driver.done.clear()  # everything is delivered again
        await driver.feed(500)
        await driver.idle()
        assert plain(assessments(log)) == plain(before)
    assert GONE.encode() not in redis.hgetall(f"inf:{{p{log.partition_of(GONE)}}}:states")
