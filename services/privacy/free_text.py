"""Pure: free text without identifiers, as typed marks: the spans of all layers, united.

Known identifiers, forms, listed names and places, the tagger; then what was found, everywhere.

A text that cannot be cleaned with certainty is held back (``text`` None, ``held`` the reason code):
undecodable, too long, or something known or a long number is still found in what was cleaned.
"""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Protocol

from services.privacy.encoded import find_encoded, may_hide
from services.privacy.folding import WALL, Folded, fold, squeeze
from services.privacy.gazetteers import find_listed, find_places_zh
from services.privacy.known import KnownTerms
from services.privacy.pattern_checks import UNIT_AFTER
from services.privacy.patterns import PATTERNS, find_patterns
from services.privacy.patterns_context import CONTEXT_EN, CONTEXT_ZH
from services.privacy.patterns_notes import NOTES_EN, NOTES_ZH
from services.privacy.patterns_zh import PATTERNS_ZH
from services.privacy.repeats import find_repeats
from services.privacy.spans import Span
from services.privacy.trimming import trimmed, with_initials

TEXT_CHARS_MAX = 200_000
SHORT_TEXTS_MAX = 500  # kept per patient
UNDECODABLE = re.compile("[\ud800-\udfff\ufffd\x00]")
LONG_NUMBER = re.compile(r"(?<![\d.])\d{7,}(?![\d])")
HAN = re.compile("[\u3400-\u9fff]")
LABEL_ORDER = ("NAME", "EMAIL", "URL", "IP", "PHONE", "DATE", "ID", "LOC", "AGE", "ORG", "OTHER")
NOTHING_KNOWN = KnownTerms(())


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A cleaned text with the spans (original code points) that were replaced."""

    text: str | None
    held: str = ""
    spans: tuple[Span, ...] = ()


TOO_LONG = Cleaned(None, held="too_long")


class Finder(Protocol):
    """The tagger, as the scrub sees it."""

    def find(self, folded: str) -> list[Span]:
        """Return the spans of a folded text that identify somebody."""


class TextCleaner:
    """The scrub, primed with the terms of one event. Without a tagger: rules only.

    ``found`` counts spans by layer and kind: what each layer is worth, and nothing of the text.
    """

    def __init__(self, known: KnownTerms = NOTHING_KNOWN, tagger: Finder | None = None) -> None:
        """Keep the terms."""
        self.found: Counter[tuple[str, str]] = Counter()
        self._known = known
        self._tagger = tagger
        self._last: tuple[str, Cleaned] = ("", Cleaned(""))
        self._passed: dict[str, bool] = {}
        self._unknown: dict[str, bool] = {}

    def clean(self, text: str) -> Cleaned:
        """Return ``text`` with marks such as ``[NAME-1]``, or held back."""
        # A result's text comes as its note too: clean it once.
        if text != self._last[0]:
            self._last = (text, self._clean(text))
        return self._last[1]

    def _clean(self, text: str) -> Cleaned:
        if len(text) > TEXT_CHARS_MAX:
            return TOO_LONG
        if UNDECODABLE.search(text):
            return Cleaned(None, held="undecodable")
        folded = fold(text)
        spans = _unite(self._find(folded), folded)
        cleaned = _marked(text, spans)
        held = self._residue(text, spans)
        return Cleaned(None, held=held) if held else Cleaned(cleaned, spans=tuple(spans))

    def passes(self, text: str) -> bool:
        """Return whether nothing in a short text must go."""
        return _remembered(self._passed, text, self._passes)

    def _passes(self, text: str) -> bool:
        short = _short_form(text)
        if not short.is_clean:
            return False
        folded = fold(text).folded
        if self._known.touches(short.squeezed):
            return not self._known.find(folded, squeeze(folded))
        return not (short.may_hide and any(find_encoded(folded, self._known)))

    def is_unknown(self, text: str) -> bool:
        """Return whether a code holds nothing that alone names the patient."""
        return _remembered(self._unknown, text, self._is_unknown)

    def _is_unknown(self, text: str) -> bool:
        short = _short_form(text)
        if self._known.holds_strong(short.squeezed):
            return False
        return not (short.may_hide and any(find_encoded(fold(text).folded, self._known)))

    def _find(self, folded: Folded) -> list[Span]:
        text = folded.folded
        squeezed = squeeze(text)
        spans = self._counted("form", _find_by_form(text, is_note=True))
        spans += self._counted("listed", [*find_listed(text), *find_places_zh(text)])
        if self._tagger is not None:
            spans += self._counted("tagger", self._tagger.find(text))
        spans = [with_initials(text, trimmed(text, span)) for span in spans]
        if not self._known.is_empty:
            known = self._known.find(text, squeezed)
            spans += self._counted("known", [*known, *find_encoded(text, self._known)])
        return spans + self._counted("repeat", find_repeats(text, squeezed, spans))

    def _counted(self, layer: str, spans: list[Span]) -> list[Span]:
        self.found.update((layer, span.label) for span in spans)
        return spans

    def _residue(self, text: str, spans: list[Span]) -> str:
        """Look again at what is left, without regard to where words begin and end."""
        rest = fold(_cut(text, spans)).folded
        if self._known.holds_strong(squeeze(rest).squeezed):
            return "residual_identifier"
        for match in LONG_NUMBER.finditer(rest):
            if UNIT_AFTER.match(rest, match.end()) is None:
                return "residual_number"
        return ""


def _find_by_form(folded: str, *, is_note: bool = False) -> list[Span]:
    """Short texts of a site (codes, wards) are not searched for what only notes have."""
    has_han = HAN.search(folded) is not None
    spans = list(find_patterns(folded, PATTERNS))
    if has_han:
        spans += find_patterns(folded, PATTERNS_ZH)
    if is_note:
        spans += find_patterns(folded, NOTES_EN)
        spans += find_patterns(folded, CONTEXT_EN)
    if is_note and has_han:
        spans += find_patterns(folded, NOTES_ZH)
        spans += find_patterns(folded, CONTEXT_ZH)
    return spans


def _remembered(answers: dict[str, bool], text: str, ask: Callable[[str], bool]) -> bool:
    """The texts of one patient come back with every result."""
    answer = answers.get(text)
    if answer is None:
        if len(answers) >= SHORT_TEXTS_MAX:
            answers.clear()
        answer = answers[text] = ask(text)
    return answer


class _Short(NamedTuple):
    """What there is to know of a short text, whoever the patient is."""

    is_clean: bool
    squeezed: str
    may_hide: bool


@lru_cache(maxsize=65_536)
def _short_form(text: str) -> _Short:
    """A site's short texts are few and come back all the time: look at each once."""
    folded = fold(text).folded
    return _Short(not _find_by_form(folded), squeeze(folded).squeezed, may_hide(folded))


def _unite(spans: list[Span], folded: Folded) -> list[Span]:
    """Overlapping spans become one, in original offsets, named by the kind that tells most."""
    united: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        start, end = folded.original(span.start, span.end)
        if united and start < united[-1].end:
            last = united.pop()
            label = min(last.label, span.label, key=LABEL_ORDER.index)
            if last.end - last.start >= 2 * (end - start):
                label = last.label
            united.append(Span(last.start, max(last.end, end), label))
        else:
            united.append(Span(start, end, span.label))
    return united


def _marked(text: str, spans: list[Span]) -> str:
    numbers: dict[str, dict[str, int]] = {}
    pieces, position = [], 0
    for span in spans:
        seen = numbers.setdefault(span.label, {})
        value = squeeze(fold(text[span.start : span.end]).folded).squeezed
        number = seen.setdefault(value, len(seen) + 1)
        pieces += [text[position : span.start], f"[{span.label}-{number}]"]
        position = span.end
    return "".join([*pieces, text[position:]])


def _cut(text: str, spans: list[Span]) -> str:
    pieces, position = [], 0
    for span in spans:
        pieces += [text[position : span.start], WALL]
        position = span.end
    return "".join([*pieces, text[position:]])
