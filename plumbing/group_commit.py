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


class GroupCommit(Generic[Item]):
    """``commit`` takes the items of all callers that wait; its error goes to each of them."""

    def __init__(self, commit: Callable[[Sequence[Item]], Awaitable[None]]) -> None:
        """Start with nobody waiting."""
        self._commit = commit
        self._waiting: list[tuple[Item, asyncio.Future[None]]] = []
        self._busy = asyncio.Lock()

    async def add(self, item: Item) -> None:
        """Return when ``item`` is committed; raises what its commit raised, ``Unavailable`` when
        that was interrupted. A caller that is cancelled leaves its item in, to be committed.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        async with self._busy:
            if not done.done():
                await self._commit_all()
        await done

    @asynccontextmanager
    async def between(self) -> AsyncIterator[None]:
        """Run the block while no commit is under way: what was committed is all there."""
        async with self._busy:
            yield

    async def _commit_all(self) -> None:
        taken, self._waiting = self._waiting, []
        error: Exception | None = Unavailable("the commit was interrupted")
        try:
            await self._commit([item for item, _ in taken])
            error = None
        except Exception as raised:  # noqa: BLE001 - it is the callers' to handle
            error = raised
        finally:  # also when cancelled: nobody is left waiting
            for _, done in taken:
                _settle(done, error)


def _settle(done: "asyncio.Future[None]", error: Exception | None) -> None:
    if done.done():
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)
        done.exception()  # seen: a caller that was cancelled will not ask
