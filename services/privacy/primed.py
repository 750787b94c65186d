"""The scrub of one patient, ready to be used again for the next event of the same visit."""

from contracts.identified import Staff
from services.privacy import metrics
from services.privacy.free_text import Finder, TextCleaner
from services.privacy.identity import KnownIdentity
from services.privacy.known import KnownTerms
from services.privacy.known_terms import terms_of


class Primed:
    """The scrub of one patient, of the staff and the visit of one event."""

    def __init__(
        self,
        identity: KnownIdentity,
        staff: tuple[Staff, ...],
        visit_number: str,
        tagger: Finder | None,
        site: Finder | None = None,
    ) -> None:
        """Build the search for what is known."""
        self.identity = identity
        self.staff = staff
        self.visit_number = visit_number
        self.known = KnownTerms(terms_of(identity, staff, visit_number))
        self.cleaner = TextCleaner(self.known, tagger, site)

    def count_spans(self) -> None:
        """Count what each layer found since the last time, by kind."""
        for (layer, kind), spans in self.cleaner.found.items():
            metrics.NOTE_SPANS.labels(layer, kind).inc(spans)
        self.cleaner.found.clear()
