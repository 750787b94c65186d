"""Marking a batch as in hand exactly while code of it runs, not while it waits for the outside.

A process may be killed at any time. A batch that waits half a minute for Redis or Kafka would be
in hand at most of these deaths though it caused none, so its mark is up only between two waits. A
handler that waits for work of its own in another thread or task says so: ``working_elsewhere``.
"""

from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, Generic, TypeVar

Result = TypeVar("Result")


class InHand:
    """One batch: ``take`` puts its mark up, ``put_down`` takes it down; both must be cheap."""

    def __init__(
        self,
        take: Callable[[], None],
        put_down: Callable[[], None],
        monotonic_s: Callable[[], float],
    ) -> None:
        """Nothing is marked yet."""
        self._take, self._put_down, self._monotonic_s = take, put_down, monotonic_s
        self.busy_s = 0.0  # for which its own coroutine ran, and nothing else of the loop
        self._since_s = 0.0
        self._running = False
        self._elsewhere = 0
        self._marked = False

    def running(self, *, running: bool) -> None:
        """Say whether the batch's own coroutine runs now."""
        self._runs(running=running)
        self._mark()

    def elsewhere(self, change: int) -> None:
        """Say that work of the batch began (1) or ended (-1) outside its coroutine."""
        self._elsewhere += change
        self._mark()

    def end(self) -> None:
        """Take the mark down, whatever is still said to go on."""
        self._elsewhere = 0
        self._runs(running=False)
        self._mark()

    def _runs(self, *, running: bool) -> None:
        if running == self._running:
            return
        self._running = running
        now_s = self._monotonic_s()
        if running:
            self._since_s = now_s
        else:
            self.busy_s += now_s - self._since_s

    def _mark(self) -> None:
        wanted = self._running or self._elsewhere > 0
        if wanted != self._marked:
            self._marked = wanted
            (self._take if wanted else self._put_down)()


_current: ContextVar[InHand | None] = ContextVar("in_hand", default=None)


class Carried(Awaitable[Result], Generic[Result]):
    """``await Carried(work, hand)`` is ``await work``, with ``hand`` marked between the waits."""

    def __init__(self, work: Coroutine[Any, Any, Result], hand: InHand) -> None:
        """Keep both; ``work`` starts when this is awaited."""
        self._work, self._hand = work, hand

    def __await__(self) -> Generator[Any, Any, Result]:
        """Drive the coroutine step by step, as ``yield from`` would (PEP 380)."""
        work, hand = self._work, self._hand
        token = _current.set(hand)
        step: Callable[[], Any] = partial(work.send, None)
        try:
            while True:
                hand.running(running=True)
                try:
                    waited = step()
                except StopIteration as done:
                    result: Result = done.value
                    return result
                hand.running(running=False)
                try:
                    step = partial(work.send, (yield waited))
                except GeneratorExit:
                    work.close()
                    raise
                except BaseException as error:  # noqa: BLE001 - it belongs to the coroutine
                    step = partial(work.throw, error)
        finally:
            hand.end()
            _current.reset(token)


@contextmanager
def working_elsewhere() -> Iterator[None]:
    """Keep the batch marked while its coroutine waits for work of its own in another thread."""
    hand = _current.get()
    if hand is None:  # not called for a batch of a stream
        yield
        return
    hand.elsewhere(1)
    try:
        yield
    finally:
        hand.elsewhere(-1)
