"""The arithmetic of the pipeline benchmark."""

import math

from bench.pipeline import Held, parse, quantile

PAGE = """# HELP auscult_gateway_events_visible_total x
auscult_gateway_events_visible_total 120.0
auscult_event_end_to_end_latency_seconds_bucket{le="0.1",stage="visible"} 60.0
auscult_event_end_to_end_latency_seconds_bucket{le="0.2",stage="visible"} 118.0
auscult_event_end_to_end_latency_seconds_bucket{le="+Inf",stage="visible"} 120.0
"""


def held(backlog: tuple[int, ...], achieved: float = 300.0, *, drained: bool = True) -> Held:
    return Held(300.0, 60.0, 18000, achieved, backlog, drained, 0.1, 0.2)


def test_a_metrics_page_is_read() -> None:
    visible, buckets = parse(PAGE)
    assert visible == 120
    assert buckets == {0.1: 60.0, 0.2: 118.0, math.inf: 120.0}


def test_quantiles_are_of_what_came_between_two_readings() -> None:
    _, after = parse(PAGE)
    assert quantile({}, after, 0.5) == 0.1
    assert math.isclose(quantile({}, after, 0.75), 0.1 + 0.1 * 30 / 58)
    assert quantile({}, after, 0.999) == 0.2
    assert math.isnan(quantile(after, after, 0.5))


def test_a_rate_holds_only_when_the_backlog_is_flat_and_drains() -> None:
    assert held((100, 90, 110, 100, 95, 105)).holds
    assert not held((100, 300, 500, 700, 900, 1100)).holds
    assert not held((10, 10, 10), drained=False).holds
    assert not held((10, 10, 10), achieved=250.0).holds
