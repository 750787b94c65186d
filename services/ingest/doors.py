"""What is assumed of who comes through one door, and what may come through it."""

from dataclasses import dataclass

from services.ingest.answers import NOT_TAKEN
from services.ingest.parse import Parsed, SourceProfile


@dataclass(frozen=True)
class Door:
    """A source profile and the message types it may send (``ORU`` or ``ADT^A08``; empty: all)."""

    source: SourceProfile
    types: frozenset[str] = frozenset()

    def admit(self, parsed: Parsed) -> Parsed:
        """Return the message, or its refusal (AR, 200) where its type may not come this way."""
        header = parsed.header
        if not self.types or header is None or parsed.code != "AA":
            return parsed
        if header.kind in self.types or f"{header.kind}^{header.trigger}" in self.types:
            return parsed
        return Parsed("AR", header, parsed.charset, (NOT_TAKEN, *parsed.findings))
