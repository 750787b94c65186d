"""How a patient's body goes through a day: a severity curve, and the vitals and labs it gives.

Plausible, not clinical: the numbers are chosen by hand so that scores rise and fall as a ward
round would expect. Nothing here was fitted to patients and nothing may be learnt from it.
"""

import math
import random
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["stable", "sepsis", "respiratory", "recovering", "bleeding"]
KINDS: tuple[Kind, ...] = ("stable", "sepsis", "respiratory", "recovering", "bleeding")
KIND_WEIGHTS = (0.6, 0.12, 0.1, 0.12, 0.06)

# Change from the healthy value at full severity, per kind.
SHIFT: dict[Kind, dict[str, float]] = {
    "stable": {},
    "recovering": {"heart_rate": 35, "resp_rate": 10, "temperature": 1.6, "sbp": -25, "spo2": -6},
    "sepsis": {"heart_rate": 52, "resp_rate": 15, "temperature": 2.3, "sbp": -48, "spo2": -6},
    "respiratory": {"heart_rate": 30, "resp_rate": 18, "temperature": 0.8, "sbp": 5, "spo2": -13},
    "bleeding": {"heart_rate": 58, "resp_rate": 9, "temperature": -0.6, "sbp": -55, "spo2": -2},
}
LAB_SHIFT: dict[Kind, dict[str, float]] = {
    "stable": {},
    "recovering": {"wbc": 5, "lactate": 1.0},
    "sepsis": {"wbc": 12, "lactate": 4.2, "creatinine": 1.9, "platelets": -120, "bun": 25},
    "respiratory": {"wbc": 5, "lactate": 1.1, "bicarbonate": 5},
    "bleeding": {"hematocrit": -17, "lactate": 3.4, "bun": 18, "platelets": -60},
}
HEALTHY: dict[str, tuple[float, float]] = {
    "heart_rate": (76, 4),
    "resp_rate": (15, 1.2),
    "temperature": (36.8, 0.15),
    "sbp": (126, 6),
    "dbp": (74, 4),
    "spo2": (97.2, 0.8),
}
HEALTHY_LABS: dict[str, tuple[float, float]] = {
    "wbc": (7.5, 1.2),
    "lactate": (1.1, 0.25),
    "creatinine": (0.9, 0.15),
    "platelets": (240, 30),
    "bun": (15, 3),
    "hematocrit": (40, 2.5),
    "sodium": (139, 2),
    "potassium": (4.1, 0.25),
    "glucose": (112, 14),
    "bicarbonate": (24.5, 1.2),
}


@dataclass
class Course:
    """One patient's day. ``onset_h`` and ``pace_h`` set when and how fast severity moves."""

    kind: Kind
    onset_h: float
    pace_h: float
    peak: float
    rng: random.Random
    _noise: dict[str, float] = field(default_factory=dict)

    def severity(self, hours: float) -> float:
        """Return 0 (well) to ``peak`` at ``hours`` since the day began."""
        rise = self.peak / (1 + math.exp(-(hours - self.onset_h) / self.pace_h))
        return self.peak - rise if self.kind == "recovering" else rise

    def vitals(self, hours: float) -> dict[str, float]:
        """Return one set of bedside observations, by parameter name of ``contracts.loinc``."""
        severity = self.severity(hours)
        found: dict[str, float] = {}
        for name, (mean, spread) in HEALTHY.items():
            # A first-order autoregression: neighbours in time look alike.
            noise = 0.8 * self._noise.get(name, 0.0) + self.rng.gauss(0, spread * 0.6)
            self._noise[name] = noise
            found[name] = mean + noise + SHIFT[self.kind].get(name, 0.0) * severity
        found["spo2"] = min(100.0, found["spo2"])
        found["dbp"] += SHIFT[self.kind].get("sbp", 0.0) * severity * 0.5
        rounded = {name: float(round(value)) for name, value in found.items()}
        rounded["temperature"] = round(found["temperature"], 1)
        rounded["oxygen_flow"] = float(round(2 + 8 * severity)) if found["spo2"] < 93 else 0.0
        return rounded

    def consciousness(self, hours: float) -> str:
        """Return a letter of ACVPU."""
        return "C" if self.kind in {"sepsis", "bleeding"} and self.severity(hours) > 0.8 else "A"

    def labs(self, hours: float) -> dict[str, float]:
        """Return one set of laboratory results, by parameter name."""
        severity = self.severity(hours)
        return {
            name: round(
                max(
                    0.1,
                    self.rng.gauss(mean, spread) + LAB_SHIFT[self.kind].get(name, 0.0) * severity,
                ),
                1,
            )
            for name, (mean, spread) in HEALTHY_LABS.items()
        }


def a_course(rng: random.Random, day_h: float) -> Course:
    """Return a course drawn at random; someone gets worse within ``day_h`` hours."""
    kind = rng.choices(KINDS, KIND_WEIGHTS)[0]
    return Course(
        kind=kind,
        onset_h=rng.uniform(0.3, 0.95) * day_h,
        pace_h=rng.uniform(0.04, 0.12) * day_h,
        peak=rng.uniform(0.6, 1.0),
        rng=random.Random(rng.getrandbits(64)),
    )
