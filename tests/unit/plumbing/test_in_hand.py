"""A batch is marked while its code runs, and not while it waits for something outside."""

import asyncio
from typing import TypeVar

import pytest

from plumbing.in_hand import Carried, InHand, working_elsewhere

Result = TypeVar("Result")


class Mark:
    """The mark of one batch, and how often it was put up."""

    def __init__(self) -> None:
        self.up = False
        self.times = 0
        self.now_s = 0.0
        self.hand = InHand(self.take, self.put_down, lambda: self.now_s)

    def take(self) -> None:
        assert not self.up
        self.up = True
        self.times += 1

    def put_down(self) -> None:
        assert self.up
        self.up = False


@pytest.fixture
def mark() -> Mark:
    return Mark()


async def _reached(waiting: asyncio.Event) -> None:
    async with asyncio.timeout(30):
        await waiting.wait()


async def test_the_mark_is_up_between_the_waits_only(mark: Mark) -> None:
    waiting, redis = asyncio.Event(), asyncio.Event()

    async def work() -> int:
        assert mark.up
        waiting.set()
        await redis.wait()
        assert mark.up
        return 7

    task = asyncio.ensure_future(_await(Carried(work(), mark.hand)))
    await _reached(waiting)
    assert not mark.up
    redis.set()
    assert await task == 7
    assert (mark.up, mark.times) == (False, 2)


async def _await(carried: Carried[Result]) -> Result:
    return await carried


async def test_work_in_another_thread_keeps_the_mark_up(mark: Mark) -> None:
    waiting, thread = asyncio.Event(), asyncio.Event()

    async def work() -> int:
        with working_elsewhere():
            waiting.set()
            await thread.wait()
        return 1

    task = asyncio.ensure_future(_await(Carried(work(), mark.hand)))
    await _reached(waiting)
    assert mark.up
    thread.set()
    await task
    assert (mark.up, mark.times) == (False, 1)


async def test_a_task_of_the_batch_keeps_the_mark_up_too(mark: Mark) -> None:
    at_work, done = asyncio.Event(), asyncio.Event()

    async def part() -> None:
        with working_elsewhere():
            at_work.set()
            await done.wait()

    async def work() -> int:
        await asyncio.gather(part(), part())
        return 2

    task = asyncio.ensure_future(_await(Carried(work(), mark.hand)))
    await _reached(at_work)
    await asyncio.sleep(0)
    assert mark.up
    done.set()
    assert await task == 2
    assert not mark.up


async def test_an_error_and_a_timeout_reach_the_work_and_leave_no_mark(mark: Mark) -> None:
    async def failing() -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await Carried(failing(), mark.hand)
    assert not mark.up

    async def catching() -> int:
        try:
            async with asyncio.timeout(0.01):
                await asyncio.Event().wait()
        except TimeoutError:
            return 3
        raise AssertionError

    assert await Carried(catching(), mark.hand) == 3
    assert not mark.up


async def test_a_cancelled_batch_leaves_no_mark(mark: Mark) -> None:
    cleaned = False

    async def work() -> int:
        nonlocal cleaned
        try:
            await asyncio.Event().wait()
        finally:
            cleaned = True
        return 0

    task = asyncio.ensure_future(_await(Carried(work(), mark.hand)))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert (cleaned, mark.up) == (True, False)


def test_outside_a_stream_nothing_is_marked() -> None:
    with working_elsewhere():
        pass


async def test_the_time_is_that_of_its_own_code(mark: Mark) -> None:
    waiting, redis = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        mark.now_s += 2
        waiting.set()
        await redis.wait()
        mark.now_s += 3

    task = asyncio.ensure_future(_await(Carried(work(), mark.hand)))
    await _reached(waiting)
    assert mark.hand.busy_s == 2
    mark.now_s += 100  # Redis takes its time
    redis.set()
    await task
    assert mark.hand.busy_s == 5
