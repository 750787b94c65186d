"""A small forest, made up, in a signed model folder: for tests of loading and of scoring."""

import hashlib
from pathlib import Path

import msgspec
import numpy as np
from safetensors.numpy import save

from services.inference import manifest as manifests
from services.inference.calibration import Calibration
from services.inference.features import FEATURES, HORIZON_MINUTES
from services.inference.icu_mortality import NAME, OUTCOME, IcuMortality
from services.inference.manifest import Baseline, Manifest, Scope, TrainingData
from services.inference.networks.boosted_trees import ARCHITECTURE, LEAVES, NODES, Trees
from services.inference.registry import (
    MANIFEST,
    WEIGHTS,
    feature_schema_sha256,
    golden_probabilities,
)
from services.inference.view import ICU_TYPES, Fact, PatientView
from training.icu_mortality.baselines import golden_stays

SITE_KEY = bytes(range(32))
T0 = 1_650_000_000_000
MINUTE = 60_000


def some_trees(seed: int = 0, count: int = 40) -> Trees:
    """Return random trees that ask about any feature, with thresholds near usual values."""
    random = np.random.default_rng(seed)
    return Trees(
        feature=random.integers(0, len(FEATURES), (count, NODES)),
        threshold=random.choice([0.0, 1.0, 5.0, 30.0, 80.0, 120.0], (count, NODES)),
        missing_left=random.random((count, NODES)) < 0.5,
        value=random.normal(0, 0.2, (count, LEAVES)),
        bias=np.array([-1.8]),
    )


def a_manifest(trees: Trees, version: str = "1.0.0") -> Manifest:
    """Return a manifest that fits ``trees``, unsigned, its golden outputs worked out."""
    random = np.random.default_rng(1)
    baselines = tuple(
        Baseline(
            until_minute=hour * 60,
            statement={"en": f"made up, {hour} h", "zh": f"虚构,{hour}小时"},
            features=tuple(
                None if missing else float(value)
                for missing, value in zip(
                    random.random(len(FEATURES)) < 0.3,
                    random.uniform(0, 150, len(FEATURES)).round(3),
                    strict=True,
                )
            ),
        )
        for hour in (6, 48)
    )
    manifest = Manifest(
        name=NAME,
        version=version,
        created="2026-01-01",
        outcome=OUTCOME,
        architecture=ARCHITECTURE,
        weights_sha256=hashlib.sha256(weights_of(trees)).hexdigest(),
        feature_schema_sha256=feature_schema_sha256(),
        inputs=(),
        scope=Scope(
            age_min_years=16,
            units=tuple(ICU_TYPES),
            horizon_minutes=HORIZON_MINUTES,
            statement={"en": "made up", "zh": "虚构"},
        ),
        calibration=Calibration(hours=(6.0, 48.0), slopes=(0.9, 1.1), intercepts=(-0.1, 0.2)),
        baselines=baselines,
        golden=golden_stays(0),
        golden_tolerance=1e-6,
        training=TrainingData(
            name="none", files=(), sha256="", stays=0, died=0, licence="", attribution=""
        ),
        figures={},
        recipe={},
    )
    said = golden_probabilities(IcuMortality(manifest, trees), manifest.golden)
    golden = [
        msgspec.structs.replace(one, probability=float(value))
        for one, value in zip(manifest.golden, said, strict=True)
    ]
    return msgspec.structs.replace(manifest, golden=tuple(golden))


def weights_of(trees: Trees) -> bytes:
    """Return the safetensors bytes of a forest."""
    return save(
        {
            "feature": trees.feature,
            "threshold": trees.threshold,
            "missing_left": trees.missing_left,
            "value": trees.value,
            "bias": trees.bias,
        }
    )


def a_model_folder(
    root: Path, *, version: str = "1.0.0", seed: int = 0, key: bytes = SITE_KEY
) -> Manifest:
    """Write a signed model below ``root`` and return its manifest."""
    trees = some_trees(seed)
    manifest = manifests.signed(a_manifest(trees, version), key)
    folder = root / NAME / version
    folder.mkdir(parents=True)
    (folder / WEIGHTS).write_bytes(weights_of(trees))
    (folder / MANIFEST).write_bytes(manifests.encode(manifest))
    return manifest


def a_model(seed: int = 0) -> IcuMortality:
    """Return a loaded made-up model."""
    trees = some_trees(seed)
    return IcuMortality(a_manifest(trees), trees)


def a_fact(number: int, parameter: str, value: float, minute: float, **more: object) -> Fact:
    """Return a fact ``minute`` minutes after the admission."""
    fact = Fact(
        event_id=f"event-{number}",
        index=0,
        offset=number,
        parameter=parameter,
        value=value,
        at_ms=T0 + round(minute * MINUTE),
    )
    return msgspec.structs.replace(fact, **more) if more else fact


def a_view(*facts: Fact, **more: object) -> PatientView:
    """Return a 70-year-old woman in the medical ICU since ``T0``, with these facts in order."""
    ordered = tuple(sorted(facts, key=lambda one: (one.at_ms, one.offset, one.event_id, one.index)))
    fields: dict[str, object] = {
        "token": "t" * 26,
        "age_years": 70,
        "sex": "F",
        "icu_unit": "MICU",
        "icu_admitted_ms": T0,
        "facts": ordered,
        "as_of_ms": max((one.at_ms for one in ordered), default=T0),
    }
    return PatientView(**(fields | more))  # type: ignore[arg-type]  # a builder's free fields
