"""Pure: answers that are kept by what was asked, but for long texts, which a sender may send for
ever: they would fill the memory.
"""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import ParamSpec, TypeVar, cast

CHARS_MAX = 256  # of one text
Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")


def remembered(kept_max: int) -> Callable[[Callable[Asked, Answer]], Callable[Asked, Answer]]:
    """Keep so many answers of a function, the newest, where the texts it is asked of are short.

    >>> asked = []
    >>> @remembered(10)
    ... def length(text: str) -> int:
    ...     asked.append(text[:1])
    ...     return len(text)
    >>> length("a"), length("a"), length("b" * 1_000), length("b" * 1_000), asked
    (1, 1, 1000, 1000, ['a', 'b', 'b'])
    """

    def decorated(answer: Callable[Asked, Answer]) -> Callable[Asked, Answer]:
        kept = cast("Callable[Asked, Answer]", lru_cache(kept_max)(answer))

        @wraps(answer)
        def asked(*args: Asked.args, **kwargs: Asked.kwargs) -> Answer:
            for one in args:
                if isinstance(one, str) and len(one) > CHARS_MAX:
                    return answer(*args, **kwargs)
            return kept(*args, **kwargs)

        return asked

    return decorated
