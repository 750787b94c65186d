"""The scrub of one patient, ready to be used again for the next event of the same visit."""

import re
from collections.abc import Iterator
from itertools import chain

import msgspec

from contracts.identified import Encounter, IdentifiedBody, Staff
from services.privacy import metrics
from services.privacy.folding import fold, squeeze
from services.privacy.free_text import TextCleaner
from services.privacy.identity import NOBODY, KnownIdentity, not_kept
from services.privacy.known import KnownTerms
from services.privacy.known_terms import NUMBER, number_terms, terms_of
from services.privacy.spans import Finder

NO_VISIT = Encounter()
DIGIT = re.compile(r"\d")  # none stands in most names of things, and in no number none


def primed_for(
    known: KnownIdentity,
    body: IdentifiedBody,
    more: KnownIdentity,
    tagger: Finder | None,
    site: Finder | None = None,
) -> "Primed":
    """Return the scrub of an event of a patient as known, who is told by it already; ``more`` is
    what the event says ``beyond`` that.
    """
    visit = body.encounter or NO_VISIT
    return Primed(known, visit.staff, visit.number, tagger, site, more)


def beyond(known: KnownIdentity, body: IdentifiedBody) -> KnownIdentity:
    """Return what the scrub of an event knows for this event alone: what the identity has no room
    for, and the numbers that its texts quote. ``NOBODY``: nothing.
    """
    more = not_kept(known, body.patient)
    if numbers := _quoted_numbers(body):
        more = msgspec.structs.replace(more, others=more.others | {NUMBER: numbers})
    return more


def _quoted_numbers(body: IdentifiedBody) -> tuple[str, ...]:
    """Return the numbers of the event's orders, specimens and document that words of it quote:
    seldom any, so that the scrub of the patient need not be built anew for each order.
    """
    if not body.numbers:
        return ()
    words = "\n".join(filter(DIGIT.search, _words_of(body)))
    if not words:
        return ()
    said = squeeze(fold(words).folded).squeezed
    return tuple(
        one for one in body.numbers if any(form.text in said for form in number_terms(one))
    )


def _words_of(body: IdentifiedBody) -> Iterator[str]:
    """Yield what an event says in words: texts, answers, names of things."""
    yield from (note.text for note in body.notes)
    for found in body.observations:
        yield from (found.text, found.code.text, found.reference_range, *found.flags)
        yield from (word for answer in found.answers for word in (answer.text, answer.code))
    for named in (body.conditions, body.medications, body.allergies, body.orders):
        yield from (one.code.text for one in named)
    yield from (one.reaction for one in body.allergies)


class Primed:
    """The scrub of one patient, of the staff and the visit of one event."""

    def __init__(
        self,
        identity: KnownIdentity,
        staff: tuple[Staff, ...],
        visit_number: str,
        tagger: Finder | None,
        site: Finder | None = None,
        more: KnownIdentity = NOBODY,
    ) -> None:
        """Build the search for what is known; ``more``: what the identity has no room for."""
        self.identity = identity
        self.staff = staff
        self.visit_number = visit_number
        self.is_whole = more is NOBODY  # nothing is known that only one event says
        terms = terms_of(identity, staff, visit_number)
        self.known = KnownTerms(terms if self.is_whole else chain(terms, terms_of(more)))
        self.cleaner = TextCleaner(self.known, tagger, site)

    def count_spans(self) -> None:
        """Count what each layer found since the last time, by kind."""
        for (layer, kind), spans in self.cleaner.found.items():
            metrics.NOTE_SPANS.labels(layer, kind).inc(spans)
        self.cleaner.found.clear()
