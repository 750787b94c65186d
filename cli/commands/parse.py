"""`auscult parse`: what ingest makes of HL7 v2 and FHIR files, one JSON line per message."""

import codecs
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import typer

from cli.files import content_of
from cli.message_files import fhir_bodies, is_fhir
from services.ingest.codes import LocalCodes
from services.ingest.fhir import control_id_of, parse_fhir
from services.ingest.frames import parse_frame
from services.ingest.identity import Keys
from services.ingest.local_codes import LocalCodesInvalid, load, of_source
from services.ingest.parse import Parsed, SourceProfile

# Nothing here is stored, so ids and routes are not shown and their keys do not matter.
NO_KEYS = Keys(event=bytes(32), route=bytes(32))
NOT_RECEIVED_MS = 0


def parse_command(
    files: Annotated[
        list[str],
        typer.Argument(help="HL7 v2 (single, batch, MLLP-framed) or FHIR JSON; .gz; - is stdin."),
    ],
    zone: Annotated[
        str, typer.Option(help="Time zone (IANA) of times that carry no offset.")
    ] = "UTC",
    charset: Annotated[
        str, typer.Option(help="Charset of messages that do not name theirs in MSH-18.")
    ] = "",
    assigner: Annotated[
        str, typer.Option(help="Assigning authority of identifiers that name none.")
    ] = "",
    lenient: Annotated[
        bool, typer.Option(help="Take lines that are no segments, and empty control ids.")
    ] = False,
    local_codes: Annotated[
        Path | None, typer.Option(help="CSV of a site's own codes: system,code,loinc,unit.")
    ] = None,
) -> None:
    """Show what each message says, how it would be answered (AA, AE, AR) and what is odd in it."""
    _check(zone, charset)
    known = _known(local_codes)
    source = SourceProfile("parse", charset, zone, assigner, strict=not lenient, local_codes=known)
    for file in files:
        for line in lines_of(file, content_of(file), source):
            sys.stdout.write(line.decode() + "\n")


def lines_of(file: str, content: bytes, source: SourceProfile) -> Iterator[bytes]:
    """Yield one JSON line per message of ``content``, at least one."""
    for index, parsed in enumerate(_messages(content, source)):
        yield msgspec.json.encode({"file": file, "index": index, **line_of(parsed)})


def _messages(content: bytes, source: SourceProfile) -> Iterable[Parsed]:
    if is_fhir(content):
        bodies = fhir_bodies(content)
        return (parse_fhir(body, source, NO_KEYS, NOT_RECEIVED_MS) for body in bodies)
    return parse_frame(content, source, NO_KEYS, NOT_RECEIVED_MS).messages


def line_of(parsed: Parsed) -> dict[str, Any]:
    """Return what a line says beside the file and the index (design.md, Commands)."""
    header = parsed.header
    bodies = [event.body for event in parsed.events]
    shown = [msgspec.structs.replace(body, raw=b"") for body in bodies]
    line: dict[str, Any] = {
        "ack": parsed.code,
        "msh9": header.message_type if header else "",
        "msh12": header.version if header else "",
        "control_id": header.control_id if header else control_id_of(parsed),
        "observations": sum(len(body.observations) for body in bodies),
        "findings": parsed.findings,
        "event": shown[0] if shown else None,
    }
    if len(shown) > 1:  # one frame may speak of several patients
        line["further_events"] = shown[1:]
    return line


def _known(path: Path | None) -> LocalCodes:
    try:
        return of_source(load(path), "parse") if path is not None else {}
    except LocalCodesInvalid as error:
        raise typer.BadParameter(str(error)) from error


def _check(zone: str, charset: str) -> None:
    try:
        ZoneInfo(zone)
        codecs.lookup(charset or "ascii")
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise typer.BadParameter(f"{zone} is not a time zone") from error
    except LookupError as error:
        raise typer.BadParameter(f"{charset} is not a charset") from error
