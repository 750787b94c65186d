"""What the layers of the scrub find: a stretch of text of one kind."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """``text[start:end]`` is of the kind ``label``."""

    start: int
    end: int
    label: str
