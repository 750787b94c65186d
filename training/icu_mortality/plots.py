"""The two pictures beside a model card, as SVG that is the same for the same figures."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.metrics import roc_curve

from training.icu_mortality.evaluation import reliability as reliability_of

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def roc(path: Path, died: Ints, predicted: dict[int, Floats]) -> None:
    """Draw the ROC curves of each hour."""
    figure, axes = _square("1 - specificity", "sensitivity")
    for hour, said in predicted.items():
        false_positive, true_positive, _ = roc_curve(died, said)
        axes.plot(false_positive, true_positive, label=f"{hour} h", linewidth=1.2)
    _save(figure, axes, path)


def reliability(path: Path, died: Ints, predicted: dict[int, Floats]) -> None:
    """Draw the observed ratio against the mean probability of ten bins, for each hour."""
    figure, axes = _square("predicted probability", "observed ratio")
    for hour, said in predicted.items():
        bins = reliability_of(died, said)
        axes.plot([one[1] for one in bins], [one[2] for one in bins], "o-", label=f"{hour} h")
    _save(figure, axes, path)


def _square(x_label: str, y_label: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(4.2, 4.2), layout="constrained")
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=0.8)
    axes.set(xlabel=x_label, ylabel=y_label, xlim=(0, 1), ylim=(0, 1), aspect="equal")
    return figure, axes


def _save(figure: Figure, axes: Axes, path: Path) -> None:
    axes.legend(title="known at", loc="lower right")
    with mpl.rc_context({"svg.hashsalt": "auscult", "svg.fonttype": "none"}):
        figure.savefig(path, metadata={"Date": None})
