"""How long messages gather before the next group of them is committed.

A transaction costs Kafka and us as much for one message as for many, so groups begin no sooner than
``GROUP_PERIOD_S`` after one another while more messages may come. None can where every sender waits
for an answer, and one sender alone, who waits for each answer, waits no longer.
"""

import asyncio
from collections.abc import Callable, Sized

GROUP_PERIOD_S = 0.025
MESSAGES_ENOUGH = 100
LOOK_S = 0.002


class Gathering:
    """``all_wait`` tells whether every sender waits for an answer."""

    def __init__(self, all_wait: Callable[[], bool]) -> None:
        """Start with nobody at work."""
        self._all_wait = all_wait
        self._began_s = 0.0
        self._several = False

    def begun(self, messages: int) -> None:
        """Note that a group begins, and of how many."""
        self._began_s, self._several = asyncio.get_running_loop().time(), messages > 1

    async def wait(self, queue: Sized) -> None:
        """Let more come into ``queue``, for as long as more may come and it pays."""
        loop, until_s = asyncio.get_running_loop(), self._began_s + GROUP_PERIOD_S
        while self._several and len(queue) < MESSAGES_ENOUGH:
            if loop.time() >= until_s or (len(queue) and self._all_wait()):
                return
            await asyncio.sleep(LOOK_S)
