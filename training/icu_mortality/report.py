"""All figures of one training run, for the card, the manifest and the command's last words."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.icu_mortality.crossval import HOURS
from training.icu_mortality.evaluation import (
    Figure,
    Group,
    calibration_error,
    calibration_line,
    figures,
    reliability,
    subgroups,
)
from training.physionet import Stays

Floats = npt.NDArray[np.float64]
ALERT_THRESHOLDS = (0.1, 0.2, 0.3, 0.5)


@dataclass(frozen=True)
class AtHour:
    """Figures of what was known at one hour of the stay."""

    hour: int
    measures: dict[str, Figure]
    slope: float
    intercept: float
    calibration_error: float


@dataclass(frozen=True)
class Alert:
    """What flagging every probability from ``threshold`` on would mean, at 48 h."""

    threshold: float
    flagged_ratio: float
    sensitivity: float
    positive_predictive_value: float


@dataclass(frozen=True)
class Report:
    """Out-of-fold figures; ``bins`` is (share, said, seen) of ten bins at 48 h."""

    hours: tuple[AtHour, ...]
    groups: tuple[Group, ...]
    alerts: tuple[Alert, ...]
    bins: tuple[tuple[float, float, float], ...]

    def flat(self) -> dict[str, float]:
        """Return the figures by name, such as ``auroc_48h``, as the manifest keeps them."""
        flat: dict[str, float] = {}
        for at in self.hours:
            for name, figure in at.measures.items():
                flat[f"{name}_{at.hour}h"] = round(figure.value, 4)
            flat[f"calibration_slope_{at.hour}h"] = round(at.slope, 4)
            flat[f"calibration_intercept_{at.hour}h"] = round(at.intercept, 4)
            flat[f"calibration_error_{at.hour}h"] = round(at.calibration_error, 4)
        return flat


def reported(
    stays: Stays, died: npt.NDArray[np.int64], predicted: dict[int, Floats], seed: int
) -> Report:
    """Return the figures of calibrated out-of-fold probabilities by hour."""
    last = predicted[HOURS[-1]]
    return Report(
        hours=tuple(_at(hour, died, predicted[hour], seed) for hour in HOURS),
        groups=tuple(subgroups(stays, died, last, seed)),
        alerts=tuple(_alert(threshold, died, last) for threshold in ALERT_THRESHOLDS),
        bins=tuple(reliability(died, last)),
    )


def _at(hour: int, died: npt.NDArray[np.int64], predicted: Floats, seed: int) -> AtHour:
    slope, intercept = calibration_line(died, predicted)
    return AtHour(
        hour=hour,
        measures=figures(died, predicted, seed),
        slope=slope,
        intercept=intercept,
        calibration_error=calibration_error(died, predicted),
    )


def _alert(threshold: float, died: npt.NDArray[np.int64], predicted: Floats) -> Alert:
    flagged = predicted >= threshold
    return Alert(
        threshold=threshold,
        flagged_ratio=float(flagged.mean()),
        sensitivity=float(flagged[died == 1].mean()),
        positive_predictive_value=float(died[flagged].mean()) if flagged.any() else 0.0,
    )
