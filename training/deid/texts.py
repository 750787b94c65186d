"""Texts with marked identifiers: the gold notes with their two halves, and JSON lines.

The gold notes are the acceptance test. Notes with an even number are the development half: read
them, mend rules with them, choose thresholds on them. The odd ones are held out: they are scored
in sums only, and nothing is chosen by them, but that a limit is raised which leaves less precision
there than is asked.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatch
from pathlib import Path

MARK = re.compile(r"⟦([A-Z]+):([^⟦⟧]+)⟧")
# Held-out notes whose text was shown to who tuned the rules: counted in neither half.
SHOWN = frozenset({"zh-admission-001", "en-letter-001"})


class BadGold(Exception):
    """A gold file that is not in its format; the message names the note, never its text."""


class Half(StrEnum):
    """The two halves of the gold notes."""

    DEVELOPMENT = "development"
    HELD_OUT = "held out"


@dataclass(frozen=True)
class Marked:
    """A text with its identifiers: ``spans`` are (start, end, label) in code points.

    ``annotated``: the kinds that were marked without exception; empty: all. ``known``: what a
    hospital's records would say of the people in it, by kind.
    """

    id: str
    lang: str
    source: str
    text: str
    spans: tuple[tuple[int, int, str], ...]
    known: dict[str, tuple[str, ...]] = field(default_factory=dict)
    annotated: frozenset[str] = frozenset()


def read_gold(folder: Path, lang: str, half: Half) -> list[Marked]:
    """Return the notes of one half in ``folder/<lang>``; raise ``BadGold``."""
    notes: list[Marked] = []
    for path in sorted((folder / lang).glob("*.txt")):
        notes += parse_gold(path.read_text(encoding="utf-8"), lang, path.stem)
    return [note for note in notes if note.id not in SHOWN and half_of(note.id) is half]


def read_notes(folder: Path, lang: str, left_out: str = "") -> list[Marked]:
    """Return the notes in ``folder/<lang>`` but those in files named like ``left_out``; raise
    ``BadGold``.
    """
    return [
        note
        for path in sorted((folder / lang).glob("*.txt"))
        if not fnmatch(path.stem, left_out)
        for note in parse_gold(path.read_text(encoding="utf-8"), lang, path.stem)
    ]


def is_han(text: str) -> bool:
    """Return whether a text begins with a Han character."""
    return "\u4e00" <= text[:1] <= "\u9fff"


def half_of(note_id: str) -> Half:
    """Return the half that a note belongs to, by its number."""
    number = int(note_id.rpartition("-")[2])
    return Half.HELD_OUT if number % 2 else Half.DEVELOPMENT


def parse_gold(content: str, lang: str, kind: str) -> Iterator[Marked]:
    """Yield the notes of one gold file."""
    for block in re.split(r"^=== ", content, flags=re.MULTILINE)[1:]:
        head, found, body = block.partition("\n---\n")
        note_id, *lines = head.splitlines()
        if not found:
            raise BadGold(f"{note_id}: no line of three dashes")
        text, spans = unmark(body.strip("\n"), note_id)
        known = dict(_known(line, note_id) for line in lines if line.strip())
        yield Marked(note_id.strip(), lang, kind, text, spans, known)


def unmark(marked: str, note_id: str) -> tuple[str, tuple[tuple[int, int, str], ...]]:
    """Return a text without its marks, and where they were."""
    pieces: list[str] = []
    spans = []
    position = length = 0
    for mark in MARK.finditer(marked):
        before = marked[position : mark.start()]
        start = length + len(before)
        length = start + len(mark[2])
        pieces += [before, mark[2]]
        spans.append((start, length, mark[1]))
        position = mark.end()
    text = "".join([*pieces, marked[position:]])
    if "⟦" in text or "⟧" in text:
        raise BadGold(f"{note_id}: a mark that does not close")
    return text, tuple(spans)


def read_lines(path: Path) -> list[Marked]:
    """Return the texts of a JSON lines file of spans (the development texts).

    ``known`` is the first name, number, telephone and place of each, as an event would say.
    """
    return [_line(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def _line(said: dict[str, object]) -> Marked:
    text = str(said["text"])
    raw: list[dict[str, object]] = said["spans"]  # type: ignore[assignment]  # JSON
    spans = tuple((int(s["start"]), int(s["end"]), str(s["label"])) for s in raw)  # type: ignore[call-overload]  # JSON
    known: dict[str, tuple[str, ...]] = {}
    for start, end, label in sorted(spans):
        if label in {"NAME", "ID", "PHONE", "LOC"}:
            known.setdefault(label, (text[start:end],))
    annotated = frozenset(said.get("annotated", ()))  # type: ignore[call-overload]  # JSON
    return Marked(
        str(said["id"]), str(said["lang"]), str(said["source"]), text, spans, known, annotated
    )


def _known(line: str, note_id: str) -> tuple[str, tuple[str, ...]]:
    word, _, rest = line.partition(" ")
    label, _, values = rest.partition(" ")
    if word != "known" or not values:
        raise BadGold(f"{note_id}: a line that is not `known LABEL a | b`")
    return label, tuple(value.strip() for value in values.split("|") if value.strip())
