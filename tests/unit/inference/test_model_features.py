"""Features: the same for any order of facts, the same as by hand, fast enough."""

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.loinc import BY_NAME
from services.inference.features import (
    FEATURES,
    HORIZON_MINUTES,
    PARAMETER_OF,
    SERIES,
    SERIES_INDEX,
    STATICS,
    WIDTH,
    Patients,
    Rows,
    matrix,
)

Facts = list[tuple[int, str, float]]
facts = st.lists(
    st.tuples(
        st.integers(-60, HORIZON_MINUTES + 60),
        st.sampled_from([one.parameter for one in SERIES]),
        st.floats(-10, 400, allow_nan=False),
    ),
    max_size=60,
)


def features(*stays: Facts, age: float = 70.0) -> np.ndarray:
    flat = [(stay, *fact) for stay, of in enumerate(stays) for fact in of]
    rows = Rows(
        np.array([one[0] for one in flat], dtype=np.int64),
        np.array([one[1] for one in flat], dtype=np.int64),
        np.array([SERIES_INDEX[one[2]] for one in flat], dtype=np.int64),
        np.array([one[3] for one in flat], dtype=np.float64),
    )
    count = len(stays)
    return matrix(rows, Patients(np.full(count, age), np.zeros(count), np.full(count, 3)))


def one(row: np.ndarray, name: str) -> float:
    return float(row[FEATURES.index(name)])


def test_names_are_unique_and_every_one_has_a_parameter() -> None:
    assert len(set(FEATURES)) == len(FEATURES) == len(PARAMETER_OF) == WIDTH
    assert set(PARAMETER_OF) <= set(BY_NAME) | {parameter for _, parameter in STATICS}


def test_ranges_lie_within_what_the_stream_lets_through() -> None:
    for series in SERIES:
        known = BY_NAME[series.parameter]
        assert known.low <= series.low <= series.high <= known.high, series.parameter


def test_statistics_are_those_by_hand() -> None:
    row = features([(0, "lactate", 4.0), (60, "lactate", 2.0), (1000, "lactate", 3.0)])[0]
    assert one(row, "lactate.mean") == pytest.approx(3.0)
    assert (one(row, "lactate.min"), one(row, "lactate.max")) == (2.0, 4.0)
    assert (one(row, "lactate.first"), one(row, "lactate.last")) == (4.0, 3.0)
    assert one(row, "lactate.change") == -1.0
    assert one(row, "lactate.log_count") == pytest.approx(math.log(4))
    assert one(row, "lactate.hours_since") == 0.0
    assert one(row, "elapsed_hours") == pytest.approx(1000 / 60)


def test_the_last_twelve_hours_count_back_from_the_newest_fact() -> None:
    row = features([(0, "heart_rate", 60.0), (10, "heart_rate", 80.0), (730, "heart_rate", 100.0)])
    assert one(row[0], "heart_rate.recent_mean") == 100.0
    row = features([(0, "heart_rate", 60.0), (11, "heart_rate", 80.0), (730, "heart_rate", 100.0)])
    assert one(row[0], "heart_rate.recent_mean") == 90.0
    assert one(row[0], "heart_rate.recent_min") == 80.0
    assert one(row[0], "heart_rate.std") == pytest.approx(np.std([60, 80, 100]))


def test_ratios_are_those_by_hand() -> None:
    row = features(
        [
            (120, "pao2", 90.0),
            (120, "fio2", 0.5),
            (120, "heart_rate", 100.0),
            (120, "sbp", 80.0),
            (120, "urine_volume", 50.0),
            (60, "urine_volume", 150.0),
            (0, "weight", 100.0),
        ]
    )[0]
    assert one(row, "pf_ratio_last") == pytest.approx(180.0)
    assert one(row, "shock_index_last") == pytest.approx(1.25)
    assert one(row, "urine_ml_per_hour") == pytest.approx(100.0)
    assert one(row, "urine_recent_ml_per_hour") == pytest.approx(100.0)
    assert one(row, "urine_ml_per_kg_hour") == pytest.approx(1.0)


def test_what_was_not_measured_is_not_a_number() -> None:
    row = features([])[0]
    assert math.isnan(one(row, "lactate.last"))
    assert one(row, "lactate.log_count") == 0.0
    assert one(row, "elapsed_hours") == 0.0


@pytest.mark.parametrize(
    ("minute", "parameter", "value"),
    [
        (-1, "heart_rate", 80.0),
        (HORIZON_MINUTES + 1, "heart_rate", 80.0),
        (5, "heart_rate", 0.0),
        (5, "temperature", -17.8),
        (5, "ventilated", 0.0),
        (5, "height", -1.0),
    ],
)
def test_what_cannot_be_or_is_out_of_time_changes_nothing(
    minute: int, parameter: str, value: float
) -> None:
    known: Facts = [(0, "heart_rate", 90.0), (30, "gcs", 14.0)]
    plain, more = features(known), features([*known, (minute, parameter, value)])
    np.testing.assert_array_equal(plain, more)


def test_repeated_facts_all_count() -> None:
    row = features([(5, "gcs", 10.0), (5, "gcs", 10.0), (5, "gcs", 13.0)])[0]
    assert one(row, "gcs.mean") == pytest.approx(11.0)
    assert one(row, "gcs.last") == one(row, "gcs.first") == pytest.approx(11.0)


def test_age_is_clamped() -> None:
    assert one(features([], age=97.0)[0], "age_years") == 90.0


@settings(max_examples=60, deadline=None)
@given(stay=facts, neighbour=facts, seed=st.integers(0, 1000))
def test_no_order_and_no_neighbour_changes_a_bit(stay: Facts, neighbour: Facts, seed: int) -> None:
    shuffled = random.Random(seed).sample(stay, len(stay))
    alone = features(stay)
    beside = features(neighbour, shuffled, neighbour)
    assert alone[0].tobytes() == beside[1].tobytes()
