"""The ICU model as the runtime asks it: whom it covers, what it says, the same in any batch."""

import random
import statistics
import time

import numpy as np
import pytest
import torch

from contracts.assessed import Risk
from contracts.loinc import BY_NAME
from services.inference.calibration import Calibration, probability
from services.inference.contributions import (
    OTHER,
    SHOWN_MAX,
    Latest,
    completeness_gap,
    contributions,
)
from services.inference.features import HORIZON_MINUTES, SERIES
from services.inference.icu_mortality import PARAMETERS
from services.inference.view import PatientView
from tests.support.models import MINUTE, T0, a_fact, a_model, a_view

MODEL = a_model()


def stay(seed: int, facts: int = 60) -> PatientView:
    rng = random.Random(seed)
    named = [one for one in SERIES if one.low < one.high]
    made = [
        a_fact(
            number,
            (series := rng.choice(named)).parameter,
            round(rng.uniform(series.low, min(series.high, 200)), 1),
            rng.randrange(HORIZON_MINUTES),
        )
        for number in range(facts)
    ]
    return a_view(*made, age_years=rng.randint(20, 90), sex=rng.choice("MF"))


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({}, ""),
        ({"age_years": None}, "age_unknown"),
        ({"age_years": 15}, "adult_only"),
        ({"icu_unit": ""}, "not_icu"),
        ({"icu_admitted_ms": None}, "no_icu_admission"),
        ({"icu_left_ms": T0 + 30 * MINUTE}, "left_icu"),
        ({"icu_left_ms": T0 + 90 * MINUTE}, ""),
        ({"facts": ()}, "no_observations"),
    ],
)
def test_whom_it_covers(more: dict[str, object], reason: str) -> None:
    assert MODEL.covers(a_view(a_fact(1, "gcs", 9.0, 60), **more)) == reason


@pytest.mark.parametrize(
    "fact",
    [
        a_fact(1, "gcs", 9.0, 60, flagged=True),
        a_fact(1, "gcs", 9.0, -1),
        a_fact(1, "gcs", 9.0, HORIZON_MINUTES + 1),
        a_fact(1, "oxygen_flow", 9.0, 60),
        a_fact(1, "heart_rate", 0.0, 60),
    ],
)
def test_what_it_cannot_use_is_not_a_reason_to_score(fact: object) -> None:
    view = a_view(fact)  # type: ignore[arg-type]  # parametrised
    assert MODEL.covers(view) == "no_observations"


def test_a_risk_says_all_it_must() -> None:
    view = a_view(a_fact(1, "gcs", 5.0, 30), a_fact(2, "gcs", 9.0, 60), a_fact(3, "bun", 60.0, 45))
    (risk,) = MODEL.assess([view])
    assert (risk.model, risk.outcome) == ("icu_mortality", "death_in_hospital")
    assert (risk.version, risk.digest, risk.reason) == ("1.0.0", MODEL.digest, "")
    assert risk.probability is not None
    assert 0 < risk.probability < 1
    assert risk.imputed_ratio == round(1 - 2 / len(SERIES), 4)
    shown = {one.parameter: one for one in risk.contributions}
    if "gcs" in shown:
        assert (shown["gcs"].value, shown["gcs"].observed_at_ms) == (9.0, T0 + 60 * MINUTE)
        assert shown["gcs"].label == {"en": BY_NAME["gcs"].en, "zh": BY_NAME["gcs"].zh}


@pytest.mark.parametrize("seed", range(5))
def test_contributions_add_up_to_the_difference_from_the_baseline(seed: int) -> None:
    (risk,) = MODEL.assess([stay(seed)])
    assert risk.probability is not None
    assert risk.baseline_probability is not None
    assert risk.completeness_gap is not None
    explained = sum(one.attribution for one in risk.contributions)
    difference = logit(risk.probability) - logit(risk.baseline_probability)
    assert explained == pytest.approx(difference, abs=1e-3)
    assert abs(risk.completeness_gap) < 1e-3
    sizes = [abs(one.attribution) for one in risk.contributions if one.parameter != OTHER]
    assert sizes == sorted(sizes, reverse=True)


def test_after_48_hours_the_score_stands() -> None:
    facts = [a_fact(1, "gcs", 6.0, 100), a_fact(2, "lactate", 9.0, HORIZON_MINUTES)]
    before, after = a_view(*facts), a_view(*facts, a_fact(3, "gcs", 15.0, HORIZON_MINUTES + 600))
    assert MODEL.covers(after) == ""
    (then,), (later,) = MODEL.assess([before]), MODEL.assess([after])
    assert (then.reason, later.reason) == ("", "first_48_h")
    assert then.probability == later.probability
    assert then.contributions == later.contributions


def test_a_row_does_not_depend_on_its_neighbours() -> None:
    views = [stay(seed, facts=20 + 9 * seed) for seed in range(17)]
    alone = [MODEL.assess([view])[0] for view in views]
    assert list(MODEL.assess(views)) == alone
    assert list(reversed(MODEL.assess(views[::-1]))) == alone
    assert MODEL.assess([]) == ()


def test_the_order_of_facts_within_a_minute_does_not_matter() -> None:
    facts = [a_fact(number, "heart_rate", 60.0 + number, 30) for number in range(6)]
    turned = [a_fact(5 - number, "heart_rate", 60.0 + number, 30) for number in range(6)]
    assert MODEL.assess([a_view(*facts)])[0].probability == (
        MODEL.assess([a_view(*turned)])[0].probability
    )


def test_seconds_are_rounded_down_to_the_minute() -> None:
    whole = MODEL.assess([a_view(a_fact(1, "gcs", 7.0, 30))])[0]
    assert MODEL.assess([a_view(a_fact(1, "gcs", 7.0, 30.9))])[0].probability == whole.probability


def test_it_goes_where_it_is_told() -> None:
    assert MODEL.on("cpu") is MODEL


def test_400_events_a_second_with_contributions() -> None:
    """Counted in this thread's processor time, which other tests do not take from."""
    torch.set_num_threads(1)
    views = [stay(seed, facts=440) for seed in range(32)]
    times = []
    for _ in range(5):
        began = time.thread_time()
        MODEL.assess(views)
        times.append(time.thread_time() - began)
    assert len(views) / statistics.median(times) > 400


def test_few_are_listed_and_the_rest_is_summed_up() -> None:
    attributions = [0.5 / (place + 1) for place in range(len(PARAMETERS))]
    listed = contributions(PARAMETERS, attributions, {PARAMETERS[0]: Latest(3.0, T0)})
    assert len(listed) == SHOWN_MAX + 1
    assert (listed[0].value, listed[0].observed_at_ms) == (3.0, T0)
    assert listed[1].value is None
    assert listed[-1].parameter == OTHER
    assert abs(completeness_gap(listed, sum(attributions))) < 1e-3


def test_calibration_is_a_line_in_log_odds_that_moves_with_time() -> None:
    line = Calibration(hours=(6.0, 48.0), slopes=(2.0, 1.0), intercepts=(-1.0, 0.0))
    raw = np.array([0.5, 0.5, 0.5, 0.5])
    assert line.logit(raw, np.array([0.0, 6.0, 27.0, 99.0])).tolist() == [0.0, 0.0, 0.25, 0.5]
    assert probability(np.array([0.0, 800.0, -800.0])).tolist() == [0.5, 1.0, 0.0]


def logit(value: float) -> float:
    return float(np.log(value / (1 - value)))


def test_the_contract_holds_what_is_said() -> None:
    (risk,) = MODEL.assess([stay(1)])
    assert isinstance(risk, Risk)
    assert len(risk.contributions) <= SHOWN_MAX + 1
