"""What was read of a text once, so that it need not be read again: feeds repeat codes and places.

As ``functools.lru_cache``, for half its price once compiled. Names and numbers of patients are not
kept here.
"""

from typing import Generic, TypeVar

from services.ingest.dialect import Dialect

Read = TypeVar("Read")


class Kept(Generic[Read]):
    """What was read of at most ``entries_max`` texts, each in its dialect; then it begins anew."""

    __slots__ = ("_entries_max", "_found")

    def __init__(self, entries_max: int) -> None:
        """Start empty."""
        self._entries_max = entries_max
        self._found: dict[tuple[Dialect, str], Read] = {}

    def get(self, dialect: Dialect, raw: str) -> Read | None:
        """Return what was read of ``raw``, None when that is not known."""
        return self._found.get((dialect, raw))

    def put(self, dialect: Dialect, raw: str, read: Read) -> Read:
        """Keep what was read of ``raw``, and return it."""
        if len(self._found) >= self._entries_max:
            self._found.clear()
        self._found[(dialect, raw)] = read
        return read
