"""Pure: from a network's log-odds to a probability that means what it says, and back."""

import msgspec
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """Platt scaling by the time that is known of a stay, fitted on out-of-fold log-odds.

    At each of ``hours`` (ascending) stands a slope and an intercept; between two hours they are
    interpolated, outside the nearest holds.
    """

    method: str = "platt_by_hour"
    hours: tuple[float, ...]
    slopes: tuple[float, ...]
    intercepts: tuple[float, ...]

    def slope(self, elapsed_hours: Floats) -> Floats:
        """Return what log-odds are multiplied by, one for each stay."""
        return np.interp(elapsed_hours, self.hours, self.slopes)

    def logit(self, raw: Floats, elapsed_hours: Floats) -> Floats:
        """Return calibrated log-odds for the network's log-odds."""
        moved = np.interp(elapsed_hours, self.hours, self.intercepts)
        return np.asarray(self.slope(elapsed_hours) * raw + moved)


def probability(logit: Floats) -> Floats:
    """Return the probability of log-odds, without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logit)))
