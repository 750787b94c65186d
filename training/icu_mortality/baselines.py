"""The patients that explanations compare with, and the made-up stays that prove a load."""

import numpy as np

from services.inference.features import FEATURES, SERIES_INDEX, matrix
from services.inference.manifest import Baseline, Golden
from training.icu_mortality.crossval import HOURS
from training.physionet import Stays

GOLDEN_STAYS = 6
# (parameter, usual value, spread, minutes between two readings) of the made-up stays.
_COURSE: tuple[tuple[str, float, float, int], ...] = (
    ("heart_rate", 88, 12, 60),
    ("resp_rate", 19, 4, 60),
    ("sbp_invasive", 118, 16, 60),
    ("dbp_invasive", 60, 9, 60),
    ("map_invasive", 79, 11, 60),
    ("temperature", 37.1, 0.6, 240),
    ("gcs", 12, 2, 240),
    ("urine_volume", 80, 40, 60),
    ("fio2", 0.5, 0.1, 360),
    ("pao2", 120, 40, 360),
    ("ph", 7.37, 0.06, 360),
    ("bun", 25, 12, 720),
    ("creatinine", 1.3, 0.5, 720),
    ("platelets", 190, 70, 720),
    ("wbc", 12, 4, 720),
    ("sodium", 139, 4, 720),
    ("lactate", 2.2, 1, 1440),
)


def baselines_of(stays: Stays) -> tuple[Baseline, ...]:
    """Return, for each reported hour, the median patient as far as they were known by then.

    A feature that most stays do not have is missing; the unit is the commonest one.
    """
    return tuple(_baseline(stays, hour) for hour in HOURS)


def golden_stays(seed: int) -> tuple[Golden, ...]:
    """Return made-up stays from well to very ill; nothing of them comes from a patient."""
    random = np.random.default_rng(seed)
    units = ("MICU", "SICU", "CCU", "CSRU", "MICU", "SICU")
    return tuple(
        _golden(random, units[number], illness=number / (GOLDEN_STAYS - 1), hours=8 * (number + 1))
        for number in range(GOLDEN_STAYS)
    )


def _baseline(stays: Stays, hour: int) -> Baseline:
    until = stays.until(hour * 60)
    features = matrix(until.rows, until.patients).astype(np.float64)
    known = np.isfinite(features).mean(axis=0) > 0.5
    middle = np.zeros(len(FEATURES))
    middle[known] = np.nanmedian(features[:, known], axis=0)
    kinds = [place for place, name in enumerate(FEATURES) if name.startswith("icu_")]
    middle[kinds] = 0.0
    middle[kinds[int(np.argmax(features[:, kinds].sum(axis=0)))]] = 1.0
    return Baseline(
        until_minute=hour * 60,
        statement={
            "en": f"the median patient of the training data after {hour} h in intensive care",
            "zh": f"训练数据中入住重症监护室{hour}小时后的中位数患者",
        },
        features=tuple(
            round(float(value), 6) if has else None
            for value, has in zip(middle, known, strict=True)
        ),
    )


def _golden(random: np.random.Generator, unit: str, illness: float, hours: int) -> Golden:
    """Return a stay; ``illness`` 0..1 pulls pressure, GCS and urine down and lactate up."""
    worse = {"sbp_invasive": -35, "gcs": -8, "urine_volume": -60, "lactate": 7, "bun": 50}
    facts = []
    for parameter, usual, spread, every in _COURSE:
        assert parameter in SERIES_INDEX  # noqa: S101 - the table above is the code's own
        for minute in range(15, hours * 60, every):
            drift = illness * worse.get(parameter, 0) * minute / (hours * 60)
            value = max(usual + drift + spread * random.standard_normal(), usual / 10)
            facts.append((minute, parameter, round(float(value), 2)))
    return Golden(
        age_years=40 + round(45 * illness),
        sex="FM"[round(illness * 5) % 2],
        icu_unit=unit,
        facts=tuple(facts),
        probability=0.0,
    )
