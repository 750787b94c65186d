"""Quantiles between two scrapes of a histogram."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from bench.pipeline import parse, quantile

METRIC = "auscult_event_end_to_end_latency_seconds"


def scraped(values: list[float]) -> dict[float, float]:
    registry = CollectorRegistry()
    histogram = Histogram(METRIC, "x", ("stage",), registry=registry, buckets=(0.1, 0.5, 1, 5))
    for value in values:
        histogram.labels("visible").observe(value)
    return parse(generate_latest(registry).decode())[1]


def test_only_what_came_between_two_scrapes_counts() -> None:
    before, after = scraped([4.0] * 50), scraped([4.0] * 50 + [0.3] * 100)
    assert quantile(before, after, 0.5) == pytest.approx(0.3)


def test_nothing_between_gives_nothing() -> None:
    assert math.isnan(quantile(scraped([1.0]), scraped([1.0]), 0.99))


def test_beyond_the_last_bound_the_bound_is_said() -> None:
    assert quantile({}, scraped([60.0] * 10), 0.5) == 5


@given(st.lists(st.floats(0.001, 4.9), min_size=1), st.floats(0.01, 1))
def test_a_quantile_lies_in_the_bucket_of_the_true_one(values: list[float], q: float) -> None:
    found = quantile({}, scraped(values), q)
    true = sorted(values)[max(0, -(-len(values) * q // 1).__int__() - 1)]
    bounds = [0, 0.1, 0.5, 1, 5]
    bucket = next(i for i, bound in enumerate(bounds) if true <= bound)
    assert bounds[bucket - 1] - 1e-9 <= found <= bounds[bucket] + 1e-9
