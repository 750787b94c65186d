"""Pure: texts that follow one another, cleaned as one: a name may break over two of them."""

from collections.abc import Callable, Sequence
from itertools import groupby

from services.privacy.free_text import TEXT_CHARS_MAX, TOO_LONG, UNDECODABLE, Cleaned
from services.privacy.spans import Span

UNREADABLE = Cleaned(None, held="undecodable")
ACROSS_CHARS_MAX = 500  # of each side, where a name may lie across two portions


def clean_lines(texts: Sequence[str], clean: Callable[[str], Cleaned]) -> list[Cleaned]:
    """Return each text with marks, or held back.

    One that cannot be cleaned alone is held back alone and parts those around it. Where all can,
    but not together, something lies across them: all of them are held back.
    """
    found: list[Cleaned] = []
    for is_bad, group in groupby(texts, lambda text: UNDECODABLE.search(text) is not None):
        run = list(group)
        found += [UNREADABLE] * len(run) if is_bad else _clean_run(run, clean)
    return found


def _clean_run(run: Sequence[str], clean: Callable[[str], Cleaned]) -> list[Cleaned]:
    if len(run) == 1:
        return [clean(run[0])]
    if sum(map(len, run)) + len(run) - 1 > TEXT_CHARS_MAX:
        return _in_portions(run, clean)
    whole = clean("\n".join(run))
    if whole.text is not None:
        return _parted(run, whole)
    alone = [clean(text) for text in run]
    if all(one.text is not None for one in alone):
        return [whole] * len(run)
    found: list[Cleaned] = []
    both = zip(run, alone, strict=True)
    for is_held, group in groupby(both, lambda one: one[1].text is None):
        members = list(group)
        together = [text for text, _ in members]
        if is_held or len(members) == 1:
            found += [one for _, one in members]
        else:
            whole = clean("\n".join(together))
            is_clean = whole.text is not None
            found += _parted(together, whole) if is_clean else [whole] * len(together)
    return found


def _in_portions(run: Sequence[str], clean: Callable[[str], Cleaned]) -> list[Cleaned]:
    """Clean what is too long for once in portions; where something lies across two of them, the
    texts on both sides are held back.
    """
    portions: list[list[str]] = [[]]
    size = 0
    for text in run:
        if portions[-1] and size + len(text) > TEXT_CHARS_MAX:
            portions.append([])
            size = 0
        portions[-1].append(text)
        size += len(text) + 1
    found: list[Cleaned] = []
    for portion in portions:
        cleaned = _clean_run(portion, clean)
        if found and found[-1].text is not None and cleaned[0].text is not None:
            before = run[len(found) - 1][-ACROSS_CHARS_MAX:]
            seam = clean(f"{before}\n{portion[0][:ACROSS_CHARS_MAX]}")
            if seam.text is None or any(s.start <= len(before) < s.end for s in seam.spans):
                found[-1] = cleaned[0] = TOO_LONG
        found += cleaned
    return found


def _parted(run: Sequence[str], whole: Cleaned) -> list[Cleaned]:
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
