"""The dead letter's limit: a ratio of a number, per source."""

from hypothesis import given
from hypothesis import strategies as st

from plumbing.reject_limit import SOURCES_MAX, WINDOW_MAX, RejectLimit


def test_few_records_are_never_too_many() -> None:
    limit = RejectLimit(0.05, 200)
    assert not limit.exceeded({"a": 199}, {"a": 199})
    assert limit.exceeded({"a": 200}, {"a": 11}) == {"a"}
    assert not limit.exceeded({"a": 200}, {"a": 10})


def test_sources_do_not_share_their_fate() -> None:
    limit = RejectLimit(0.05, 200)
    limit.count({"good": 1_000, "bad": 150}, {"bad": 150})
    assert limit.exceeded({"bad": 50, "good": 1}, {"bad": 1, "good": 1}) == {"bad"}
    assert not limit.exceeded({"good": 100, "bad": 1}, {"good": 5})


def test_asking_counts_nothing() -> None:
    limit = RejectLimit(0.05, 200)
    for _ in range(100):
        assert not limit.exceeded({"a": 10}, {"a": 10})


def test_a_long_good_past_does_not_hide_a_bad_hour() -> None:
    limit = RejectLimit(0.05, 200)
    for _ in range(1_000):
        limit.count({"a": 1_000}, {})
    assert limit.exceeded({"a": 1_000}, {"a": 600})


@given(st.lists(st.tuples(st.integers(1, 3_000), st.floats(0, 0.04)), max_size=60))
def test_a_source_within_the_ratio_is_never_stopped(batches: list[tuple[int, float]]) -> None:
    limit = RejectLimit(0.05, 200)
    for size, ratio in batches:
        refused = int(size * ratio)
        assert not limit.exceeded({"a": size}, {"a": refused})
        limit.count({"a": size}, {"a": refused})
        assert limit._counts.get("a", (0, 0))[0] < WINDOW_MAX


def test_senders_without_end_take_no_memory_without_end() -> None:
    limit = RejectLimit(0.05, 200)
    for n in range(3 * SOURCES_MAX):
        limit.count({f"s{n}": 1, "steady": 1}, {"steady": 1})
    assert len(limit._counts) == SOURCES_MAX
    assert limit.exceeded({"steady": 1}, {"steady": 1}) == {"steady"}  # seen last: not forgotten


def test_no_more_sources_than_the_limit_are_paused() -> None:
    limit = RejectLimit()
    assert limit.pause({f"s{n}" for n in range(SOURCES_MAX)})
    assert not limit.pause({"one more"})
    assert limit.pause({"s1"})
    assert "one more" not in limit.paused
