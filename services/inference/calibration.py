"""Pure: from a network's log-odds to a probability that means what it says, and back."""

import msgspec
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """Platt scaling, fitted on out-of-fold log-odds: ``slope * logit + intercept``."""

    method: str = "platt"
    slope: float
    intercept: float

    def logit(self, raw: Floats) -> Floats:
        """Return calibrated log-odds for the network's log-odds."""
        return self.slope * raw + self.intercept


def probability(logit: Floats) -> Floats:
    """Return the probability of log-odds, without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logit)))
