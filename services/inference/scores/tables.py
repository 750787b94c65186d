"""The thresholds of the scores, read from ``data/knowledge/scores`` once, at start."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

TABLES = Path(__file__).parents[3] / "data" / "knowledge" / "scores"
_ROUNDING = 1e-9  # so that 35.05 read as binary still rounds up

Table = TypeVar("Table")


class TableUnreadable(Exception):
    """A table is absent or not in its form: the service does not start."""


class Scope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom a score may be used for."""

    age_years_min: int
    pregnant: bool = True


class Band(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A word for the risk from a total, or from one part alone; the first that fits counts."""

    risk: str
    total_min: int | None = None
    single_min: int | None = None


class News2Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``points`` are (greatest value, points), rising; None is no upper end. A value is rounded,
    half up, to its ``steps`` before it is looked up.
    """

    name: str
    schema_version: str
    source: str
    reviewed_by: str
    scope: Scope
    steps: dict[str, float]
    points: dict[str, tuple[tuple[float | None, int], ...]]
    oxygen_points: int
    altered_points: int
    bands: tuple[Band, ...]


class Criterion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One point when the input meets it."""

    input: str
    at_least: float | None = None
    at_most: float | None = None
    gcs_below: int | None = None


class QsofaTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``positive_from`` is the least total that counts as positive."""

    name: str
    schema_version: str
    source: str
    reviewed_by: str
    scope: Scope
    criteria: tuple[Criterion, ...]
    positive_from: int


class RedFlag(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A finding that is shown by itself: of a score, or of one parameter's newest value."""

    code: str
    source: str
    score: str = ""
    single_min: int | None = None
    total_min: int | None = None
    parameter: str = ""
    at_least: float | None = None
    unit: str = ""
    window_hours: int = 0


class RedFlagTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All red flags, in the order in which they are shown."""

    name: str
    schema_version: str
    reviewed_by: str
    flags: tuple[RedFlag, ...]


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of all scores."""

    news2: News2Table
    qsofa: QsofaTable
    red_flags: RedFlagTable


def load_tables(directory: Path = TABLES) -> Tables:
    """Return the tables in ``directory``.

    Raises:
        TableUnreadable: one is absent or not in its form.
    """
    return Tables(
        news2=_load(directory / "news2.json", News2Table),
        qsofa=_load(directory / "qsofa.json", QsofaTable),
        red_flags=_load(directory / "red_flags.json", RedFlagTable),
    )


def points_for(value: float, step: float, limits: tuple[tuple[float | None, int], ...]) -> int:
    """Return the points of ``value``, rounded half up to ``step``, in a rising list of limits."""
    steps = math.floor(value / step + 0.5 + _ROUNDING)
    for limit, points in limits:
        if limit is None or steps <= round(limit / step):
            return points
    return limits[-1][1]


def _load(path: Path, form: type[Table]) -> Table:
    try:
        return msgspec.json.decode(path.read_bytes(), type=form)
    except (OSError, msgspec.MsgspecError) as error:
        raise TableUnreadable(path.name) from error
