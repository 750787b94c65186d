"""Short notes that follow one another, read at once by the tagger: alone, each waits until all
weights have come from memory. What is found is the same (decision 0097).
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from contracts.identified import IdentifiedBody
from services.privacy.folding import fold
from services.privacy.free_text import UNDECODABLE
from services.privacy.opening import Opened
from services.privacy.spans import ManyFinder, Span
from services.privacy.tagger.together import groups

ALONE_CHARS = 1_024  # a longer text gains nothing
TEXTS = 16  # of a file are read together
GROUP_CHARS = 2_048  # are read in some 25 ms: others have their turn
EVENT_CHARS = 64  # of each event, so that a group ends where there is no text
Found = Mapping[str, list[Span]]


class ReadAhead:
    """A tagger that knows the answers for some texts: what was ``found`` in them."""

    def __init__(self, tagger: ManyFinder) -> None:
        """Keep the tagger; nothing is read yet."""
        self._tagger = tagger
        self.found: Found = {}

    def read(self, texts: Iterable[str]) -> Found:
        """Return what is found in the short ones of these, by folded text; one gains nothing."""
        short = {
            fold(text).folded: None
            for text in texts
            if 0 < len(text) <= ALONE_CHARS and UNDECODABLE.search(text) is None
        }
        several = list(short) if len(short) > 1 else []
        return dict(zip(several, self._tagger.find_all(several), strict=True)) if several else {}

    def find(self, folded: str) -> list[Span]:
        """Return the spans of a folded text."""
        found = self.found.get(folded)
        return self._tagger.find(folded) if found is None else found


class Following:
    """The events of a batch, one after another, their notes read some events at a time."""

    def __init__(self, opened: Sequence[Opened], reader: ReadAhead | None) -> None:
        """Read nothing yet; without a ``reader`` never."""
        self._left = deque(opened)
        self._reader = reader
        self._found: Found = {}
        self._read = 0  # of the events that are left

    def __bool__(self) -> bool:
        """Say whether an event is left."""
        return bool(self._left)

    @contextmanager
    def next(self) -> Iterator[Opened]:
        """Yield the next event; meanwhile the reader has what was found in its notes, and no more
        afterwards: another batch has its turn, and somebody may be erased.
        """
        if self._reader is None:
            yield self._left.popleft()
            return
        if not self._read:
            group = next(groups(self._left, _size_of, GROUP_CHARS))
            self._found = self._reader.read(text for item in group for text in texts_in(item.body))
            self._read = len(group)
        self._read -= 1
        self._reader.found = self._found
        try:
            yield self._left.popleft()
        finally:
            self._reader.found = {}


def _size_of(item: Opened) -> int:
    return EVENT_CHARS + sum(map(len, texts_in(item.body)))


def texts_in(body: IdentifiedBody) -> Iterator[str]:
    """Yield the free text of an event as it is cleaned in most: not where a result of it is
    refused, undecodable or tells an age over 89, which then is read alone.
    """
    if lines := [one.text for one in body.observations if one.kind == "text" and one.text]:
        yield "\n".join(lines)
    yield from (note.text for note in body.notes if not note.apart_chars)
