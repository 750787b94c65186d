"""Pure: answers that are kept by what was asked, but for long texts, which a sender may send for
ever: they would fill the memory.
"""

from collections.abc import Callable
from functools import _CacheInfo, lru_cache, update_wrapper
from typing import Generic, ParamSpec, TypeVar

CHARS_MAX = 256  # of what is asked, together
Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")


class Remembered(Generic[Asked, Answer]):
    """A function with the newest answers kept, as of ``lru_cache``, where texts are short."""

    def __init__(self, answer: Callable[Asked, Answer], kept_max: int) -> None:
        """Begin with none."""
        self._answer = answer
        self._kept = lru_cache(kept_max)(answer)
        update_wrapper(self, answer)

    def __call__(self, *args: Asked.args, **kwargs: Asked.kwargs) -> Answer:
        """Return the answer."""
        chars = 0
        for one in args:
            if isinstance(one, str):
                chars += len(one)
        return (self._kept if chars <= CHARS_MAX else self._answer)(*args, **kwargs)

    def kept(self) -> _CacheInfo:
        """Return how many answers are kept, and how often they were asked for."""
        return self._kept.cache_info()


def remembered(
    kept_max: int,
) -> Callable[[Callable[Asked, Answer]], Remembered[Asked, Answer]]:
    """Keep so many answers of a function of short texts."""
    return lambda answer: Remembered(answer, kept_max)
