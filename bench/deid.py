"""What de-identification of notes finds, loses and costs: ours by layers, and its peers.

One process, held to one core. Recall and precision by character (training/deid/scoring.py), KB/s
of processor time, on the gold notes (development half, held-out half: sums only) and, where their
folder is given, on the development texts. The peers are the extra ``peers``: those that are
installed take part, without known identifiers, on the languages that they can be given.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import Any

import torch

from bench.deid_peers import Peer, peers
from bench.deid_readers import agreed, marked_again, second_readings
from contracts.identified import Patient
from services.privacy.ahead import TEXTS, ReadAhead
from services.privacy.free_text import NOTHING_KNOWN, TextCleaner
from services.privacy.identity import KINDS, NOBODY, grow
from services.privacy.known import KnownTerms
from services.privacy.known_terms import terms_of
from services.privacy.spans import ManyFinder
from services.privacy.tagger.lexical import HAN
from training.deid.scoring import Spans, Tally
from training.deid.texts import BadGold, Half, Marked, read_gold, read_lines, read_notes

GOLD = Path(__file__).parents[1] / "data" / "gold_notes"
UNSEEN = GOLD.with_name("unseen_notes")
SHORT_LINES = GOLD.with_name("short_lines") / "lines.txt"
LINES = ("dev_en.jsonl", "dev_zh.jsonl")
SHORT_QUERIES = "asq-phi"
SECOND_READER = "a second reader"
ALL_TEXTS = "all texts"
Cleaned = tuple[Spans, str | None]
Cleans = Callable[[Sequence[Marked], bool], list[Cleaned]]


@dataclass(frozen=True)
class TextSet:
    """Texts that are scored together."""

    name: str
    texts: Sequence[Marked]

    def row(self, *, known: bool) -> str:
        """Return what its row is called."""
        return f"{self.name}, {'known' if known else 'nothing known'}"


def run(
    data: Path | None = None, tagger: ManyFinder | None = None, notes: Path | None = None
) -> dict[str, Any]:
    """Return the figures by system, text set, and whether identifiers were known.

    ``notes``: a folder of marked notes, as the gold notes are; they alone are scored then,
    and ours alone; raises ``BadGold``.
    """
    sets = list(note_sets(notes) if notes else text_sets(data))
    found: dict[str, Any] = {}
    with one_core():
        for name, cleans in ours(tagger).items():
            found[name] = {
                one.row(known=known): scored(cleans, one, known=known)
                for one in sets
                for known in (False, True)
            }
            found[name][ALL_TEXTS] = {"KB/s": speed_of_all(sets, found[name])}
        found.update(() if notes else second_reader())
        for peer in () if notes else peers():
            if isinstance(peer, Peer):
                found[peer.name] = {
                    one.row(known=False): scored_peer(peer, one)
                    for one in sets
                    if one.texts[0].lang in peer.langs
                }
            else:
                name, note = peer
                found[name] = {"note": note}
    return found


def speed_of_all(sets: Sequence[TextSet], rows: Mapping[str, Mapping[str, Any]]) -> float:
    """Return KB/s over the texts of all sets, known and not, by the speed of each."""
    timed = [
        (_bytes_of(one) / 1000, row["KB/s"])
        for one in sets
        for known in (False, True)
        if (row := rows.get(one.row(known=known))) and row["KB/s"]
    ]
    seconds = sum(size / speed for size, speed in timed)
    return round(sum(size for size, _ in timed) / seconds, 1) if seconds else 0.0


@contextmanager
def one_core() -> Iterator[None]:
    """Hold this thread, and what torch does for it, to one core."""
    threads = torch.get_num_threads()
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    torch.set_num_threads(1)
    if cores:
        os.sched_setaffinity(0, {max(cores)})
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        if cores:
            os.sched_setaffinity(0, cores)


def ours(tagger: ManyFinder | None = None) -> dict[str, Cleans]:
    """Return our ways to clean, by the layers they use."""
    return {name: cleans_with(one) for name, one in layers(tagger).items()}


def layers(tagger: ManyFinder | None) -> dict[str, ManyFinder | None]:
    """Return the tagger that each of our ways to clean looks with."""
    rules: dict[str, ManyFinder | None] = {"ours, rules only": None}
    return rules if tagger is None else {**rules, "ours, all layers": tagger}


def note_sets(folder: Path) -> Iterator[TextSet]:
    """Yield a folder's notes by language; raise ``BadGold``."""
    is_empty = True
    for lang in ("zh", "en"):
        if notes := read_notes(folder, lang):
            yield TextSet(f"{folder.name} {lang}", notes)
            is_empty = False
    if is_empty:
        raise BadGold(f"no en/*.txt and no zh/*.txt in {folder}")


def text_sets(data: Path | None) -> Iterator[TextSet]:
    """Yield what is scored: the gold notes by language and half, the unseen notes, short lines of
    which nothing has to go, then what is in ``data``.
    """
    for lang in ("zh", "en"):
        for half in Half:
            gold = gold_notes(lang, half)
            yield gold
            if again := read_again(gold, lang, half):
                agree = list(map(agreed, gold.texts, again))
                yield TextSet(f"{gold.name}, where two readers agree", agree)
        if unseen := read_notes(UNSEEN, lang):
            yield TextSet(f"unseen {lang}", unseen)
    yield short_lines()
    for name in LINES if data else ():
        texts = read_lines(data / name)  # type: ignore[operator]  # asked above
        if any(one.source == SHORT_QUERIES for one in texts):
            yield TextSet("short queries", [t for t in texts if t.source == SHORT_QUERIES])
            yield TextSet(
                "hard negatives", [t for t in texts if t.source == SHORT_QUERIES and not t.spans]
            )
        yield TextSet(Path(name).stem, texts)


def short_lines() -> TextSet:
    """Return short lines in which nobody is named."""
    lines = SHORT_LINES.read_text(encoding="utf-8").splitlines()
    notes = [
        Marked(f"line-{number}", "zh" if HAN.search(line) else "en", "short lines", line, ())
        for number, line in enumerate(lines, 1)
    ]
    return TextSet("short lines", notes)


def gold_notes(lang: str, half: Half) -> TextSet:
    """Return the gold notes of a language and half."""
    return TextSet(f"gold {lang}, {half}", read_gold(GOLD, lang, half))


def read_again(gold: TextSet, lang: str, half: Half) -> list[Spans]:
    """Return what a second reader marked in each of these notes, or nothing: nobody read them."""
    readings = second_readings(lang, half)
    return [marked_again(note, readings) for note in gold.texts] if readings else []


def second_reader() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what scores who read gold notes again has by the marks of who wrote them, if any."""
    rows = {}
    for lang in ("zh", "en"):
        for half in Half:
            gold = gold_notes(lang, half)
            if again := read_again(gold, lang, half):
                found = [(spans, None) for spans in again]
                rows[gold.row(known=False)] = _row(gold, found, None, held=False)
    if rows:
        yield SECOND_READER, rows


def scored(cleans: Cleans, texts: TextSet, *, known: bool) -> dict[str, Any]:
    """Return the scores of a set, and by source where there are several, with KB/s."""
    begun = process_time()
    found = cleans(texts.texts, known)
    return _row(texts, found, process_time() - begun)


def scored_peer(peer: Peer, texts: TextSet) -> dict[str, Any]:
    """Return the scores of a peer on a set, with KB/s; or how it failed."""
    try:
        find = peer.prepare([text.text for text in texts.texts])
        begun = process_time()
        found = find()
    except Exception as error:  # noqa: BLE001 - a peer may fail in any way; that is its result
        return {"note": f"fails: {type(error).__name__}"}
    # A peer marks spans and no text comes out: nothing to look for survivors in.
    return _row(texts, [(spans, None) for spans in found], process_time() - begun, held=False)


def _row(
    texts: TextSet,
    found: Sequence[Cleaned],
    seconds: float | None,
    *,
    held: bool = True,
) -> dict[str, Any]:
    total = Tally()
    by_source: defaultdict[str, Tally] = defaultdict(Tally)
    for text, (spans, cleaned) in zip(texts.texts, found, strict=True):
        total.add(text, spans, cleaned)
        by_source[text.source].add(text, spans, cleaned)
    row: dict[str, Any] = total.row()
    if held:
        row["held"] = sum(cleaned is None for _, cleaned in found)
    if seconds is not None:
        row["KB/s"] = round(_bytes_of(texts) / 1000 / seconds, 1) if seconds else 0.0
    if len(by_source) > 1:
        row["recall by source"] = {name: round(t.recall(), 4) for name, t in by_source.items()}
    return row


def _bytes_of(texts: TextSet) -> int:
    return sum(len(text.text.encode()) for text in texts.texts)


def terms(text: Marked) -> KnownTerms:
    """Return what is known of a text's people, as the scrub takes it."""
    others = {kind: values for kind, values in text.known.items() if kind in KINDS}
    return KnownTerms(terms_of(grow(NOBODY, Patient(ids=(), others=others))))


def cleans_with(tagger: ManyFinder | None) -> Cleans:
    """Return our scrub with this tagger, which reads as from a file, or by rules only."""
    reader = ReadAhead(tagger) if tagger else None

    def cleans(texts: Sequence[Marked], known: bool) -> list[Cleaned]:  # noqa: FBT001 - as Cleans
        found: list[Cleaned] = []
        for at in range(0, len(texts), TEXTS):
            some = texts[at : at + TEXTS]
            if reader is not None:
                reader.found = reader.read(text.text for text in some)
            for text in some:
                terms_known = terms(text) if known else NOTHING_KNOWN
                found.append(as_spans(TextCleaner(terms_known, reader), text.text))
        return found

    return cleans


def as_spans(cleaner: TextCleaner, text: str) -> Cleaned:
    """Return what a cleaner removed; a text that is held back is removed whole."""
    found = cleaner.clean(text)
    if found.text is None:
        return [(0, len(text), "OTHER")], None
    return [(span.start, span.end, span.label) for span in found.spans], found.text
