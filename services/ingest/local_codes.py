"""A site's own map from the codes of its laboratories to LOINC: a CSV file, read at the start.

``system,code,loinc,unit`` and, where the same code means different things to different senders,
``source`` (the name of a door; empty: any). ``system`` and ``code`` as they are sent (OBX-3.3 and
OBX-3.1; of FHIR the short name of the system, or the end of its address); ``unit`` (UCUM) is what
values without a unit are measured in, and may be empty.
"""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from services.ingest.codes import LocalCode, LocalCodes, is_loinc
from services.ingest.fhir_codes import system_of
from services.ingest.units import ucum_of

NEEDED = ("system", "code", "loinc", "unit")
COLUMNS = frozenset({*NEEDED, "source"})


class LocalCodesInvalid(Exception):
    """The file cannot be used; its text is one line for who starts the service."""


class Row(NamedTuple):
    """One line of the file."""

    source: str
    key: tuple[str, str]
    code: LocalCode


def load(path: Path) -> tuple[Row, ...]:
    """Return the lines of the file. Raises ``LocalCodesInvalid``."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            names = reader.fieldnames or ()
            if not set(NEEDED) <= set(names) or not set(names) <= COLUMNS:
                raise LocalCodesInvalid(f"{path}: the first line must be {','.join(NEEDED)}")
            rows = [_row(path, reader.line_num, line) for line in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise LocalCodesInvalid(f"{path}: cannot be read ({type(error).__name__})") from error
    seen: dict[tuple[str, tuple[str, str]], LocalCode] = {}
    for row in rows:
        if seen.setdefault((row.source, row.key), row.code) != row.code:
            raise LocalCodesInvalid(f"{path}: {' '.join(row.key)} stands there with two meanings")
    return tuple(rows)


def of_source(rows: tuple[Row, ...], source: str) -> LocalCodes:
    """Return the map for one door: its own lines before those for any. A code system of FHIR is
    known by its URI too.
    """
    found: LocalCodes = {row.key: row.code for row in rows if not row.source}
    found.update({row.key: row.code for row in rows if row.source == source})
    for (system, code), local in list(found.items()):
        found.setdefault((system_of(system), code), local)
    return found


def _row(path: Path, number: int, line: Mapping[str | None, str | None]) -> Row:
    cells = {name: (line.get(name) or "").strip() for name in COLUMNS}
    if None in line or not cells["code"]:
        raise LocalCodesInvalid(f"{path}, line {number}: needs {', '.join(NEEDED)}")
    if not is_loinc(cells["loinc"]):
        raise LocalCodesInvalid(f"{path}, line {number}: {cells['loinc']!r} is not a LOINC code")
    if cells["unit"] and not ucum_of(cells["unit"]):
        raise LocalCodesInvalid(f"{path}, line {number}: {cells['unit']!r} is no unit known here")
    key = (cells["system"], cells["code"])
    return Row(cells["source"], key, LocalCode(cells["loinc"], cells["unit"]))
