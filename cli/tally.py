"""What a sender was answered, counted by answer code and kind of message."""

from collections import Counter
from dataclasses import dataclass, field

from rich.table import Table

from simulator.mllp_client import NOT_ASKED, Answered

NO_ANSWER = "none"
ACCEPTED = frozenset({"AA", "CA"})


@dataclass
class Tally:
    """Counts final answers. ``accepted`` holds hashes of accepted bytes: a resend counts once."""

    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    accepted: set[int] = field(default_factory=set)
    sent: int = 0
    resent: int = 0

    def add(self, answered: Answered) -> None:
        """Count one final answer."""
        self.sent += 1
        self.resent += answered.attempts - 1
        code = answered.code or NO_ANSWER
        self.answers[code, answered.outgoing.kind] += 1
        if code in ACCEPTED:
            digest = hash(answered.outgoing.payload)
            self.resent += digest in self.accepted
            self.accepted.add(digest)

    def of(self, code: str) -> int:
        """Return how many messages had ``code`` as their answer."""
        return sum(count for (found, _), count in self.answers.items() if found == code)

    @property
    def refused(self) -> int:
        """Return how many were answered, but not accepted."""
        return sum(
            count
            for (code, _), count in self.answers.items()
            if code not in ACCEPTED and code not in (NO_ANSWER, NOT_ASKED)
        )

    def table(self) -> Table:
        """Return a table: a line for each kind, a column for each answer code."""
        codes = sorted({code for code, _ in self.answers})
        table = Table(title=f"{self.sent} messages")
        table.add_column("type")
        for code in codes:
            table.add_column(code, justify="right")
        for kind in sorted({kind for _, kind in self.answers}):
            counts = [self.answers.get((code, kind), 0) for code in codes]
            table.add_row(kind or "(none)", *(str(count or "") for count in counts))
        table.add_section()
        table.add_row("all", *(str(self.of(code)) for code in codes))
        return table
