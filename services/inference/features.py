"""Pure: the facts of ICU stays -> one float32 vector each; the same code trains and serves.

A vector depends on the multiset of (minute, parameter, value) alone: not on the order in which
facts arrived, nor on the other stays of the batch. What was not measured is NaN, never a guess.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

HORIZON_MINUTES = 2880
RECENT_MINUTES = 720
AGE_MAX_YEARS = 90

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Series:
    """A parameter of ``contracts.loinc`` that the model reads; values outside the range, and
    those that the instrument cannot mean (a pressure of 0 from a clamped line), are missing.
    """

    parameter: str
    low: float
    high: float
    statistics: tuple[str, ...]


# Of each series: over the whole stay so far, and (``recent_``) over the last twelve hours.
_OVERALL = ("mean", "min", "max", "first", "last", "std", "change")
_RECENT = ("recent_mean", "recent_min", "recent_max")
_TIMING = ("log_count", "recent_log_count", "hours_since")
STATISTICS = _OVERALL + _RECENT + _TIMING
_OFTEN = STATISTICS  # measured every hour or few
_SELDOM = ("mean", "min", "max", "first", "last", "change", "log_count", "hours_since")
_EVENTS = _TIMING  # counted only when it is so
_ONCE = ("last",)

SERIES: tuple[Series, ...] = (
    Series("heart_rate", 10, 300, _OFTEN),
    Series("resp_rate", 1, 100, _OFTEN),
    Series("temperature", 25, 44, _OFTEN),
    Series("sbp", 20, 300, _OFTEN),
    Series("dbp", 5, 250, _OFTEN),
    Series("map", 10, 280, _OFTEN),
    Series("sbp_invasive", 20, 300, _OFTEN),
    Series("dbp_invasive", 5, 250, _OFTEN),
    Series("map_invasive", 10, 280, _OFTEN),
    Series("gcs", 3, 15, _OFTEN),
    Series("fio2", 0.21, 1, _OFTEN),
    Series("ventilated", 1, 1, _EVENTS),
    Series("sao2", 20, 100, _OFTEN),
    Series("pao2", 15, 700, _OFTEN),
    Series("paco2", 5, 200, _OFTEN),
    Series("ph", 6.5, 8, _OFTEN),
    Series("urine_volume", 0, 5000, _OFTEN),
    Series("weight", 20, 350, _OFTEN),
    Series("height", 120, 230, _ONCE),
    Series("albumin", 0.5, 7, _SELDOM),
    Series("alp", 1, 5000, _SELDOM),
    Series("alt", 1, 30000, _SELDOM),
    Series("ast", 1, 30000, _SELDOM),
    Series("bilirubin", 0.05, 80, _SELDOM),
    Series("bun", 1, 300, _SELDOM),
    Series("cholesterol", 20, 1000, _SELDOM),
    Series("creatinine", 0.1, 40, _SELDOM),
    Series("glucose", 10, 2000, _OFTEN),
    Series("bicarbonate", 2, 60, _SELDOM),
    Series("hematocrit", 5, 75, _SELDOM),
    Series("potassium", 1, 15, _SELDOM),
    Series("lactate", 0.1, 40, _SELDOM),
    Series("magnesium", 0.3, 15, _SELDOM),
    Series("sodium", 90, 200, _SELDOM),
    Series("platelets", 1, 2000, _SELDOM),
    Series("wbc", 0.05, 500, _SELDOM),
    Series("troponin_i", 0, 500, _SELDOM),
    Series("troponin_t", 0, 500, _SELDOM),
)
SERIES_INDEX: dict[str, int] = {one.parameter: i for i, one in enumerate(SERIES)}
_COUNT = len(SERIES)
_LOW = np.array([one.low for one in SERIES])
_HIGH = np.array([one.high for one in SERIES])
_KEPT = np.array(
    [
        i * len(STATISTICS) + STATISTICS.index(statistic)
        for i, one in enumerate(SERIES)
        for statistic in one.statistics
    ]
)

# Ratios that say more than their parts; each counts as a reading of the parameter beside it.
RATIOS: tuple[tuple[str, str], ...] = (
    ("pf_ratio_last", "pao2"),
    ("pf_ratio_min", "pao2"),
    ("shock_index_last", "heart_rate"),
    ("pulse_pressure_last", "sbp_invasive"),
    ("bun_creatinine_last", "bun"),
    ("urine_ml_per_hour", "urine_volume"),
    ("urine_recent_ml_per_hour", "urine_volume"),
    ("urine_ml_per_kg_hour", "urine_volume"),
    ("anion_base_last", "bicarbonate"),
    ("body_mass_index", "height"),
)
STATICS: tuple[tuple[str, str], ...] = (
    ("age_years", "age"),
    ("male", "sex"),
    ("icu_ccu", "icu_type"),
    ("icu_csru", "icu_type"),
    ("icu_micu", "icu_type"),
    ("icu_sicu", "icu_type"),
    ("elapsed_hours", "elapsed"),
)
FEATURES: tuple[str, ...] = (
    *(f"{one.parameter}.{statistic}" for one in SERIES for statistic in one.statistics),
    *(name for name, _ in RATIOS),
    *(name for name, _ in STATICS),
)
PARAMETER_OF: tuple[str, ...] = (
    *(one.parameter for one in SERIES for _ in one.statistics),
    *(parameter for _, parameter in RATIOS),
    *(parameter for _, parameter in STATICS),
)
WIDTH = len(FEATURES)


@dataclass(frozen=True)
class Rows:
    """The facts of many stays in any order, one array element each.

    ``stay`` counts from 0 and points into ``Patients``; ``minute`` is whole minutes since the
    admission to the ICU; ``series`` points into ``SERIES``; ``value`` is in the canonical unit.
    """

    stay: Ints
    minute: Ints
    series: Ints
    value: Floats


@dataclass(frozen=True)
class Patients:
    """Who the stays belong to: years (NaN unknown), sex (1 male, 0 female, NaN), ICU type 1-4."""

    age_years: Floats
    male: Floats
    icu_type: Ints

    def __len__(self) -> int:
        """Return how many stays there are."""
        return len(self.age_years)


def matrix(rows: Rows, patients: Patients) -> npt.NDArray[np.float32]:
    """Return the features of each stay, shape ``(stays, WIDTH)``; NaN where nothing is known."""
    rows = _ordered(usable(rows))
    elapsed = _elapsed_minutes(rows, len(patients))
    statistics = _statistics(rows, elapsed, len(patients))
    parts = (
        statistics.reshape(len(patients), -1)[:, _KEPT],
        _ratios(statistics, elapsed),
        _statics(patients, elapsed),
    )
    return np.concatenate(parts, axis=1).astype(np.float32)


def usable(rows: Rows) -> Rows:
    """Return the rows inside their range and inside the first 48 hours."""
    inside = (rows.minute >= 0) & (rows.minute <= HORIZON_MINUTES)
    inside &= (rows.value >= _LOW[rows.series]) & (rows.value <= _HIGH[rows.series])
    return Rows(rows.stay[inside], rows.minute[inside], rows.series[inside], rows.value[inside])


def _ordered(rows: Rows) -> Rows:
    """Sort by stay, series, minute, value: a total order, so sums are the same to the last bit."""
    place = (rows.stay * _COUNT + rows.series) * (HORIZON_MINUTES + 1) + rows.minute
    order = np.lexsort((rows.value, place))
    return Rows(rows.stay[order], rows.minute[order], rows.series[order], rows.value[order])


def _elapsed_minutes(rows: Rows, count: int) -> Floats:
    """Return the minute of each stay's newest fact, 0 when there is none."""
    newest = np.zeros(count)
    np.maximum.at(newest, rows.stay, rows.minute)
    return newest


def _statistics(rows: Rows, elapsed: Floats, count: int) -> Floats:
    """Return ``(stays, series, statistics)``."""
    out = np.full((count * _COUNT, len(STATISTICS)), np.nan)
    # A series that was never measured has counts, zero; all else of it is unknown.
    out[:, [STATISTICS.index("log_count"), STATISTICS.index("recent_log_count")]] = 0.0
    if len(rows.stay):
        group = rows.stay * _COUNT + rows.series
        starts = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])
        out[group[starts]] = _of_groups(rows, starts, elapsed[rows.stay])
    return out.reshape(count, _COUNT, len(STATISTICS))


def _of_groups(rows: Rows, starts: Ints, elapsed: Floats) -> Floats:
    """Return ``(groups, statistics)`` of the runs of one stay and series that begin at starts."""
    value, minute = rows.value, rows.minute
    sizes = np.diff(np.r_[starts, len(value)])
    ends = starts + sizes - 1
    mean = np.add.reduceat(value, starts) / sizes
    spread = np.add.reduceat((value - np.repeat(mean, sizes)) ** 2, starts) / sizes
    first = _mean_where(value, minute == np.repeat(minute[starts], sizes), starts)
    last = _mean_where(value, minute == np.repeat(minute[ends], sizes), starts)
    recent = minute > elapsed - RECENT_MINUTES
    any_recent = np.logical_or.reduceat(recent, starts)
    recent_min = np.minimum.reduceat(np.where(recent, value, np.inf), starts)
    recent_max = np.maximum.reduceat(np.where(recent, value, -np.inf), starts)
    columns = {
        "mean": mean,
        "min": np.minimum.reduceat(value, starts),
        "max": np.maximum.reduceat(value, starts),
        "first": first,
        "last": last,
        "std": np.where(sizes > 1, np.sqrt(spread), np.nan),
        "change": np.where(minute[ends] > minute[starts], last - first, np.nan),
        "recent_mean": _mean_where(value, recent, starts),
        "recent_min": np.where(any_recent, recent_min, np.nan),
        "recent_max": np.where(any_recent, recent_max, np.nan),
        "log_count": np.log1p(sizes),
        "recent_log_count": np.log1p(np.add.reduceat(recent.astype(np.float64), starts)),
        "hours_since": (elapsed[ends] - minute[ends]) / 60,
    }
    return np.stack([columns[name] for name in STATISTICS], axis=1)


def _mean_where(value: Floats, chosen: npt.NDArray[np.bool_], starts: Ints) -> Floats:
    """Return the mean of the chosen values of each run, NaN where none is chosen."""
    total = np.add.reduceat(np.where(chosen, value, 0.0), starts)
    number = np.add.reduceat(chosen.astype(np.float64), starts)
    mean = np.full(len(starts), np.nan)
    np.divide(total, number, out=mean, where=number > 0)
    return mean


def _ratios(statistics: Floats, elapsed: Floats) -> Floats:
    """Return ``(stays, ratios)`` in the order of ``RATIOS``."""

    def of(parameter: str, statistic: str) -> Floats:
        column: Floats = statistics[:, SERIES_INDEX[parameter], STATISTICS.index(statistic)]
        return column

    hours = np.maximum(elapsed, 60.0) / 60
    recent_hours = np.minimum(hours, RECENT_MINUTES / 60)
    urine = of("urine_volume", "mean") * np.expm1(of("urine_volume", "log_count"))
    recent_count = np.expm1(of("urine_volume", "recent_log_count"))
    recent_urine = of("urine_volume", "recent_mean") * recent_count
    systolic = _either(of("sbp_invasive", "last"), of("sbp", "last"))
    diastolic = _either(of("dbp_invasive", "last"), of("dbp", "last"))
    weight = of("weight", "mean")
    ratios = (
        of("pao2", "last") / of("fio2", "last"),
        of("pao2", "min") / of("fio2", "max"),
        of("heart_rate", "last") / systolic,
        systolic - diastolic,
        of("bun", "last") / of("creatinine", "last"),
        urine / hours,
        recent_urine / recent_hours,
        urine / hours / weight,
        of("sodium", "last") - of("bicarbonate", "last"),
        weight / (of("height", "last") / 100) ** 2,
    )
    return np.stack(ratios, axis=1)


def _either(preferred: Floats, other: Floats) -> Floats:
    return np.where(np.isnan(preferred), other, preferred)


def _statics(patients: Patients, elapsed: Floats) -> Floats:
    """Return ``(stays, statics)`` in the order of ``STATICS``."""
    kind = patients.icu_type[:, None] == np.arange(1, 5)[None, :]
    return np.concatenate(
        (
            np.minimum(patients.age_years, AGE_MAX_YEARS)[:, None],
            patients.male[:, None],
            kind.astype(np.float64),
            elapsed[:, None] / 60,
        ),
        axis=1,
    )
