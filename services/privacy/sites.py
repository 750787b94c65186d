"""Pure: hospitals and other sites by the name or the letters they go by, in folded text.

``transferred from RVI``, ``at the Royal``, ``seen at MGH``. `lists/sites.txt` is our own: names that
are nothing else stand alone; names that are words, persons or abbreviations too (``?``) count behind
what leads to a place or before a part of a hospital.
"""

import re
from collections.abc import Iterator

import ahocorasick

# ruff: noqa: E501  (an expression that is broken into lines cannot be read)
from services.privacy.gazetteers import LISTS
from services.privacy.spans import Span

MAYBE = "?"
UPPER_CHARS_MIN = 6  # shorter names in capitals are abbreviations
BEFORE_CHARS = 24
WORD_CHARS = re.compile(r"[\w-]")
LEADS = re.compile(
    r"(?:\b(?:at|to|from|via|ex|near|outside|until|till|left)(?: the)? |\b[Tt]he |@ ?|-> ?|→ ?)$"
    r"|\b(?:AT|TO|FROM|VIA|EX) (?:THE )?$"
)
PARTS = re.compile(
    r" (?:ED|ER|A&E|ICU|NICU|PICU|ITU|CCU|[Cc]linic|[Hh]osp(?:ital)?|campus|records|[Mm]ain|ward|perfusion|onc(?:ology)?|transplant|neurology|cardiology"
    r"|lab|path|derm|renal|[Rr]ehab|Outpatient)\b"
)
WHEN = re.compile(
    r"[,;]? ?(?:(?:19|20)\d\d|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)|\d{1,2}/\d{2,4})|[);]|, (?:19|20)\d\d"
)
NOT_BEFORE = re.compile(
    r" (?:\d{1,3}\b|[cs]core|[Ss]cale|criteria|grade|class|sign|test|[Rr]ating)"
)


def find_sites(folded: str) -> Iterator[Span]:
    """Yield the listed sites of care of folded text."""
    for last, (name, is_sure) in _SITES.iter_long(folded):
        start, end = last - len(name) + 1, last + 1
        if not _is_whole(folded, start, end) or NOT_BEFORE.match(folded, end):
            continue
        if is_sure or _is_told(folded, start, end):
            yield Span(start, end, "LOC")


def _is_whole(folded: str, start: int, end: int) -> bool:
    before, after = folded[start - 1 : start], folded[end : end + 1]
    return WORD_CHARS.match(before) is None and WORD_CHARS.match(after) is None


def _is_told(folded: str, start: int, end: int) -> bool:
    """Behind what leads to a place, before a part of a hospital, in brackets with a day."""
    if PARTS.match(folded, end):
        return True
    before = folded[max(0, start - BEFORE_CHARS) : start]
    if LEADS.search(before):
        return True
    return before.endswith("(") and WHEN.match(folded, end) is not None


def _names() -> Iterator[tuple[str, bool]]:
    for line in (LISTS / "sites.txt").read_text(encoding="utf-8").split("\n")[:-1]:
        yield line.removeprefix(MAYBE), not line.startswith(MAYBE)


_SITES = ahocorasick.Automaton()
for _name, _sure in _names():
    _SITES.add_word(_name, (_name, _sure))
    if len(_name) >= UPPER_CHARS_MIN:
        _SITES.add_word(_name.upper(), (_name, _sure))
_SITES.make_automaton()
