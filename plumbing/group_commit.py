"""Group commit: callers that come while a commit is under way share the next one.

One commit runs at a time, so what it does keeps the order of the callers, and a busy moment costs
one commit instead of one for each caller.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

from plumbing.errors import Unavailable

Item = TypeVar("Item")
_Waiting = tuple[Item, "asyncio.Future[None]"]


class GroupCommit(Generic[Item]):
    """``commit`` takes the items of all callers that wait; its error goes to each of them."""

    def __init__(self, commit: Callable[[Sequence[Item]], Awaitable[None]]) -> None:
        """Start with nobody waiting."""
        self._commit = commit
        self._waiting: list[_Waiting[Item]] = []
        self._turn = asyncio.Lock()
        self._committing: asyncio.Task[None] | None = None

    async def add(self, item: Item) -> None:
        """Return when ``item`` is committed; raises what its commit raised, ``Unavailable`` when
        that was interrupted. A caller that goes away leaves its item in, and takes nobody's out.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if self._committing is None or self._committing.done():
            self._committing = asyncio.create_task(self._commit_all())
        await done

    @asynccontextmanager
    async def between(self) -> AsyncIterator[None]:
        """Run the block while no commit is under way: what was committed is all there."""
        async with self._turn:
            yield

    async def _commit_all(self) -> None:
        taken: list[_Waiting[Item]] = []
        error: Exception | None = Unavailable("the commit was interrupted")
        try:
            while self._waiting:
                async with self._turn:
                    taken, self._waiting = self._waiting, []
                    error = await self._outcome([item for item, _ in taken])
                _settle(taken, error)
                error = Unavailable("the commit was interrupted")
        finally:  # nobody is left waiting, whatever ends this
            _settle([*taken, *self._waiting], error)
            self._waiting = []

    async def _outcome(self, items: Sequence[Item]) -> Exception | None:
        try:
            await self._commit(items)
        except Exception as raised:  # noqa: BLE001 - it is the callers' to handle
            return raised
        return None


def _settle(waiting: Sequence[_Waiting[Item]], error: Exception | None) -> None:
    for _, done in waiting:
        if done.done():
            continue  # settled before, or its caller has gone away
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)
