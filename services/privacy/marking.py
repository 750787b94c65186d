"""Pure: spans of several layers become one list, and the list becomes marks in the text."""

from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate

from services.privacy.folding import WALL, Folded, fold, squeeze
from services.privacy.spans import Span

LABEL_ORDER = ("NAME", "EMAIL", "URL", "IP", "PHONE", "DATE", "ID", "LOC", "AGE", "ORG", "OTHER")


def outside(kept: Iterable[tuple[int, int]], spans: list[Span]) -> list[Span]:
    """Return the spans outside all of ``kept``: no name stands within a genotype of the panel."""
    stretches = sorted(kept)
    starts = [start for start, _ in stretches]
    farthest = list(accumulate((end for _, end in stretches), max))
    return [
        span
        for span in spans
        if not ((at := bisect_right(starts, span.start)) and farthest[at - 1] >= span.end)
    ]


def unite(spans: list[Span], folded: Folded) -> list[Span]:
    """Overlapping spans become one, in original offsets, named by the kind that tells most."""
    united: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        start, end = folded.original(span.start, span.end)
        if not united or start >= united[-1].end:
            united.append(Span(start, end, span.label))
            continue
        last = united[-1]
        label = last.label
        if label != span.label and last.end - last.start < 2 * (end - start):
            label = min(label, span.label, key=LABEL_ORDER.index)
        if end > last.end or label != last.label:
            united[-1] = Span(last.start, max(last.end, end), label)
    return united


def marks_of(text: str, spans: list[Span]) -> tuple[str, ...]:
    """Return the mark of each span; one value has one number among those of its kind."""
    numbers: dict[str, dict[str, int]] = {}
    marks = []
    for span in spans:
        seen = numbers.setdefault(span.label, {})
        value = squeeze(fold(text[span.start : span.end]).folded).squeezed
        number = seen.setdefault(value, len(seen) + 1)
        marks.append(f"[{span.label}-{number}]")
    return tuple(marks)


def marked(text: str, spans: list[Span], marks: tuple[str, ...]) -> str:
    """Return ``text`` with the marks in the place of the spans."""
    pieces, position = [], 0
    for span, mark in zip(spans, marks, strict=True):
        pieces += [text[position : span.start], mark]
        position = span.end
    return "".join([*pieces, text[position:]])


def cut(text: str, spans: list[Span]) -> str:
    """Return ``text`` with a wall in the place of each span, which no form reaches over."""
    return marked(text, spans, (WALL,) * len(spans))
