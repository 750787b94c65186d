"""What is assumed of who comes through one door, and what may come through it."""

from dataclasses import dataclass

from contracts.clinical import Finding
from services.ingest.answers import NOT_TAKEN, NOT_THIS_PROCESSING
from services.ingest.hl7 import Header
from services.ingest.parse import Parsed, SourceProfile

PRODUCTION = "P"


@dataclass(frozen=True)
class Door:
    """A source profile and what it may send: message types (``ORU`` or ``ADT^A08``; empty: all),
    and processing ids (MSH-11, table 0103: P production, T training, D debugging).
    """

    source: SourceProfile
    types: frozenset[str] = frozenset()
    processing_ids: frozenset[str] = frozenset({PRODUCTION})

    def admit(self, parsed: Parsed) -> Parsed:
        """Return the message, or its refusal (AR, 200 or 202) where it may not come this way."""
        header = parsed.header
        if header is None or parsed.code != "AA":
            return parsed
        if not self._takes_processing(header):
            return _refused(parsed, header, NOT_THIS_PROCESSING)
        if not self.types or header.kind in self.types:
            return parsed
        if f"{header.kind}^{header.trigger}" in self.types:
            return parsed
        return _refused(parsed, header, NOT_TAKEN)

    def _takes_processing(self, header: Header) -> bool:
        """An empty MSH-11 is taken as production: many senders leave it so."""
        sent = header.processing_id
        if sent in self.processing_ids:
            return True
        first = sent.partition(header.dialect.component)[0].strip().upper()
        return (first or PRODUCTION) in self.processing_ids


def _refused(parsed: Parsed, header: Header, finding: Finding) -> Parsed:
    return Parsed("AR", header, parsed.charset, (finding, *parsed.findings))
