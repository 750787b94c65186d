"""The ICU mortality model as the runtime sees it: who it covers, and what it says of them.

It scores the first 48 hours of an intensive care stay. Afterwards the score stands as it was at
48 hours (``reason`` says ``first_48_h``), until the patient leaves intensive care.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from contracts.assessed import Risk
from services.inference.calibration import probability
from services.inference.contributions import Latest, completeness_gap, contributions
from services.inference.features import (
    FEATURES,
    HORIZON_MINUTES,
    PARAMETER_OF,
    SERIES,
    Patients,
    Rows,
    matrix,
    usable,
)
from services.inference.manifest import Manifest
from services.inference.networks.boosted_trees import BoostedTrees, ShapleyTable, Trees
from services.inference.view import ICU_TYPES, Fact, PatientView

NAME = "icu_mortality"
OUTCOME = "death_in_hospital"
MINUTE_MS = 60_000
PROBABILITY_DECIMALS = 6
PARAMETERS: tuple[str, ...] = tuple(dict.fromkeys(PARAMETER_OF))
GROUP_OF_FEATURE = np.array([PARAMETERS.index(parameter) for parameter in PARAMETER_OF])
HORIZON_MS = (HORIZON_MINUTES + 1) * MINUTE_MS  # the whole last minute counts
_RANGES = {one.parameter: (place, one.low, one.high) for place, one in enumerate(SERIES)}
_ELAPSED = FEATURES.index("elapsed_hours")
_MALE = {"M": 1.0, "F": 0.0}

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Used:
    """The facts of one patient that the model reads, and the place of each one's series."""

    facts: list[Fact]
    series: list[int]


@dataclass(frozen=True)
class Prediction:
    """What the model says of each stay of a batch, one array row each; log-odds calibrated."""

    logit: Floats
    baseline_logit: Floats
    attribution: Floats


class IcuMortality:
    """A loaded, verified model on one device. Implements ``RiskModel``."""

    name = NAME
    outcome = OUTCOME

    def __init__(self, manifest: Manifest, trees: Trees, device: str = "cpu") -> None:
        """Build the network and, for each baseline patient, its table of explanations."""
        self.manifest = manifest
        self.version = manifest.version
        self.digest = manifest.digest
        self.device = device
        self._trees = trees
        self._network = BoostedTrees(trees, GROUP_OF_FEATURE).to(device)
        self._until_hours = np.array([one.until_minute / 60 for one in manifest.baselines])
        self._tables = [
            ShapleyTable(self._network, _vector(one.features)).to(device)
            for one in manifest.baselines
        ]

    def on(self, device: str) -> "IcuMortality":
        """Return the same model on another device (itself when it is there already)."""
        if device == self.device:
            return self
        return IcuMortality(self.manifest, self._trees, device)

    def covers(self, view: PatientView) -> str:
        """Return "" when the model may score this patient now, else a reason code."""
        if view.age_years is None:
            return "age_unknown"
        if view.age_years < self.manifest.scope.age_min_years:
            return "adult_only"
        if view.icu_unit not in self.manifest.scope.units:
            return "not_icu"
        if view.icu_admitted_ms is None:
            return "no_icu_admission"
        if view.icu_left_ms is not None and view.icu_left_ms <= view.as_of_ms:
            return "left_icu"
        return "" if _usable(view, 1).facts else "no_observations"

    def assess(self, views: Sequence[PatientView]) -> Sequence[Risk]:
        """Return one ``Risk`` for each view, in order."""
        if not views:
            return ()
        used = [_usable(view) for view in views]
        said = self.predict(_rows(views, used), _patients(views))
        return [
            self._risk(view, facts, said, row)
            for row, (view, facts) in enumerate(zip(views, used, strict=True))
        ]

    def reasons(self, rows: Rows, patients: Patients) -> list[str]:
        """Return, for each stay of an intensive care data set, what ``covers`` would say."""
        measured = np.isin(np.arange(len(patients)), usable(rows).stay)
        age_min = self.manifest.scope.age_min_years
        return [
            "age_unknown" if np.isnan(age) else "adult_only" if age < age_min else known
            for age, known in zip(
                patients.age_years, np.where(measured, "", "no_observations").tolist(), strict=True
            )
        ]

    def probabilities(self, rows: Rows, patients: Patients) -> Floats:
        """Return the calibrated probability of each stay, as ``assess`` would say it."""
        if not len(patients):
            return np.zeros(0)
        return _rounded(self.predict(rows, patients).logit)

    @torch.inference_mode()
    def predict(self, rows: Rows, patients: Patients) -> Prediction:
        """Return log-odds and exact attributions ``(stays, PARAMETERS)`` of a batch of stays."""
        features = matrix(rows, patients)
        patterns = self._network.patterns(torch.from_numpy(features).to(self.device))
        logit = self._network(patterns).cpu().numpy()
        elapsed = features[:, _ELAPSED].astype(np.float64)
        nearest = np.searchsorted(self._until_hours, elapsed)
        nearest = np.minimum(nearest, len(self._tables) - 1)
        attribution = np.zeros((len(features), len(PARAMETERS)))
        baseline = np.zeros(len(features))
        for number in np.unique(nearest):
            table, chosen = self._tables[number], np.flatnonzero(nearest == number)
            attribution[chosen] = table(patterns[torch.from_numpy(chosen)]).cpu().numpy()
            baseline[chosen] = float(table.baseline_logit)
        calibration = self.manifest.calibration
        return Prediction(
            logit=calibration.logit(logit, elapsed),
            baseline_logit=calibration.logit(baseline, elapsed),
            attribution=calibration.slope(elapsed)[:, None] * attribution,
        )

    def _risk(self, view: PatientView, used: Used, said: Prediction, row: int) -> Risk:
        newest = dict(zip(used.series, used.facts, strict=True))
        attributions = said.attribution[row].tolist()
        listed = contributions(PARAMETERS, attributions, _latest(view, newest.values()))
        difference = float(said.logit[row] - said.baseline_logit[row])
        return Risk(
            model=NAME,
            version=self.version,
            digest=self.digest,
            outcome=OUTCOME,
            reason="first_48_h" if _minute(view.as_of_ms, view) > HORIZON_MINUTES else "",
            probability=float(_rounded(said.logit[row])),
            baseline_probability=float(_rounded(said.baseline_logit[row])),
            contributions=listed,
            completeness_gap=completeness_gap(listed, difference),
            imputed_ratio=round(1 - len(newest) / len(SERIES), 4),
        )


def _usable(view: PatientView, at_most: int = 0) -> Used:
    """Return the facts that the model reads (in time, and plausible); 0: all there are."""
    facts: list[Fact] = []
    series: list[int] = []
    admitted_ms = view.icu_admitted_ms
    if admitted_ms is None:
        return Used(facts, series)
    end_ms = admitted_ms + HORIZON_MS
    for fact in view.facts:
        known = _RANGES.get(fact.parameter)
        if known is None or fact.flagged or not admitted_ms <= fact.at_ms < end_ms:
            continue
        if known[1] <= fact.value <= known[2]:
            facts.append(fact)
            series.append(known[0])
            if len(facts) == at_most:
                break
    return Used(facts, series)


def _minute(at_ms: int, view: PatientView) -> int:
    """Return the whole minutes from the admission to intensive care, rounded down."""
    return (at_ms - (view.icu_admitted_ms or 0)) // MINUTE_MS


def _rows(views: Sequence[PatientView], used: Sequence[Used]) -> Rows:
    admitted_ms = np.array([view.icu_admitted_ms for view in views], dtype=np.int64)
    stay = np.repeat(np.arange(len(views)), [len(one.facts) for one in used])
    facts = [fact for one in used for fact in one.facts]
    at_ms = np.array([fact.at_ms for fact in facts], dtype=np.int64)
    return Rows(
        stay=stay,
        minute=(at_ms - admitted_ms[stay]) // MINUTE_MS,
        series=np.array([place for one in used for place in one.series], dtype=np.int64),
        value=np.array([fact.value for fact in facts], dtype=np.float64),
    )


def _patients(views: Sequence[PatientView]) -> Patients:
    return Patients(
        age_years=np.array(
            [np.nan if view.age_years is None else view.age_years for view in views], dtype=float
        ),
        male=np.array([_MALE.get(view.sex, np.nan) for view in views], dtype=float),
        icu_type=np.array([ICU_TYPES.get(view.icu_unit, 0) for view in views], dtype=np.int64),
    )


def _latest(view: PatientView, newest: Collection[Fact]) -> Mapping[str, Latest]:
    """Return the newest value of each parameter, and what is known of the patient."""
    latest = {fact.parameter: Latest(fact.value, fact.at_ms) for fact in newest}
    if view.age_years is not None:
        latest["age"] = Latest(float(view.age_years))
    last_minute = max((_minute(fact.at_ms, view) for fact in newest), default=0)
    latest["elapsed"] = Latest(round(last_minute / 60, 1))
    return latest


def _vector(features: Sequence[float | None]) -> Tensor:
    values = [np.nan if value is None else value for value in features]
    return torch.tensor(values, dtype=torch.float32)


def _rounded(logit: Floats) -> Floats:
    """Round, so that the last bits of different batch shapes never show."""
    return np.round(probability(logit), PROBABILITY_DECIMALS)
