"""Pure: free text without identifiers, as typed marks: the spans of all layers, united.

Known identifiers, forms, listed names and places, the tagger; then what was found, everywhere.

A text that cannot be cleaned with certainty is held back (``text`` None, ``held`` the reason code):
undecodable, too long, or something known or a long number is still found in what was cleaned.
"""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from plumbing.remembering import remembered
from services.privacy.chance import holds_strong
from services.privacy.encoded import find_encoded, may_hide
from services.privacy.folding import Folded, fold, squeeze
from services.privacy.forms import FORMS, FORMS_ZH
from services.privacy.gazetteers import find_listed, find_places_zh
from services.privacy.genotypes import (
    RAW_GENOME,
    find_genotypes,
    is_raw_genome,
    names_variant,
    panel_spans,
    without_panel,
)
from services.privacy.initials import find_initials
from services.privacy.known import KnownTerms
from services.privacy.labels import LABELS_MAX, may_name, named_in, without_terms
from services.privacy.marking import cut, marked, marks_of, outside, unite
from services.privacy.near import NearTerms
from services.privacy.pattern_checks import UNIT_AFTER
from services.privacy.patterns_ages import find_ages
from services.privacy.patterns_pairs import find_pairs
from services.privacy.readings import Reading, find_broken, is_unreadable, readings_of
from services.privacy.refusing import kept
from services.privacy.repeats import find_repeats
from services.privacy.results import outside_results
from services.privacy.sites import find_sites
from services.privacy.spans import Finder, Span
from services.privacy.trimming import parted, trimmed, with_initials
from services.privacy.widening import widened

TEXT_CHARS_MAX = 200_000
SHORT_TEXTS_MAX = 500  # kept per patient
# Marks that turn the order of reading round hide a name from every search: none stands in a chart.
UNDECODABLE = re.compile("[\ud800-\udfff\ufffd\x00\u202d\u202e]")
LONG_NUMBER = re.compile(r"(?<![\d.])\d{7,}(?![\d])")
PLAIN_NUMBER = re.compile(r"[<>=~ ]{0,3}\d{1,6}(?:\.\d{1,6})?", re.ASCII)  # as results are written
HAN = re.compile("[\u3400-\u9fff]")
NAMING = frozenset({"NAME", "EMAIL", "LOC"})
NAME_IN_CODE_CHARS_MIN = 4  # shorter ones are codes
NOTHING_KNOWN = KnownTerms(())
Answer = TypeVar("Answer", bool, str)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A cleaned text with the spans (original code points) that were replaced."""

    text: str | None
    held: str = ""
    spans: tuple[Span, ...] = ()
    marks: tuple[str, ...] = ()  # what stands in the place of each span


TOO_LONG = Cleaned(None, held="too_long")


class CannotSearch(Exception):
    """A finder could not look at all of a text, which is held back; the message is the code."""


class TextCleaner:
    """The scrub, primed with the terms of one event. Without a tagger: rules only.

    ``site``: a site's own recognisers. ``found`` counts spans by layer and kind: what each layer is
    worth, and nothing of the text.
    """

    def __init__(
        self,
        known: KnownTerms = NOTHING_KNOWN,
        tagger: Finder | None = None,
        site: Finder | None = None,
    ) -> None:
        """Keep the terms."""
        self.found: Counter[tuple[str, str]] = Counter()
        self._known, self._near = known, NearTerms(known.terms)
        self._tagger = tagger
        self._site = site
        self._passed: dict[str, bool] = {}
        self._unknown: dict[str, bool] = {}
        self._labels: dict[str, str] = {}

    def clean(self, text: str) -> Cleaned:
        """Return ``text`` with marks such as ``[NAME-1]``, or held back."""
        if len(text) > TEXT_CHARS_MAX:
            return TOO_LONG
        return self._searched(text, self._find_in_note)

    def label(self, text: str) -> str:
        """Return a short text with marks in place of who is named in it; "" when it is held."""
        if self.passes(text):
            return text
        return _remembered(self._labels, text, self._label)

    def _label(self, text: str) -> str:
        return self._searched(text, self._find_in_label).text or ""

    def _searched(self, text: str, find: Callable[[str], list[Span]]) -> Cleaned:
        if UNDECODABLE.search(text):
            return Cleaned(None, held="undecodable")
        folded = fold(text)
        if held := _never_searched(folded.folded):
            return Cleaned(None, held=held)
        try:
            spans = unite(self._find(folded, find(folded.folded)), folded)
        except CannotSearch as error:
            return Cleaned(None, held=str(error))
        if held := self._residue(text, spans):
            return Cleaned(None, held=held)
        marks = marks_of(text, spans)
        return Cleaned(marked(text, spans, marks), spans=tuple(spans), marks=marks)

    def passes(self, text: str) -> bool:
        """Return whether nothing in a short text must go."""
        return _remembered(self._passed, text, self._passes)

    def _passes(self, text: str) -> bool:
        short = _short_form(text, self._tagger)
        if not short.is_clean:
            return False
        folded = fold(text).folded
        if self._known.touches(short.squeezed):
            squeezed = squeeze(folded)
            if self._known.find(folded, squeezed) or holds_strong(self._known, folded, squeezed):
                return False
        if short.may_hide and any(find_encoded(folded, self._known)):
            return False
        return not self._site_finds(folded)

    def _site_finds(self, folded: str) -> bool:
        """Return whether the site's own recognisers find something, or could not look."""
        try:
            return self._site is not None and bool(self._site.find(folded))
        except CannotSearch:
            return True

    def is_unknown(self, text: str) -> bool:
        """Return whether a code holds nothing that names the patient or those around them."""
        return _remembered(self._unknown, text, self._is_unknown)

    def is_code(self, text: str) -> bool:
        """Return whether a code has nothing in it that must go, by its form or who is known."""
        return _code_form(text).is_clean and self.is_unknown(text)

    def _is_unknown(self, text: str) -> bool:
        short = _code_form(text)
        if (
            short.has_variant
            or self._known.holds_strong(short.squeezed)
            or self._names(text, short.squeezed)
        ):
            return False
        return not (short.may_hide and any(find_encoded(fold(text).folded, self._known)))

    def _names(self, code: str, squeezed: str) -> bool:
        """Return whether a code is, or has as a part, one name of a person or their place."""
        if not self._known.touches(squeezed):
            return False
        found = self._known.find(code, squeeze(code))
        return any(s.label in NAMING and s.end - s.start >= NAME_IN_CODE_CHARS_MIN for s in found)

    def _find_in_note(self, text: str) -> list[Span]:
        spans = self._counted("form", _find_by_form(without_panel(text)))
        spans += self._counted(
            "listed", [*find_listed(text), *find_places_zh(text), *find_sites(text)]
        )
        if self._tagger is not None:
            found = outside(panel_spans(text), self._tagger.find(text))
            spans += self._counted("tagger", outside_results(text, found))
        return spans

    def _find_in_label(self, text: str) -> list[Span]:
        return self._counted("label", _label_spans(text, self._tagger))

    def _find(self, folded: Folded, spans: list[Span]) -> list[Span]:
        text = folded.folded
        squeezed = squeeze(text)
        parts = [part for one in spans for part in parted(text, one)]
        spans = widened(
            text, [with_initials(text, trimmed(text, one)) for one in kept(text, parts)]
        )
        spans += self._counted("form", list(find_genotypes(text)))
        spans += self._counted("form", list(find_broken(text)))
        if not self._known.is_empty:
            known = self._known.find(text, squeezed)
            spans += self._counted("known", [*known, *find_encoded(text, self._known)])
            near = [*self._near.find(text, squeezed), *find_initials(text, self._known.initials)]
            spans += self._counted("near", near)
        for reading in readings_of(text):
            spans += self._counted("reading", self._read(reading))
        if self._site is not None:
            spans += self._counted("site", self._site.find(text))
        spans += self._counted("form", find_pairs(text, spans))
        return spans + self._counted("repeat", find_repeats(text, squeezed, spans))

    def _read(self, reading: Reading) -> list[Span]:
        found = _find_by_form(reading.text)
        found += self._known.find(reading.text, squeeze(reading.text))
        return [reading.span_of(span) for span in found]

    def _counted(self, layer: str, spans: list[Span]) -> list[Span]:
        self.found.update((layer, span.label) for span in spans)
        return spans

    def _residue(self, text: str, spans: list[Span]) -> str:
        """Look again at what is left, without regard to where words begin and end."""
        rest = fold(cut(text, spans)).folded
        if holds_strong(self._known, rest, squeeze(rest)):
            return "residual_identifier"
        rest = without_panel(rest)
        for match in LONG_NUMBER.finditer(rest):
            if UNIT_AFTER.match(rest, match.end()) is None:
                return "residual_number"
        return ""


def _never_searched(folded: str) -> str:
    """Return why a text is held back whole, "" when it is not."""
    if is_raw_genome(folded):
        return RAW_GENOME
    return "undecodable" if is_unreadable(folded) else ""


def _find_by_form(folded: str) -> list[Span]:
    spans = [*FORMS.find(folded), *find_ages(folded)]
    if HAN.search(folded) is not None:
        spans += FORMS_ZH.find(folded)
    return spans


def _remembered(answers: dict[str, Answer], text: str, ask: Callable[[str], Answer]) -> Answer:
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
    has_variant: bool


@remembered(LABELS_MAX)
def _short_form(text: str, tagger: Finder | None) -> _Short:
    """A site's short texts are few and come back all the time: look at each once."""
    folded = fold(text).folded
    has_variant = names_variant(folded)
    is_clean = not (UNDECODABLE.search(text) or has_variant or _label_spans(folded, tagger))
    return _Short(is_clean, squeeze(folded).squeezed, may_hide(folded), has_variant)


@remembered(LABELS_MAX)
def _code_form(text: str) -> _Short:
    """The same of a code, too short for a telephone number; a name in it is listed and no word."""
    folded = fold(text).folded
    has_variant = names_variant(folded)
    found = _find_by_form(without_panel(folded))
    names = may_name(folded) or any(span.label != "PHONE" for span in found)
    squeezed = squeeze(folded).squeezed
    return _Short(not has_variant and not names, squeezed, may_hide(folded), has_variant)


def _label_spans(folded: str, tagger: Finder | None) -> list[Span]:
    """Return what identifies somebody in a short text, whoever the patient is."""
    if PLAIN_NUMBER.fullmatch(folded):
        return []
    spans = _find_by_form(without_panel(folded))
    spans += [*find_listed(folded), *find_places_zh(folded)]
    if tagger is not None:
        spans += outside(panel_spans(folded), list(named_in(folded, tagger)))
    return without_terms(folded, spans)
