"""From the data folder to a model folder: cross-validate, calibrate, grow the last trees, write."""

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
from safetensors.numpy import save

from contracts.loinc import BY_NAME
from services.inference import manifest as manifests
from services.inference.calibration import Calibration
from services.inference.features import HORIZON_MINUTES, SERIES
from services.inference.icu_mortality import NAME, OUTCOME, IcuMortality
from services.inference.manifest import Input, Manifest, Scope, TrainingData
from services.inference.networks.boosted_trees import ARCHITECTURE, Trees
from services.inference.registry import (
    MANIFEST,
    WEIGHTS,
    feature_schema_sha256,
    golden_probabilities,
)
from services.inference.view import ICU_TYPES
from training.icu_mortality import card, plots
from training.icu_mortality.baselines import baselines_of, golden_stays
from training.icu_mortality.boosting import Recipe
from training.icu_mortality.crossval import OutOfFold, cross_validated, trained
from training.icu_mortality.evaluation import calibrated, fitted
from training.icu_mortality.report import Report, reported
from training.physionet import Stays, joined, read_outcomes, read_stays

AGE_MIN_YEARS = 16
GOLDEN_TOLERANCE = 1e-6
TABLES = ("icu_a_long.csv.gz", "icu_b_long.csv.gz")
OUTCOMES = ("icu_a_outcomes.csv", "icu_b_outcomes.csv")
Told = Callable[[str], None]


@dataclass(frozen=True)
class Data:
    """The training stays with their outcome, and where they came from."""

    stays: Stays
    died: npt.NDArray[np.int64]
    origin: TrainingData


@dataclass(frozen=True)
class Plan:
    """What to train: ``version`` and ``created`` (a date) go into the manifest."""

    version: str
    created: str
    folds: int = 5
    seed: int = 0
    recipe: Recipe = field(default_factory=Recipe)


def train(data: Data, plan: Plan, folder: Path, told: Told) -> Manifest:
    """Write the model folder (weights, unsigned manifest, card, plots); return the manifest."""
    out = cross_validated(data.stays, data.died, plan.recipe, plan.folds, plan.seed, told)
    told("all stays")
    trees = trained(data.stays, data.died, plan.recipe, plan.seed)
    return write(data, plan, out, trees, folder)


def write(data: Data, plan: Plan, out: OutOfFold, trees: Trees, folder: Path) -> Manifest:
    """Calibrate on the out-of-fold log-odds and write the model folder."""
    predicted = calibrated(out, data.died)
    report = reported(data.stays, data.died, predicted, plan.seed)
    weights = save({name: np.ascontiguousarray(array) for name, array in asdict(trees).items()})
    manifest = _manifest(data, plan, fitted(out, data.died), report)
    manifest = msgspec.structs.replace(manifest, weights_sha256=hashlib.sha256(weights).hexdigest())
    manifest = _with_golden(manifest, trees)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WEIGHTS).write_bytes(weights)
    (folder / MANIFEST).write_bytes(manifests.encode(manifest))
    (folder / "card.md").write_text(card.text(manifest, report), encoding="utf-8")
    plots.roc(folder / "roc.svg", data.died, predicted)
    plots.reliability(folder / "reliability.svg", data.died, predicted)
    return manifest


def read_data(folder: Path) -> Data:
    """Return the labelled stays of sets a and b; raise ``OSError`` or ``BadTable``."""
    stays = joined(read_stays(folder / name) for name in TABLES)
    outcome: dict[str, int] = {}
    for name in OUTCOMES:
        outcome |= read_outcomes(folder / name)
    died = np.array([outcome[record] for record in stays.record_ids], dtype=np.int64)
    digest = hashlib.sha256()
    for name in (*TABLES, *OUTCOMES):
        digest.update((folder / name).read_bytes())
    origin = TrainingData(
        name="PhysioNet/CinC Challenge 2012, sets a and b (modified: one long table a set)",
        files=(*TABLES, *OUTCOMES),
        sha256=digest.hexdigest(),
        stays=len(died),
        died=int(died.sum()),
        licence="Open Data Commons Attribution License v1.0",
        attribution=(
            "Silva, Moody, Scott, Celi, Mark: Predicting In-Hospital Mortality of ICU Patients, "
            "CinC 2012; Goldberger et al., Circulation 2000;101:e215"
        ),
    )
    return Data(stays, died, origin)


def _manifest(data: Data, plan: Plan, calibration: Calibration, report: Report) -> Manifest:
    return Manifest(
        name=NAME,
        version=plan.version,
        created=plan.created,
        outcome=OUTCOME,
        architecture=ARCHITECTURE,
        weights_sha256="",
        feature_schema_sha256=feature_schema_sha256(),
        inputs=tuple(
            Input(
                parameter=one.parameter,
                loinc=BY_NAME[one.parameter].loinc,
                unit=BY_NAME[one.parameter].unit,
                low=one.low,
                high=one.high,
            )
            for one in SERIES
        ),
        scope=Scope(
            age_min_years=AGE_MIN_YEARS,
            units=tuple(ICU_TYPES),
            horizon_minutes=HORIZON_MINUTES,
            statement={
                "en": "Adults (16 years and over) in the first 48 hours of an intensive care stay.",
                "zh": "16岁及以上成人,入住重症监护室的前48小时。",
            },
        ),
        calibration=calibration,
        baselines=baselines_of(data.stays),
        golden=golden_stays(plan.seed),
        golden_tolerance=GOLDEN_TOLERANCE,
        training=data.origin,
        figures=report.flat(),
        recipe={**asdict(plan.recipe), "folds": plan.folds, "seed": plan.seed},
    )


def _with_golden(manifest: Manifest, trees: Trees) -> Manifest:
    said = golden_probabilities(IcuMortality(manifest, trees), manifest.golden)
    golden = tuple(
        msgspec.structs.replace(one, probability=float(value))
        for one, value in zip(manifest.golden, said, strict=True)
    )
    return msgspec.structs.replace(manifest, golden=golden)
