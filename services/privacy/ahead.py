"""Short notes that follow one another, read at once by the tagger: alone, each waits until all
weights have come from memory. What is found is the same (decision 0098).
"""

from collections.abc import Iterable, Iterator, Sequence

from contracts.identified import IdentifiedBody
from services.privacy.folding import fold
from services.privacy.free_text import UNDECODABLE
from services.privacy.opening import Opened
from services.privacy.spans import ManyFinder, Span
from services.privacy.tagger.together import groups

ALONE_CHARS = 1_024  # a longer text gains nothing
TEXTS = 16  # that are given at once where they come from a file
GROUP_CHARS = 2_048  # take some 30 ms, all layers: others have their turn
EVENT_CHARS = 64  # of text take as long as all else of an event


class ReadAhead:
    """A tagger that was given the texts that come next."""

    def __init__(self, tagger: ManyFinder) -> None:
        """Keep the tagger; nothing is read yet."""
        self._tagger = tagger
        self._found: dict[str, list[Span]] = {}

    def ahead(self, texts: Iterable[str]) -> None:
        """Read the short ones of these; what was read before is forgotten."""
        short = {
            fold(text).folded: None
            for text in texts
            if 0 < len(text) <= ALONE_CHARS and UNDECODABLE.search(text) is None
        }
        several = list(short) if len(short) > 1 else []
        self._found = dict(zip(several, self._tagger.find_all(several), strict=True))

    def find(self, folded: str) -> list[Span]:
        """Return the spans of a folded text."""
        found = self._found.get(folded)
        return self._tagger.find(folded) if found is None else found


def grouped(opened: Sequence[Opened]) -> Iterator[list[Opened]]:
    """Yield events that follow one another, so many as take about a turn."""
    return groups(opened, _size_of, GROUP_CHARS)


def _size_of(item: Opened) -> int:
    return EVENT_CHARS + sum(map(len, texts_in(item.body)))


def texts_in(body: IdentifiedBody) -> Iterator[str]:
    """Yield the free text of an event, as it is cleaned where nothing is refused of it."""
    if lines := [one.text for one in body.observations if one.kind == "text" and one.text]:
        yield "\n".join(lines)
    yield from (note.text for note in body.notes if not note.apart_chars)
