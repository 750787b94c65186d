"""`auscult deidentify`: free text without identifiers, and what was removed where."""

import json
import os
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from cli.deidentify_page import page
from cli.files import opened
from cli.progress import console
from cli.stack.programs import TAGGER_DIR
from contracts.identified import Patient
from plumbing.clock import SystemClock
from plumbing.key_files import KEY_BYTES, KeyMissing, read_key
from services.privacy.ahead import TEXTS, ReadAhead
from services.privacy.free_text import TextCleaner
from services.privacy.identity import KINDS, NOBODY, grow
from services.privacy.known import KnownTerms
from services.privacy.known_terms import terms_of
from services.privacy.spans import Finder
from services.privacy.surrogates import Surrogates
from services.privacy.tagger.shipped import LIMIT_MAX, SHIPPED_DIGEST, STRICTEST

SAID_EVERY = 500
BYTES = 65_536  # of lines that are read together, where they are fewer than `TEXTS`
REPORT_TEXTS_MAX = 1_000


class Style(StrEnum):
    """What stands where an identifier stood."""

    MARKS = "marks"
    SURROGATES = "surrogates"


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
        Style, typer.Option(help="marks: `[NAME-1]`. surrogates: invented, for exports alone.")
    ] = Style.MARKS,
    key: Annotated[
        Path | None,
        typer.Option(help="surrogates: key file (hex), so that the next export invents the same."),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            help=f"HTML page of the first {REPORT_TEXTS_MAX} texts AS THEY WERE, with marks."
        ),
    ] = None,
    recognizers: Annotated[
        Path | None,
        typer.Option(help="YAML of own recognisers in Presidio's format, beside our layers."),
    ] = None,
    *,
    limit: Annotated[
        float | None,
        typer.Option(
            min=STRICTEST,
            max=LIMIT_MAX,
            help="As PRIVACY_TAGGER_LIMIT of a site: .04 leaves fewer identifiers, and removes more"
            " of what is nobody's.",
        ),
    ] = None,
    rules_only: Annotated[
        bool, typer.Option("--rules-only", help="Without the tagger: faster, and finds less.")
    ] = False,
) -> None:
    """Remove identifiers by all layers; hold back what cannot be cleaned."""
    _require_apart(source, target, report)
    surrogates = _surrogates(key) if style is Style.SURROGATES else None
    if rules_only and limit is not None:
        raise typer.BadParameter("the rules have no limit", param_hint="--limit")
    tagger = None if rules_only else _tagger(limit)
    site = _site(recognizers)
    shown: list[tuple[str, dict[str, Any]]] = []
    with opened(source, "rb") as lines, opened(target, "wb") as written, _progress() as say:
        for number, line in enumerate(_given_ahead(lines, tagger), 1):
            if line.strip():
                found = answer(line, tagger, surrogates, site)
                written.write(msgspec.json.encode(found) + b"\n")
                if report is not None and len(shown) < REPORT_TEXTS_MAX:
                    shown.append((_text_of(line), found))
            if number % SAID_EVERY == 0:
                say(number)
    if report is not None:
        report.touch(mode=0o600)
        report.chmod(0o600)  # it may have been there
        report.write_text(page(shown), encoding="utf-8", errors="backslashreplace")


def _given_ahead(lines: Iterable[bytes], tagger: ReadAhead | None) -> Iterator[bytes]:
    """Yield the lines, some at a time, which the tagger has read together."""
    if tagger is None:
        yield from lines
        return
    for some in _some(lines):
        tagger.found = tagger.read(map(_text_of, some))
        yield from some


def _some(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Yield lines, some at a time; of a file that breaks off, also those before it does."""
    some: list[bytes] = []
    try:
        for line in lines:
            some.append(line)
            if len(some) == TEXTS or sum(map(len, some)) > BYTES:
                yield some
                some = []
    except (OSError, EOFError, zlib.error):
        yield some
        raise
    yield some


def _require_apart(source: str, target: str, report: Path | None) -> None:
    """Refuse to write over what is read, or over what was written."""
    names = [Path(name).resolve() for name in (source, target, report) if name not in {"-", None}]
    if len(set(names)) < len(names):
        raise typer.BadParameter("--input, --output and --report have to be different files")


def _tagger(limit: float | None) -> ReadAhead:
    from services.privacy.tagger.manifest import TaggerRefused, load_tagger

    try:
        return ReadAhead(load_tagger(TAGGER_DIR, SHIPPED_DIGEST).stricter(limit))
    except TaggerRefused as error:
        sys.stderr.write(f"auscult: the tagger in {TAGGER_DIR} is not verified: {error}\n")
        raise typer.Exit(1) from error


def _site(path: Path | None) -> Finder | None:
    if path is None:
        return None
    from services.privacy.settings import PrivacySettings
    from services.privacy.site_recognizers import RecognizersRefused, load_recognizers

    seconds_max: float = PrivacySettings.model_fields["presidio_seconds_max"].default
    try:
        return load_recognizers(path, SystemClock(), seconds_max)
    except RecognizersRefused as error:
        sys.stderr.write(f"auscult: {path}: {error}\n")
        raise typer.Exit(1) from error


def answer(
    line: bytes,
    tagger: Finder | None = None,
    surrogates: Surrogates | None = None,
    site: Finder | None = None,
) -> dict[str, Any]:
    """Return what is written for one line. Offsets are code points of the input's ``text``."""
    said: Any = None
    try:
        said = json.loads(line)
        text, cleaner = _asked(said, tagger, site)
    except LineRefused as error:
        given = said.get("id") if isinstance(said, dict) else None
        return {
            "id": given if _is_id(given) else None,
            "text": None,
            "spans": [],
            "quarantined": str(error),
        }
    except (ValueError, RecursionError):
        return {"id": None, "text": None, "spans": [], "quarantined": "not_json"}
    found = cleaner.clean(text)
    if found.text is None:
        whole = [{"start": 0, "end": len(text), "label": "OTHER"}]
        return {"id": said["id"], "text": None, "spans": whole, "quarantined": found.held}
    cleaned = found.text
    if surrogates is not None:
        cleaned = surrogates.put(text, found.spans, _subject(said), _known(said))
    spans = [{"start": s.start, "end": s.end, "label": s.label} for s in found.spans]
    return {"id": said["id"], "text": cleaned, "spans": spans}


def _surrogates(key: Path | None) -> Surrogates:
    try:
        secret = os.urandom(KEY_BYTES) if key is None else read_key(key)
    except KeyMissing as error:
        raise typer.BadParameter(str(error), param_hint="--key") from error
    return Surrogates(secret, datetime.fromtimestamp(SystemClock().now_ms() / 1000, UTC).year)


def _subject(said: Mapping[str, Any]) -> str:
    """Return whose dates move alike: those of one record number, else those of one text."""
    numbers = (said.get("known") or {}).get("ID") or [str(said["id"])]
    return str(numbers[0])


def _known(said: Mapping[str, Any]) -> list[str]:
    return [value for values in said.get("known", {}).values() for value in values]


def _text_of(line: bytes) -> str:
    try:
        return str(json.loads(line)["text"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""


def _asked(said: object, tagger: Finder | None, site: Finder | None) -> tuple[str, TextCleaner]:
    if not isinstance(said, dict) or not isinstance(said.get("text"), str):
        raise LineRefused("no_text")
    if not _is_id(said.get("id")):
        raise LineRefused("no_id")
    known = KnownTerms(terms_of(grow(NOBODY, _patient(said))))
    return said["text"], TextCleaner(known, tagger, site)


def _is_id(said: object) -> bool:
    """Say whether an id can be written as it was read: half a surrogate pair cannot."""
    return isinstance(said, int) or (isinstance(said, str) and _is_writable(said))


def _is_writable(text: str) -> bool:
    return not any("\ud800" <= sign <= "\udfff" for sign in text)


def _patient(said: Mapping[str, Any]) -> Patient:
    """A list of what is known that cannot be read holds the text back."""
    known = said.get("known", {})
    if not isinstance(known, dict) or not all(
        isinstance(values, list)
        and all(isinstance(value, str) and _is_writable(value) for value in values)
        for values in known.values()
    ):
        raise LineRefused("known_unreadable")
    if not known.keys() <= set(KINDS) - {"STAFF"}:  # a kind between services alone
        raise LineRefused("known_unreadable")
    return Patient(ids=(), others={kind: tuple(values) for kind, values in known.items()})


@contextmanager
def _progress() -> Iterator[Any]:
    if not console.is_terminal:
        yield lambda _number: None
        return
    with console.status("0 lines") as status:
        yield lambda number: status.update(f"{number} lines")
