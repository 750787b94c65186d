"""The group's changes, without a group: what overlaps at the end of a process."""

import asyncio
from pathlib import Path

from faust.types import TP

from plumbing.stage import Subscription
from plumbing.stream_consumer import StreamConsumer
from tests.unit.plumbing.test_stream_partition import PLAIN, World


async def test_a_revoke_during_the_stop_releases_each_partition_once(tmp_path: Path) -> None:
    world = World(tmp_path, PLAIN)
    async with world.running(world.echo) as runner:
        consumer = StreamConsumer.__new__(StreamConsumer)  # no app, no thread: nothing to commit
        consumer._subscriptions = {PLAIN.name: Subscription(PLAIN, world.echo)}
        consumer._runners = {TP(PLAIN.name, 0): runner}
        stopping = consumer._release({TP(PLAIN.name, 0)}, 1.0)
        revoking = consumer._release({TP(PLAIN.name, 0)}, 1.0)
        await asyncio.gather(stopping, revoking)
        assert consumer._runners == {}
