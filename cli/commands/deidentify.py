"""`auscult deidentify`: free text without identifiers, and what was removed where."""

import gzip
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import IO, Annotated, Any, cast

import msgspec
import typer

from cli.progress import console
from cli.stack.programs import TAGGER_DIR
from contracts.identified import Patient
from services.privacy.free_text import Finder, TextCleaner
from services.privacy.identity import KINDS, NOBODY, grow
from services.privacy.known import KnownTerms
from services.privacy.known_terms import terms_of
from services.privacy.tagger.shipped import SHIPPED_DIGEST

SAID_EVERY = 500


class Style(StrEnum):
    """What stands where an identifier stood."""

    MARKS = "marks"


class LineRefused(Exception):
    """A line that is not ``{id, text}``; the message is the reason code."""


def deidentify_command(
    source: Annotated[
        str,
        typer.Option("--input", help="JSON lines {id, text, lang?, known?}; .gz; - is stdin."),
    ] = "-",
    target: Annotated[
        str, typer.Option("--output", help="JSON lines, one per line read; .gz; - is stdout.")
    ] = "-",
    style: Annotated[
        Style, typer.Option(help="marks: `[NAME-1]`. Invented names are for exports alone.")
    ] = Style.MARKS,
    *,
    rules_only: Annotated[
        bool, typer.Option("--rules-only", help="Without the tagger: faster, and finds less.")
    ] = False,
) -> None:
    """Remove identifiers by all layers; hold back what cannot be cleaned."""
    del style  # there is one; the option is part of the contract
    tagger = None if rules_only else _tagger()
    with _opened(source, "rb") as lines, _opened(target, "wb") as written, _progress() as say:
        for number, line in enumerate(lines, 1):
            if line.strip():
                written.write(msgspec.json.encode(answer(line, tagger)) + b"\n")
            if number % SAID_EVERY == 0:
                say(number)


def _tagger() -> Finder:
    from services.privacy.tagger.manifest import TaggerRefused, load_tagger

    try:
        return load_tagger(TAGGER_DIR, SHIPPED_DIGEST)
    except TaggerRefused as error:
        sys.stderr.write(f"auscult: the tagger in {TAGGER_DIR} is not verified: {error}\n")
        raise typer.Exit(1) from error


def answer(line: bytes, tagger: Finder | None = None) -> dict[str, Any]:
    """Return what is written for one line. Offsets are code points of the input's ``text``."""
    said: Any = None
    try:
        said = json.loads(line)
        text, cleaner = _asked(said, tagger)
    except LineRefused as error:
        given = said.get("id") if isinstance(said, dict) else None
        return {"id": given, "text": None, "spans": [], "quarantined": str(error)}
    except (ValueError, RecursionError):
        return {"id": None, "text": None, "spans": [], "quarantined": "not_json"}
    found = cleaner.clean(text)
    if found.text is None:
        whole = [{"start": 0, "end": len(text), "label": "OTHER"}]
        return {"id": said["id"], "text": None, "spans": whole, "quarantined": found.held}
    spans = [{"start": s.start, "end": s.end, "label": s.label} for s in found.spans]
    return {"id": said["id"], "text": found.text, "spans": spans}


def _asked(said: object, tagger: Finder | None) -> tuple[str, TextCleaner]:
    if not isinstance(said, dict) or not isinstance(said.get("text"), str):
        raise LineRefused("no_text")
    if not isinstance(said.get("id"), str | int):
        raise LineRefused("no_id")
    return said["text"], TextCleaner(KnownTerms(terms_of(grow(NOBODY, _patient(said)))), tagger)


def _patient(said: Mapping[str, Any]) -> Patient:
    """A list of what is known that cannot be read holds the text back."""
    known = said.get("known") or {}
    if not isinstance(known, dict) or not all(
        isinstance(values, list) and all(isinstance(value, str) for value in values)
        for values in known.values()
    ):
        raise LineRefused("known_unreadable")
    if not known.keys() <= set(KINDS):
        raise LineRefused("known_unreadable")
    return Patient(ids=(), others={kind: tuple(values) for kind, values in known.items()})


@contextmanager
def _opened(name: str, mode: str) -> Iterator[IO[bytes]]:
    if name == "-":
        yield sys.stdin.buffer if mode == "rb" else sys.stdout.buffer
        return
    opener = gzip.open if name.endswith(".gz") else open
    with cast("IO[bytes]", opener(Path(name), mode)) as file:
        yield file


@contextmanager
def _progress() -> Iterator[Any]:
    if not console.is_terminal:
        yield lambda _number: None
        return
    with console.status("0 lines") as status:
        yield lambda number: status.update(f"{number} lines")
