"""The projector on a real Redis: idempotent, and made anew when Redis lost something."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio

from contracts.assessed import ASSESSED, CURRENT
from contracts.merged import MERGED
from contracts.relations import RELATIONS
from contracts.reviewed import REVIEWED, Review
from plumbing.errors import Unavailable
from plumbing.event_log import Output
from services.gateway import projector
from services.gateway.stored import decode_point
from tests.support.brokers import RedisServer
from tests.support.gateway_world import (
    Feed,
    World,
    a_link,
    a_relation,
    an_assessment,
    gateway_world,
)

TOKENS = [f"token{number:02d}" for number in range(20)]


@pytest.fixture
async def world(redis_url: str, tmp_path: Path) -> AsyncIterator[World]:
    async with gateway_world(redis_url, tmp_path) as made:
        yield made


@pytest.fixture
async def raw(redis_url: str) -> AsyncIterator[Any]:
    client = redis.asyncio.Redis.from_url(redis_url)
    yield client
    await client.aclose()


@pytest.fixture(autouse=True)
def no_head_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projector, "HEAD_START_S", 0.0)


async def fill(world: World, rounds: int = 3) -> None:
    """Every token is in a unit, has results of several events and a current report."""
    for number, token in enumerate(TOKENS):
        await world.tell(RELATIONS, a_relation(token, f"W{number % 3}"))
        for turn in range(rounds):
            event = an_assessment(token, f"{token}-{turn}", total=turn)
            await world.tell(ASSESSED, event)
        report = an_assessment(token, f"{token}-{rounds - 1}", basis="person")
        await world.tell(CURRENT, report)
    await world.tell(MERGED, a_link(TOKENS[0], TOKENS[1], 5), a_link(TOKENS[1], TOKENS[0], -5))
    await world.settle()
    await world.feed.idle()


async def everything(raw: Any) -> dict[str, object]:
    """All that the read model holds, but for the names of rebuilds and versions of changes."""
    found: dict[str, object] = {}
    for key in await raw.keys("gw:*"):
        name = key.decode()
        if name in ("gw:epoch", "gw:changes"):
            continue  # they say when, not what
        kind = (await raw.type(key)).decode()
        if kind == "hash":
            held = await raw.hgetall(key)
            found[name] = {k: v for k, v in held.items() if v != b"0"}
        elif kind == "zset":
            found[name] = await raw.zrange(key, 0, -1, withscores=True)
        else:
            found[name] = await raw.get(key)
    return found


async def test_every_event_is_visible_once(world: World) -> None:
    await fill(world)
    expected = {f"{token}-{turn}" for token in TOKENS for turn in range(3)}
    assert await world.model.visible_event_ids(12) == expected
    assert await world.model.counts(12) == (60, 0, 20)


async def test_redelivery_changes_nothing(world: World, raw: Any) -> None:
    await fill(world)
    before = await everything(raw)
    again = Feed(world.log, world.gateway.subscriptions())
    await again.run(batch_size=1)
    assert await everything(raw) == before


async def test_the_greatest_epoch_shows_and_within_it_the_first(world: World) -> None:
    first = an_assessment("t", "e", total=1, model_epoch=5)
    await world.tell(ASSESSED, first, an_assessment("t", "e", total=2, model_epoch=5))
    await world.tell(ASSESSED, an_assessment("t", "e", total=9, model_epoch=3))
    await world.settle()
    ((_, point),) = await world.model.points("t", -(2**52), 2**52)
    assert point.total == 1
    await world.tell(ASSESSED, an_assessment("t", "e", total=4, model_epoch=8))
    await world.settle()
    ((_, point),) = await world.model.points("t", -(2**52), 2**52)
    assert point.total == 4
    old = await world.model.superseded("t", "e")
    assert [(epoch, one.total) for epoch, one in old] == [(3, 9), (5, 1)]
    assert await world.model.counts(12) == (1, 2, 1)


async def test_an_emptied_redis_is_noticed_and_filled_again(world: World, raw: Any) -> None:
    await fill(world)
    before = await everything(raw)
    await raw.flushall()
    await world.feed.idle()
    after = await everything(raw)
    assert after == before


async def test_it_is_noticed_by_the_next_batch_too(world: World, raw: Any) -> None:
    await fill(world)
    await raw.flushall()
    await world.tell(ASSESSED, an_assessment(TOKENS[3], "late"))
    await world.settle()
    seen = await world.model.visible_event_ids(12)
    assert {"late", f"{TOKENS[3]}-0", f"{TOKENS[3]}-2"} <= seen


async def test_a_new_process_notices_by_what_was_committed(
    world: World, raw: Any, redis_url: str, tmp_path: Path
) -> None:
    await fill(world)
    before = await everything(raw)
    await raw.flushall()
    async with gateway_world(redis_url, tmp_path / "other") as fresh:
        fresh.gateway.projector._reader = world.log
        fresh.feed.committed = dict(world.feed.committed)
        await fresh.feed.idle()
        assert await everything(raw) == before


@pytest.mark.parametrize(
    "pattern", ["gw:point:*", "gw:detail:*", "gw:time:*", "gw:cur:*", "gw:rel:*", "gw:lnk:*",
                "gw:evt:*", "gw:held:*", "gw:count", "gw:progress", "gw:epoch"]
)  # fmt: skip
async def test_what_is_partly_gone_is_noticed(world: World, raw: Any, pattern: str) -> None:
    await fill(world)
    before = await everything(raw)
    keys = sorted(await raw.keys(pattern))
    await raw.delete(keys[0])
    world.clock.advance(projector.SWEEP_EVERY_S + 1)
    await world.feed.idle()
    assert await everything(raw) == before


async def test_an_older_dump_is_caught_up(own_redis: RedisServer, tmp_path: Path) -> None:
    async with gateway_world(own_redis.url, tmp_path / "issuer") as world:
        client = redis.asyncio.Redis.from_url(own_redis.url)
        await fill(world, rounds=1)
        await client.save()
        kept = own_redis.dump.read_bytes()
        await fill(world, rounds=4)
        before = await everything(client)
        own_redis.kill()
        own_redis.dump.write_bytes(kept)
        await client.aclose()
        own_redis.start()
        await world.feed.idle()
        client = redis.asyncio.Redis.from_url(own_redis.url)
        assert await everything(client) == before
        await client.aclose()


async def test_the_worklist_stays_while_redis_is_filled_again(world: World, raw: Any) -> None:
    await fill(world)
    listed = world.gateway.follower.rows_listed
    assert listed == len(TOKENS) - 1  # two of them are one person
    await raw.flushall()
    await world.gateway.step()
    assert world.gateway.follower.rows_listed == listed
    assert world.gateway.follower.behind_minutes == 1
    world.clock.advance(120)
    await world.gateway.step()
    assert world.gateway.follower.behind_minutes == 3
    await world.feed.idle()
    await world.gateway.step()
    assert world.gateway.follower.behind_minutes is None
    assert world.gateway.follower.rows_listed == listed


async def test_a_dead_redis_stops_the_batch(own_redis: RedisServer, tmp_path: Path) -> None:
    async with gateway_world(own_redis.url, tmp_path / "issuer") as world:
        await fill(world, rounds=1)
        own_redis.kill()
        await world.tell(ASSESSED, an_assessment("t", "e"))
        with pytest.raises(Unavailable):
            await world.feed.run()
        await world.gateway.step()
        assert world.gateway.follower.behind_minutes == 1
        assert world.gateway.follower.rows_listed == len(TOKENS) - 1
        own_redis.start()
        await world.feed.idle()
        await world.settle()
        assert "e" in await world.model.visible_event_ids(12)


async def test_old_points_go_thirty_days_after_they_were_scored(world: World, raw: Any) -> None:
    """Not before: an old message that arrives today is shown, whatever its clinical time."""
    newest = an_assessment("t", "new").as_of_ms
    await world.tell(ASSESSED, an_assessment("t", "new"))
    await world.tell(ASSESSED, an_assessment("t", "old", at_ms=newest - projector.KEEP_MS - 1))
    await world.settle()
    world.clock.advance(projector.SWEEP_EVERY_S + 1)
    await world.feed.idle()
    assert await world.model.visible_event_ids(12) == {"new", "old"}
    world.clock.advance(projector.KEEP_MS / 1000)
    await world.feed.idle()
    assert await world.model.visible_event_ids(12) == {"new"}
    assert await raw.hlen("gw:detail:t") == 1
    (epoch, point) = decode_point(await raw.hget("gw:point:t", "new") or b"")
    assert (epoch, point.at_ms) == (1, newest)
    await world.feed.idle()


async def test_what_was_superseded_is_counted_and_goes_with_its_event(
    world: World, raw: Any
) -> None:
    newest = an_assessment("t", "new").as_of_ms
    old_ms = newest - projector.KEEP_MS - 1
    await world.tell(ASSESSED, an_assessment("t", "new", model_epoch=3))
    for epoch in (4, 2, 9, 4):  # twice the same: counted once
        await world.tell(ASSESSED, an_assessment("t", "old", at_ms=old_ms, model_epoch=epoch))
    await world.tell(ASSESSED, an_assessment("t", "new", model_epoch=5))
    await world.settle()
    assert await world.model.counts(12) == (2, 3, 1)
    before = await everything(raw)
    (point_key,) = await raw.keys("gw:point:t")
    await raw.delete(point_key)
    world.clock.advance(projector.SWEEP_EVERY_S + 1)
    await world.feed.idle()
    assert await everything(raw) == before  # replayed, counted as before
    world.clock.advance(projector.KEEP_MS / 1000)
    await world.feed.idle()
    assert await world.model.counts(12) == (1, 1, 1)
    assert await raw.hkeys("gw:old:t") == [b"new:3"]


async def test_counting_does_not_walk_through_all_keys(world: World, raw: Any) -> None:
    await fill(world)
    await raw.config_resetstat()
    await world.model.counts(12)
    await world.model.revoked(0)
    assert "cmdstat_scan" not in await raw.info("commandstats")


async def test_a_tombstone_takes_the_decisions_too(world: World, raw: Any) -> None:
    made = Review(
        review_id="r", event_id="e", token="t", decision="accepted", viewer="v", decided_at_ms=1
    )
    await world.tell(REVIEWED, made)
    await world.settle()
    assert await world.model.decision("t", "r") == made
    await world.log.write([Output(REVIEWED.name, b"t", None)])
    await world.settle()
    assert await world.model.decision("t", "r") is None


async def test_a_tombstone_takes_the_row(world: World, raw: Any) -> None:
    await fill(world)
    await world.log.write([Output(RELATIONS.name, TOKENS[4].encode(), None)])
    await world.log.write([Output(CURRENT.name, TOKENS[4].encode(), None)])
    await world.settle()
    one = world.gateway.board.find(TOKENS[4])
    assert one is not None
    assert one.related is None
    assert one.reported is None


@pytest.mark.parametrize("harm", ["", "flush", "delete"])
async def test_a_tombstone_of_results_erases_the_person(world: World, raw: Any, harm: str) -> None:
    await fill(world)
    gone, token = TOKENS[4], TOKENS[4].encode()
    made = Review(
        review_id="r", event_id="e", token=gone, decision="accepted", viewer="v", decided_at_ms=1
    )
    await world.tell(REVIEWED, made)
    await world.tell(ASSESSED, an_assessment(gone, f"{gone}-0", total=2, model_epoch=9))
    await world.settle()
    for topic in (RELATIONS, MERGED, CURRENT, ASSESSED):
        await world.log.write([Output(topic.name, token, None)])
    await world.settle()
    await world.settle()  # the gateway's own tombstone of decisions comes back to it
    if harm == "flush":
        await raw.flushall()
    elif harm == "delete":
        await raw.delete("gw:evt:0", "gw:rev:0")
    await world.feed.idle()
    await world.settle()
    kept = await everything(raw)
    assert gone not in repr(kept)
    assert await world.model.counts(12) == (57, 0, 19)
    assert await world.model.decision(gone, "r") is None
    assert len(world.gateway.board.states) == 19
    others = {f"{one}-{turn}" for one in TOKENS if one != gone for turn in range(3)}
    assert await world.model.visible_event_ids(12) == others
    again = Feed(world.log, world.gateway.subscriptions())
    await again.run(batch_size=7)
    assert await everything(raw) == kept
