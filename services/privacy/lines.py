"""Pure: texts that follow one another, cleaned as one: a name may break over two of them."""

from collections.abc import Callable, Sequence

from services.privacy.free_text import UNDECODABLE, Cleaned
from services.privacy.spans import Span

UNREADABLE = Cleaned(None, held="undecodable")


def clean_lines(texts: Sequence[str], clean: Callable[[str], Cleaned]) -> list[Cleaned]:
    """Return each text with marks; where they cannot be cleaned together, all are held back.

    One that cannot be decoded is held back alone and parts those around it.
    """
    found: list[Cleaned] = []
    run: list[str] = []
    for text in texts:
        if UNDECODABLE.search(text):
            found += [*_clean_run(run, clean), UNREADABLE]
            run = []
        else:
            run.append(text)
    return [*found, *_clean_run(run, clean)]


def _clean_run(run: Sequence[str], clean: Callable[[str], Cleaned]) -> list[Cleaned]:
    if len(run) <= 1:
        return [clean(text) for text in run]
    whole = clean("\n".join(run))
    if whole.text is None:
        return [whole] * len(run)
    found, start, first = [], 0, 0
    for text in run:
        end = start + len(text)
        while first < len(whole.spans) and whole.spans[first].end <= start:
            first += 1  # spans are in order and apart: no later line has it either
        found.append(_line(text, start, end, whole, first))
        start = end + 1
    return found


def _line(text: str, start: int, end: int, whole: Cleaned, first_span: int) -> Cleaned:
    """Return one line of a cleaned whole, from its span ``first_span`` on; what reaches over the
    line's ends is marked in both lines.
    """
    pieces, spans, position = [], [], start
    for at in range(first_span, len(whole.spans)):
        span, mark = whole.spans[at], whole.marks[at]
        if span.start >= end:
            break
        first, last = max(span.start, start), min(span.end, end)
        pieces += [text[position - start : first - start], mark]
        spans.append(Span(first - start, last - start, span.label))
        position = last
    return Cleaned("".join([*pieces, text[position - start :]]), spans=tuple(spans))
