"""What de-identification of notes finds, loses and costs: ours by layers, and its peers.

One process, one core. Recall and precision by character (training/deid/scoring.py), KB/s of
processor time, on the gold notes (development half, held-out half: sums only) and, where their
folder is given, on the development texts. The peers are no dependencies: those that are installed
take part, without known identifiers.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import Any

from bench.deid_peers import peers
from contracts.identified import Patient
from services.privacy.free_text import NOTHING_KNOWN, Finder, TextCleaner
from services.privacy.identity import KINDS, NOBODY, grow
from services.privacy.known import KnownTerms
from services.privacy.known_terms import terms_of
from training.deid.scoring import Spans, Tally
from training.deid.texts import Half, Marked, read_gold, read_lines

GOLD = Path(__file__).parents[1] / "data" / "gold_notes"
LINES = ("dev_en.jsonl", "dev_zh.jsonl")
SHORT_QUERIES = "asq-phi"
Cleans = Callable[[Marked, bool], tuple[Spans, str | None]]


@dataclass(frozen=True)
class TextSet:
    """Texts that are scored together."""

    name: str
    texts: Sequence[Marked]


def run(data: Path | None = None, tagger: Finder | None = None) -> dict[str, Any]:
    """Return the figures by system, text set, and whether identifiers were known."""
    sets = list(text_sets(data))
    found: dict[str, Any] = {}
    for name, cleans in ours(tagger).items():
        found[name] = {
            f"{one.name}, {'known' if known else 'nothing known'}": scored(cleans, one, known=known)
            for one in sets
            for known in (False, True)
        }
    for name, peer in peers().items():
        if isinstance(peer, str):
            found[name] = {"note": peer}
            continue
        cleans = _without_known(peer)
        english = [one for one in sets if one.texts[0].lang == "en"]
        found[name] = {one.name: scored(cleans, one, known=False) for one in english}
    return found


def ours(tagger: Finder | None = None) -> dict[str, Cleans]:
    """Return our ways to clean, by the layers they use."""
    ways: dict[str, Cleans] = {"ours, rules only": cleans_with(None)}
    if tagger is not None:
        ways["ours, all layers"] = cleans_with(tagger)
    return ways


def text_sets(data: Path | None) -> Iterator[TextSet]:
    """Yield what is scored: the gold notes by language and half, then what is in ``data``."""
    for lang in ("zh", "en"):
        for half in Half:
            yield TextSet(f"gold {lang}, {half}", read_gold(GOLD, lang, half))
    for name in LINES if data else ():
        texts = read_lines(data / name)  # type: ignore[operator]  # asked above
        if any(one.source == SHORT_QUERIES for one in texts):
            yield TextSet("short queries", [t for t in texts if t.source == SHORT_QUERIES])
            yield TextSet(
                "hard negatives", [t for t in texts if t.source == SHORT_QUERIES and not t.spans]
            )
        yield TextSet(Path(name).stem, texts)


def scored(cleans: Cleans, texts: TextSet, *, known: bool) -> dict[str, Any]:
    """Return the scores of a set, and by source where there are several, with KB/s."""
    total = Tally()
    by_source: defaultdict[str, Tally] = defaultdict(Tally)
    seconds, size = 0.0, 0
    held = 0
    for text in texts.texts:
        begun = process_time()
        spans, cleaned = cleans(text, known)
        seconds += process_time() - begun
        size += len(text.text.encode())
        held += cleaned is None
        total.add(text, spans, cleaned)
        by_source[text.source].add(text, spans, cleaned)
    row: dict[str, Any] = {**total.row(), "held": held}
    row["KB/s"] = round(size / 1000 / seconds, 1) if seconds else 0.0
    if len(by_source) > 1:
        row["recall by source"] = {name: round(t.recall(), 4) for name, t in by_source.items()}
    return row


def terms(text: Marked) -> KnownTerms:
    """Return what is known of a text's people, as the scrub takes it."""
    others = {kind: values for kind, values in text.known.items() if kind in KINDS}
    return KnownTerms(terms_of(grow(NOBODY, Patient(ids=(), others=others))))


def cleans_with(tagger: Finder | None) -> Cleans:
    """Return our scrub with this tagger, or by rules only."""

    def cleans(text: Marked, known: bool) -> tuple[Spans, str | None]:  # noqa: FBT001 - as Cleans
        terms_known = terms(text) if known else NOTHING_KNOWN
        return as_spans(TextCleaner(terms_known, tagger), text.text)

    return cleans


def as_spans(cleaner: TextCleaner, text: str) -> tuple[Spans, str | None]:
    """Return what a cleaner removed; a text that is held back is removed whole."""
    found = cleaner.clean(text)
    if found.text is None:
        return [(0, len(text), "OTHER")], None
    return [(span.start, span.end, span.label) for span in found.spans], found.text


def _without_known(peer: Callable[[str], Spans]) -> Cleans:
    def cleans(text: Marked, _known: bool) -> tuple[Spans, str | None]:  # noqa: FBT001
        return peer(text.text), ""

    return cleans
