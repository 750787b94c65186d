"""PhysioNet/CinC 2012 as a long table: read it, and name its parameters as the stream does."""

import gzip
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from services.inference.features import SERIES_INDEX, Patients, Rows

COLUMNS = ("RecordID", "minute", "parameter", "value")
PARAMETER_NAMES: dict[str, str] = {
    "ALP": "alp",
    "ALT": "alt",
    "AST": "ast",
    "Albumin": "albumin",
    "BUN": "bun",
    "Bilirubin": "bilirubin",
    "Cholesterol": "cholesterol",
    "Creatinine": "creatinine",
    "DiasABP": "dbp_invasive",
    "FiO2": "fio2",
    "GCS": "gcs",
    "Glucose": "glucose",
    "HCO3": "bicarbonate",
    "HCT": "hematocrit",
    "HR": "heart_rate",
    "Height": "height",
    "K": "potassium",
    "Lactate": "lactate",
    "MAP": "map_invasive",
    "MechVent": "ventilated",
    "Mg": "magnesium",
    "NIDiasABP": "dbp",
    "NIMAP": "map",
    "NISysABP": "sbp",
    "Na": "sodium",
    "PaCO2": "paco2",
    "PaO2": "pao2",
    "Platelets": "platelets",
    "RespRate": "resp_rate",
    "SaO2": "sao2",
    "SysABP": "sbp_invasive",
    "Temp": "temperature",
    "TroponinI": "troponin_i",
    "TroponinT": "troponin_t",
    "Urine": "urine_volume",
    "WBC": "wbc",
    "Weight": "weight",
    "pH": "ph",
}
_STATICS = frozenset({"Age", "Gender", "ICUType"})


class BadTable(Exception):
    """The file is not the long table; the message names the line and what is wrong with it."""


@dataclass(frozen=True)
class Stays:
    """Stays in the order in which the file first names them; ``record_ids`` as written there."""

    record_ids: tuple[str, ...]
    rows: Rows
    patients: Patients

    def until(self, minute: npt.NDArray[np.int64] | int) -> "Stays":
        """Return the stays as they were known at ``minute``: one for all, or one for each."""
        limit = np.broadcast_to(minute, len(self.record_ids))[self.rows.stay]
        return Stays(self.record_ids, _kept(self.rows, self.rows.minute <= limit), self.patients)

    def some(self, chosen: npt.NDArray[np.int64]) -> "Stays":
        """Return the stays at the positions ``chosen``, in that order."""
        place = np.full(len(self.record_ids), -1)
        place[chosen] = np.arange(len(chosen))
        rows = _kept(self.rows, place[self.rows.stay] >= 0)
        return Stays(
            tuple(self.record_ids[i] for i in chosen),
            Rows(place[rows.stay], rows.minute, rows.series, rows.value),
            Patients(
                self.patients.age_years[chosen],
                self.patients.male[chosen],
                self.patients.icu_type[chosen],
            ),
        )


def read_stays(path: Path) -> Stays:
    """Read a long table (``.csv``, ``.csv.gz``, or ``-`` for stdin); raise ``BadTable``."""
    if str(path) == "-":
        return _parse(sys.stdin)
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as lines:
            return _parse(lines)
    except (gzip.BadGzipFile, EOFError, UnicodeDecodeError) as error:
        raise BadTable(f"{path.name}: not a readable text table") from error


def read_outcomes(path: Path) -> dict[str, int]:
    """Return ``In-hospital_death`` by RecordID; the other columns are outcomes too, never read."""
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    columns = header.split(",")
    identifier, label = columns.index("RecordID"), columns.index("In-hospital_death")
    fields = (line.split(",") for line in lines if line.strip())
    return {field_[identifier]: int(field_[label]) for field_ in fields}


def joined(parts: Iterable[Stays]) -> Stays:
    """Return several tables as one, in order."""
    tables = list(parts)
    starts = np.cumsum([0, *(len(table.record_ids) for table in tables)])[:-1]
    stay = [table.rows.stay + start for table, start in zip(tables, starts, strict=True)]
    return Stays(
        tuple(record for table in tables for record in table.record_ids),
        Rows(
            np.concatenate(stay),
            np.concatenate([table.rows.minute for table in tables]),
            np.concatenate([table.rows.series for table in tables]),
            np.concatenate([table.rows.value for table in tables]),
        ),
        Patients(
            np.concatenate([table.patients.age_years for table in tables]),
            np.concatenate([table.patients.male for table in tables]),
            np.concatenate([table.patients.icu_type for table in tables]),
        ),
    )


@dataclass
class _Columns:
    """The table while it is read: plain lists are faster to grow than arrays."""

    record_ids: dict[str, int] = field(default_factory=dict)
    statics: list[dict[str, float]] = field(default_factory=list)
    stay: list[int] = field(default_factory=list)
    minute: list[int] = field(default_factory=list)
    series: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)


def _parse(lines: Iterable[str]) -> Stays:
    reader = iter(lines)
    header = tuple(next(reader, "").strip().split(","))
    if header[: len(COLUMNS)] != COLUMNS:
        raise BadTable(f"line 1: the columns must be {','.join(COLUMNS)}")
    columns = _Columns()
    for number, line in enumerate(reader, start=2):
        try:
            _take(columns, line)
        except ValueError as error:
            raise BadTable(f"line {number}: not a row of {','.join(COLUMNS)}") from error
    return _stays(columns)


def _take(columns: _Columns, line: str) -> None:
    """Add one line; a parameter that nobody reads is passed over. Raises ``ValueError``."""
    if not line.strip():
        return
    record, minute_text, name, value_text = line.split(",")[:4]
    minute, value = int(minute_text), float(value_text)
    stay = columns.record_ids.setdefault(record, len(columns.record_ids))
    if stay == len(columns.statics):
        columns.statics.append({})
    if name in _STATICS:
        columns.statics[stay][name] = value
    elif name in PARAMETER_NAMES:
        columns.stay.append(stay)
        columns.minute.append(minute)
        columns.series.append(SERIES_INDEX[PARAMETER_NAMES[name]])
        columns.value.append(value)


def _stays(columns: _Columns) -> Stays:
    def static(name: str) -> npt.NDArray[np.float64]:
        values = np.array([of.get(name, -1.0) for of in columns.statics], dtype=np.float64)
        return np.where(values < 0, np.nan, values)

    return Stays(
        tuple(columns.record_ids),
        Rows(
            np.array(columns.stay, dtype=np.int64),
            np.array(columns.minute, dtype=np.int64),
            np.array(columns.series, dtype=np.int64),
            np.array(columns.value, dtype=np.float64),
        ),
        Patients(
            static("Age"), static("Gender"), np.nan_to_num(static("ICUType")).astype(np.int64)
        ),
    )


def _kept(rows: Rows, chosen: npt.NDArray[np.bool_]) -> Rows:
    return Rows(rows.stay[chosen], rows.minute[chosen], rows.series[chosen], rows.value[chosen])
