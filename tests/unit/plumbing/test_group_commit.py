"""Callers share commits, in order; nobody waits for ever, whatever becomes of a commit."""

import asyncio
from collections.abc import Sequence

import pytest

from plumbing.errors import Unavailable
from plumbing.group_commit import GroupCommit


class Slow:
    """Commits take until ``go`` is set; ``fails`` raises for a commit that holds that item."""

    def __init__(self, fails: int | None = None) -> None:
        self.commits: list[list[int]] = []
        self.go = asyncio.Event()
        self.fails = fails

    async def commit(self, items: Sequence[int]) -> None:
        self.commits.append(list(items))
        await self.go.wait()
        if self.fails in items:
            raise Unavailable("made to fail")


async def test_who_comes_meanwhile_shares_the_next_commit_in_order() -> None:
    slow = Slow()
    group = GroupCommit(slow.commit)
    callers = [asyncio.create_task(group.add(n)) for n in range(6)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    late = [asyncio.create_task(group.add(n)) for n in range(6, 9)]
    slow.go.set()
    await asyncio.gather(*callers, *late)
    assert [n for commit in slow.commits for n in commit] == list(range(9))
    assert len(slow.commits) == 2


async def test_an_error_reaches_all_of_its_commit_and_nobody_else() -> None:
    slow = Slow(fails=0)
    group = GroupCommit(slow.commit)
    first = [asyncio.create_task(group.add(n)) for n in range(2)]
    await asyncio.sleep(0.01)
    second = asyncio.create_task(group.add(5))
    slow.go.set()
    answers = await asyncio.gather(*first, second, return_exceptions=True)
    assert isinstance(answers[0], Unavailable)
    assert answers[2] is None


async def test_a_cancelled_commit_leaves_nobody_waiting() -> None:
    slow = Slow()
    group = GroupCommit(slow.commit)
    leader = asyncio.create_task(group.add(1))
    follower = asyncio.create_task(group.add(2))
    await asyncio.sleep(0.01)
    leader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leader
    slow.go.set()
    async with asyncio.timeout(30):
        await asyncio.gather(follower, return_exceptions=True)


async def test_between_commits_none_is_under_way() -> None:
    slow = Slow()
    group = GroupCommit(slow.commit)
    caller = asyncio.create_task(group.add(1))
    await asyncio.sleep(0.01)
    entered = asyncio.Event()

    async def look() -> None:
        async with group.between():
            assert caller.done() or slow.go.is_set()
            entered.set()

    looking = asyncio.create_task(look())
    await asyncio.sleep(0.01)
    assert not entered.is_set()
    slow.go.set()
    await asyncio.gather(caller, looking)
