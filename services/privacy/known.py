"""Pure: finds what is known to identify the people of an event, however it is written.

All terms are looked for at once (Aho-Corasick) in squeezed text, so spacing, order of the parts,
case, width and accents do not hide them; the folded text decides where a word ends.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain

import ahocorasick

from services.privacy.folding import Squeezed
from services.privacy.identity import HAN_FIRST, HAN_LAST
from services.privacy.known_terms import Term
from services.privacy.spans import Span

MATCHES_PER_CHAR_MAX = 20  # of names within names, which a sender may make up to keep us busy
EPONYM_AFTER = re.compile(
    r"['\N{RIGHT SINGLE QUOTATION MARK}]?s? (?:disease|syndrome|sign|ophthalmopathy"
    r"|orbitopathy|lymphoma|palsy|catheter|chorea"
    r"|tumou?r|crisis|point|murmur|test|score|criteria|contracture|thyroiditis)\b",
    re.IGNORECASE,
)
CHARSETS = ("utf-8", "gb18030", "utf-16-be", "utf-16-le")  # of Chinese in files and tokens
SENTENCE_ENDS = frozenset(".;:!?")
TERM_CHARS_MAX = 1_000
SEPARATORS_MAX = 3  # characters that may stand between two of a term, on average


class KnownTerms:
    """The terms of one event, ready to search. Empty when nothing is known."""

    def __init__(self, terms: Iterable[Term]) -> None:
        """Build the automaton; of two terms with the same text the stronger stays."""
        best: dict[str, Term] = {}
        initials, spelt = set(), []
        for term in chain.from_iterable(map(_pieces, terms)):
            if term.is_initials:
                initials.add(term.text)
                continue
            if term.is_spelt:
                spelt.append(term)
                continue
            held = best.get(term.text)
            if held is None or (term.is_strong, not term.needs_cue) > (
                held.is_strong,
                not held.needs_cue,
            ):
                best[term.text] = term
        self._automaton = ahocorasick.Automaton()
        for term in best.values():
            self._automaton.add_word(term.text, term)
        self.terms, self.initials = (*best.values(), *spelt), frozenset(initials)
        self.is_empty = not best
        self.han_bytes = tuple(
            term.text.encode(charset)
            for term in best.values()
            if term.is_strong and HAN_FIRST <= term.text[0] <= HAN_LAST
            for charset in CHARSETS
        )
        if best:
            self._automaton.make_automaton()

    def touches(self, squeezed: str) -> bool:
        """Return whether any term stands in squeezed text, also within a word."""
        return not self.is_empty and next(self._automaton.iter(squeezed), None) is not None

    def holds_strong(self, squeezed: str) -> bool:
        """Return whether a record number, whole name or telephone stands in squeezed text."""
        return any(True for _ in self.strong_at(squeezed))

    def strong_at(self, squeezed: str) -> Iterator[tuple[int, Term]]:
        """Yield the strong terms that stand in squeezed text, without regard to words, each with
        the place of its last character.
        """
        if not self.is_empty:
            yield from (
                (last, one) for last, one in self._automaton.iter(squeezed) if one.is_strong
            )

    def find(self, folded: str, squeezed: Squeezed) -> list[Span]:
        """Return the spans of ``folded`` that hold a term."""
        if self.is_empty:
            return []
        spans = []
        unsure: list[tuple[Span, Term]] = []
        for start, end, term in self._matches(squeezed, folded):
            span = Span(start, end, term.label)
            is_word = term.needs_cue and not term.is_strong
            if is_word and (not reads_as_name(folded, start) or EPONYM_AFTER.match(folded, end)):
                unsure.append((span, term))
            else:
                spans.append(span)
        ends = {span.end for span in spans if span.label == "NAME"}
        starts = {span.start for span in spans if span.label == "NAME"}
        spans += [span for span, _ in unsure if _is_beside(span, ends, starts, folded)]
        return spans

    def _matches(self, squeezed: Squeezed, folded: str) -> Iterator[tuple[int, int, Term]]:
        at = squeezed.at
        left = MATCHES_PER_CHAR_MAX * (len(at) + 100)
        for last, term in self._automaton.iter(squeezed.squeezed):
            start, end = at[last - len(term.text) + 1], at[last] + 1
            is_whole = term.is_embedded or (_begins(folded, start) and _ends(folded, end))
            if is_whole and end - start <= (1 + SEPARATORS_MAX) * len(term.text):
                yield start, end, term
            left -= 1
            if not left:
                yield 0, len(folded), Term("", "OTHER")  # all of it goes
                return


def _pieces(term: Term) -> Iterator[Term]:
    """Yield a term in pieces, each one sign over the next, where it is so long that the automaton
    would exhaust the stack.
    """
    if len(term.text) <= TERM_CHARS_MAX:
        yield term
        return
    starts = [*range(0, len(term.text) - TERM_CHARS_MAX, TERM_CHARS_MAX - 1), -TERM_CHARS_MAX]
    for start in starts:
        piece = term.text[start:][:TERM_CHARS_MAX]
        yield term._replace(text=piece, is_embedded=True, is_spelt=False)


def _begins(folded: str, start: int) -> bool:
    return start == 0 or not _joined(folded[start - 1], folded[start])


def _ends(folded: str, end: int) -> bool:
    return end >= len(folded) or not _joined(folded[end - 1], folded[end])


@lru_cache(maxsize=4096)
def _joined(one: str, other: str) -> bool:
    """Two characters of one word: both letters of an alphabet, or both digits."""
    return _kind(one) == _kind(other) != ""


def _kind(char: str) -> str:
    if char.isdecimal():
        return "digit"
    if HAN_FIRST <= char <= HAN_LAST or not char.isalpha():
        return ""
    return "letter"


def reads_as_name(folded: str, start: int) -> bool:
    """Return whether a name stands there: a capital that does not merely begin a sentence, or a
    title before it.
    """
    before = folded[max(0, start - 8) : start].rstrip()
    if before.endswith(("Mr", "Mrs", "Ms", "Miss", "Dr", "Mr.", "Mrs.", "Ms.", "Dr.", "Prof.")):
        return True
    if HAN_FIRST <= folded[start] <= HAN_LAST:
        return before.endswith(("患者", "姓名", ":", "家属", "病人"))
    return folded[start].isupper() and bool(before) and before[-1] not in ".!?:;\n"


def _is_beside(span: Span, ends: set[int], starts: set[int], folded: str) -> bool:
    """Sets: of many names and many words that could be one, each is looked at once.

    A name does not go on behind the end of a sentence.
    """
    return any(
        (
            span.start - gap in ends
            and SENTENCE_ENDS.isdisjoint(folded[span.start - gap : span.start])
        )
        or (
            span.end + gap in starts and SENTENCE_ENDS.isdisjoint(folded[span.end : span.end + gap])
        )
        for gap in range(3)
    )
