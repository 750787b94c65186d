"""Pure: character-level scores of removed spans, counted as de-identification is judged.

Only letters and digits count. Recall: covered by any span. Precision: removed characters that lie
in a marked span, those of kinds that need not go left out. A document leaks when one marked span
is not wholly covered.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from training.deid.texts import Marked

NOT_REQUIRED = frozenset({"ORG", "OTHER", "AGE"})
SURVIVOR_CHARS_MIN = 4
Spans = Sequence[tuple[int, int, str]]


@dataclass
class Tally:
    """Sums over documents; add each with ``add``."""

    documents: int = 0
    leaky: int = 0
    chars: int = 0
    kept_chars: int = 0
    lost: int = 0
    survivors: int = 0
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, gold: Marked, found: Spans, cleaned: str | None) -> None:
        """Count one document: the spans that were removed, and the text that came out."""
        counted = counted_in(gold.text)
        removed = cover(found) & counted
        required = [span for span in gold.spans if span[2] not in NOT_REQUIRED]
        ignored = cover(s for s in gold.spans if s[2] in NOT_REQUIRED)
        marked = cover(gold.spans)
        self.documents += 1
        self.chars += len(gold.text)
        leaks = 0
        for start, end, label in required:
            span = set(range(start, end)) & counted
            self.counts[label, "gold"] += len(span)
            self.counts[label, "hit"] += len(span & removed)
            leaks += bool(span - removed)
        self.leaky += leaks > 0
        judged = removed - ignored
        self.counts["ALL", "removed"] += len(judged)
        self.counts["ALL", "right"] += len(judged & marked)
        self.lost += len(judged - marked)
        self.kept_chars += len(counted - marked)
        self.survivors += _survivors(gold.text, required, removed, counted, cleaned)

    def recall(self, label: str = "") -> float:
        """Return the recall of a kind, or of all that must go."""
        labels = [label] if label else [name for name, what in self.counts if what == "gold"]
        gold = sum(self.counts[name, "gold"] for name in labels)
        return sum(self.counts[name, "hit"] for name in labels) / gold if gold else 1.0

    def precision(self) -> float:
        """Return the share of what was removed that was marked."""
        removed = self.counts["ALL", "removed"]
        return self.counts["ALL", "right"] / removed if removed else 1.0

    def row(self) -> dict[str, float | int]:
        """Return the figures by name, recall by kind included."""
        labels = sorted({name for name, what in self.counts if what == "gold"})
        return {
            "documents": self.documents,
            "recall": round(self.recall(), 4),
            "precision": round(self.precision(), 4),
            **{label: round(self.recall(label), 4) for label in labels},
            "leaky": round(self.leaky / max(1, self.documents), 4),
            "lost": round(self.lost / max(1, self.kept_chars), 4),
            "survivors": self.survivors,
        }


def counted_in(text: str) -> set[int]:
    """Return the places of a text that count: of letters and digits."""
    return {index for index, char in enumerate(text) if char.isalnum()}


def cover(spans: Iterable[tuple[int, int, str]]) -> set[int]:
    """Return the places within spans."""
    return {index for start, end, _ in spans for index in range(start, end)}


def _survivors(
    text: str, required: Spans, removed: set[int], counted: set[int], cleaned: str | None
) -> int:
    """Strings whose every place was removed and that still stand in what came out."""
    if cleaned is None:
        return 0
    count = 0
    for value in {text[start:end] for start, end, _ in required}:
        if sum(map(str.isalnum, value)) < SURVIVOR_CHARS_MIN or value not in cleaned:
            continue
        places = [at for at in range(len(text)) if text.startswith(value, at)]
        count += all(set(range(at, at + len(value))) & counted <= removed for at in places)
    return count
