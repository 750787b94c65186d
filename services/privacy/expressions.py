"""Pure: expressions as Python's own reader has them, for what is read from them once.

The reader (``re._parser``) has no public interface: where it is missing, nothing is known of any.
"""

import re
from typing import Any

try:
    from re import _constants as ops  # type: ignore[attr-defined]  # not in the stubs
    from re import _parser as reader  # type: ignore[attr-defined]
except ImportError:  # another Python
    ops = reader = None

__all__ = ["Items", "chars_of", "group_of", "items_of", "ops"]

RANGE_MAX = 200  # characters: more are not counted
CATEGORIES = {
    "CATEGORY_DIGIT": "0123456789",
    "CATEGORY_SPACE": " \t\n\r\f\v",
    "CATEGORY_WORD": "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_",
}
Items = Any  # lists of (operation, argument), as the reader gives them


def items_of(regex: re.Pattern[str]) -> Items | None:
    """Return what an expression consists of; None: nothing can be told of it.

    Of expressions with ``re.ASCII`` alone: others have more digits, letters, cases and word ends.
    """
    if reader is None or not regex.flags & re.ASCII:
        return None
    return reader.parse(regex.pattern, regex.flags)


def group_of(argument: Any, *, ignores_case: bool) -> tuple[Items, bool] | None:
    """Return what a group consists of, and whether case is ignored in it.

    None: it has other letters than those of ASCII.
    """
    _, added, removed, inner = argument
    if added & re.UNICODE:
        return None
    return inner, (ignores_case or bool(added & re.IGNORECASE)) and not removed & re.IGNORECASE


def chars_of(members: Items) -> set[str] | None:
    """Return the characters of a set, as they are written; None: more than can be counted."""
    found: set[str] = set()
    for kind, value in members:
        if kind is ops.LITERAL:
            found.add(chr(value))
        elif kind is ops.RANGE and value[1] - value[0] < RANGE_MAX:
            found.update(map(chr, range(value[0], value[1] + 1)))
        elif kind is ops.CATEGORY and str(value) in CATEGORIES:
            found.update(CATEGORIES[str(value)])
        else:
            return None
    return found
