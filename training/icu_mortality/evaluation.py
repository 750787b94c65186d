"""Figures of out-of-fold predictions: discrimination, calibration, confidence, subgroups."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from services.inference.calibration import Calibration, probability
from training.icu_mortality.crossval import HOURS, OutOfFold
from training.physionet import Stays

RESAMPLES = 300
BINS = 10
GROUP_MIN_DIED = 10

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Measure = Callable[[Ints, Floats], float]


@dataclass(frozen=True)
class Figure:
    """A measured value with its 95 % interval (stays resampled with replacement)."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """Return it as the card shows it."""
        return f"{self.value:.4f} ({self.low:.3f}-{self.high:.3f})"


@dataclass(frozen=True)
class Group:
    """A subgroup at 48 h. ``observed_to_expected`` is deaths over the sum of probabilities."""

    name: str
    stays: int
    died: int
    auroc: Figure | None
    observed_to_expected: float


def fitted(out: OutOfFold, died: Ints, chosen: npt.NDArray[np.bool_] | None = None) -> Calibration:
    """Return Platt scaling at each reported hour of the chosen stays (default: all)."""
    chosen = np.ones(len(died), dtype=np.bool_) if chosen is None else chosen
    lines = [_regressed(out.logit[hour][chosen], died[chosen]) for hour in HOURS]
    return Calibration(
        hours=tuple(float(hour) for hour in HOURS),
        slopes=tuple(round(slope, 6) for slope, _ in lines),
        intercepts=tuple(round(intercept, 6) for _, intercept in lines),
    )


def calibrated(out: OutOfFold, died: Ints) -> dict[int, Floats]:
    """Return probabilities by hour; each fold is calibrated on the other folds alone."""
    result = {hour: np.zeros(len(died)) for hour in HOURS}
    for fold in np.unique(out.fold):
        here = out.fold == fold
        calibration = fitted(out, died, ~here)
        for hour in HOURS:
            logit = calibration.logit(out.logit[hour][here], out.elapsed[hour][here])
            result[hour][here] = probability(logit)
    return result


def event_1(died: Ints, predicted: Floats) -> float:
    """Return the challenge's Event 1: the best min(sensitivity, PPV) over thresholds."""
    caught = np.cumsum(died[np.argsort(-predicted, kind="stable")])
    flagged = np.arange(1, len(died) + 1)
    return float(np.minimum(caught / died.sum(), caught / flagged).max())


def calibration_error(died: Ints, predicted: Floats) -> float:
    """Return the expected calibration error over ten bins of equal size."""
    return float(sum(size * abs(seen - said) for size, said, seen in reliability(died, predicted)))


def reliability(died: Ints, predicted: Floats) -> list[tuple[float, float, float]]:
    """Return (share of stays, mean probability, observed ratio) of ten bins of equal size."""
    bins = np.array_split(np.argsort(predicted, kind="stable"), BINS)
    return [
        (len(one) / len(died), float(predicted[one].mean()), float(died[one].mean()))
        for one in bins
    ]


def calibration_line(died: Ints, predicted: Floats) -> tuple[float, float]:
    """Return slope and intercept of the outcome on the predicted log-odds; ideal is 1 and 0."""
    clipped = np.clip(predicted, 1e-6, 1 - 1e-6)
    return _regressed(np.log(clipped / (1 - clipped)), died)


def auroc(died: Ints, predicted: Floats) -> float:
    """Return the chance that who died has the greater prediction; a tie counts half.

    scikit-learn says the same (a test holds it to that), but takes 5 ms to check its arguments,
    and an interval needs hundreds.
    """
    alive, dead = np.sort(predicted[died == 0]), predicted[died == 1]
    below = np.searchsorted(alive, dead, "left") + np.searchsorted(alive, dead, "right")
    return float(below.sum() / (2 * len(alive) * len(dead)))


def auprc(died: Ints, predicted: Floats) -> float:
    """Return the average precision: precision at each distinct prediction, by recall gained."""
    order = np.argsort(-predicted, kind="stable")
    last_of_tie = np.flatnonzero(np.r_[np.diff(predicted[order]) != 0, True])
    caught = np.cumsum(died[order])[last_of_tie]
    gained = np.diff(np.r_[0, caught]) / died.sum()
    return float((gained * caught / (last_of_tie + 1)).sum())


def brier(died: Ints, predicted: Floats) -> float:
    """Return the mean squared difference."""
    return float(np.mean((predicted - died) ** 2))


MEASURES: dict[str, Measure] = {
    "auroc": auroc,
    "auprc": auprc,
    "event_1": event_1,
    "brier": brier,
}


def figures(died: Ints, predicted: Floats, seed: int) -> dict[str, Figure]:
    """Return every one of ``MEASURES`` with its interval."""
    return {name: _figure(measure, died, predicted, seed) for name, measure in MEASURES.items()}


def subgroups(stays: Stays, died: Ints, predicted: Floats, seed: int) -> list[Group]:
    """Return figures by age band, sex and kind of unit."""
    patients = stays.patients
    age, male, kind = patients.age_years, patients.male, patients.icu_type
    members = {
        "age under 50": age < 50,
        "age 50-64": (age >= 50) & (age < 65),
        "age 65-79": (age >= 65) & (age < 80),
        "age 80 and over": age >= 80,
        "female": male == 0,
        "male": male == 1,
        "coronary care (CCU)": kind == 1,
        "cardiac surgery recovery (CSRU)": kind == 2,
        "medical ICU (MICU)": kind == 3,
        "surgical ICU (SICU)": kind == 4,
    }
    return [_group(name, died[who], predicted[who], seed) for name, who in members.items()]


def _group(name: str, died: Ints, predicted: Floats, seed: int) -> Group:
    enough = GROUP_MIN_DIED <= died.sum() <= len(died) - GROUP_MIN_DIED
    return Group(
        name=name,
        stays=len(died),
        died=int(died.sum()),
        auroc=_figure(MEASURES["auroc"], died, predicted, seed) if enough else None,
        observed_to_expected=float(died.sum() / max(predicted.sum(), 1e-9)),
    )


def _figure(measure: Measure, died: Ints, predicted: Floats, seed: int) -> Figure:
    random = np.random.default_rng(seed)
    drawn = []
    for _ in range(RESAMPLES):
        chosen = random.integers(0, len(died), len(died))
        if 0 < died[chosen].sum() < len(died):
            drawn.append(measure(died[chosen], predicted[chosen]))
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Figure(measure(died, predicted), float(low), float(high))


def _regressed(logit: Floats, died: Ints) -> tuple[float, float]:
    line = LogisticRegression(C=1e9).fit(logit[:, None], died)
    return float(line.coef_[0, 0]), float(line.intercept_[0])
