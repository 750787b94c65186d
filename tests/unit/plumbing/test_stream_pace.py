"""A batch takes so many records that nothing else of the process waits for it for long."""

from plumbing.stream_pace import FIRST, Pace


def test_the_first_batch_is_small_and_quick_ones_grow() -> None:
    pace = Pace(1_000, 0.5)
    sizes = []
    for _ in range(8):
        sizes.append(pace.size)
        pace.took(pace.size, pace.size * 0.0001)
    assert sizes == [FIRST, 32, 64, 128, 256, 512, 1_000, 1_000]


def test_a_slow_batch_is_followed_by_as_many_as_fit() -> None:
    pace = Pace(1_000, 0.5)
    pace.took(16, 0.01)
    pace.took(32, 1.6)
    assert pace.size == 10
    pace.took(10, 0.45)
    assert pace.size == 11


def test_one_slow_record_is_not_remembered_for_ever() -> None:
    pace = Pace(1_000, 0.5)
    pace.took(1, 10.0)
    assert pace.size == 1
    for _ in range(10):
        pace.took(pace.size, pace.size * 0.0001)
    assert pace.size == 1_000


def test_a_small_batch_says_nothing_of_what_more_would_take() -> None:
    pace = Pace(1_000, 0.5)
    pace.took(1, 0.02)
    assert pace.size == FIRST
    pace.took(1, 0.0)
    assert pace.size == FIRST


def test_a_batch_that_took_no_time_grows_too() -> None:
    pace = Pace(20, 0.5)
    pace.took(FIRST, 0.0)
    assert pace.size == 20


def test_a_small_limit_is_kept_from_the_first() -> None:
    assert Pace(3, 0.5).size == 3
