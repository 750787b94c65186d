"""How long a group gathers: not at all where nothing more can come, else up to a period."""

import asyncio

from services.ingest.gathering import GROUP_PERIOD_S, MESSAGES_ENOUGH, Gathering
from tests.support.timing import assert_within, timed


async def waited_s(gathering: Gathering, queue: list[int]) -> float:
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    await gathering.wait(queue)
    return loop.time() - began_s


@timed
async def test_one_sender_alone_waits_for_nobody() -> None:
    gathering = Gathering(lambda: False)
    gathering.begun(1)
    assert_within(await waited_s(gathering, [1]), GROUP_PERIOD_S / 2)


@timed
async def test_several_senders_gather_for_a_period() -> None:
    gathering = Gathering(lambda: False)
    gathering.begun(2)
    assert await waited_s(gathering, [1]) >= GROUP_PERIOD_S * 0.9
    counted_from_the_last_beginning_s = await waited_s(gathering, [1])
    assert_within(counted_from_the_last_beginning_s, GROUP_PERIOD_S / 2)


@timed
async def test_nobody_is_waited_for_where_all_wait_or_enough_is_there() -> None:
    gathering = Gathering(lambda: True)
    gathering.begun(2)
    assert_within(await waited_s(gathering, [1]), GROUP_PERIOD_S / 2)
    busy = Gathering(lambda: False)
    busy.begun(2)
    assert_within(await waited_s(busy, [1] * MESSAGES_ENOUGH), GROUP_PERIOD_S / 2)
