"""What the layers of the scrub find: a stretch of text of one kind."""

from collections.abc import Hashable, Sequence
from typing import Protocol

import msgspec


class Span(msgspec.Struct, frozen=True, gc=False):
    """``text[start:end]`` is of the kind ``label``."""

    start: int
    end: int
    label: str


class Finder(Hashable, Protocol):
    """The tagger or a site's recognisers, as the scrub sees them."""

    def find(self, folded: str) -> list[Span]:
        """Return the spans of a folded text that identify somebody."""


class ManyFinder(Finder, Protocol):
    """One that is quicker with several texts at once."""

    def find_all(self, texts: Sequence[str]) -> list[list[Span]]:
        """Return the spans of each folded text, as ``find`` does."""
