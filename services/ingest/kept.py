"""What was read of a text once, so that it need not be read again: feeds repeat codes and places.

As ``functools.lru_cache``, for a quarter of its price once compiled. Names and numbers of patients
are not kept here.
"""

from typing import Generic, TypeVar

from plumbing.remembering import CHARS_MAX
from services.ingest.dialect import Dialect

Read = TypeVar("Read")


class Kept(Generic[Read]):
    """What was read of at most ``entries_max`` texts, each in its dialect; then it begins anew."""

    __slots__ = ("_by_dialect", "_entries", "_entries_max", "_last")

    def __init__(self, entries_max: int) -> None:
        """Start empty."""
        self._entries_max, self._entries = entries_max, 0
        self._by_dialect: dict[Dialect, dict[str, Read]] = {}
        # The dialect of the last text and its texts: one value, so that no thread sees half of it.
        self._last: tuple[Dialect | None, dict[str, Read]] = (None, {})

    def get(self, dialect: Dialect, raw: str) -> Read | None:
        """Return what was read of ``raw``, None when that is not known."""
        last = self._last
        if last[0] is dialect:
            return last[1].get(raw)
        texts = self._by_dialect.get(dialect)
        if texts is None:
            return None
        self._last = (dialect, texts)
        return texts.get(raw)

    def put(self, dialect: Dialect, raw: str, read: Read) -> Read:
        """Keep what was read of ``raw``, unless it is long: as many of these fill the memory."""
        if len(raw) > CHARS_MAX:
            return read
        if self._entries >= self._entries_max:
            self._by_dialect, self._entries = {}, 0
        texts = self._by_dialect.setdefault(dialect, {})
        texts[raw] = read
        self._entries += 1
        self._last = (dialect, texts)
        return read
