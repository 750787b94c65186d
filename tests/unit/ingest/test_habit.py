"""A source's own habit tells a failure from a quiet night."""

from services.ingest.habit import LIMIT_S_MIN, MESSAGES_MIN, Habit


def a_habit(gap_s: float, messages: int) -> tuple[Habit, float]:
    habit, now_s = Habit(), 0.0
    for _ in range(messages):
        habit.came(now_s)
        now_s += gap_s
    return habit, now_s - gap_s


def test_it_is_unknown_until_there_were_enough_messages() -> None:
    assert a_habit(1.0, MESSAGES_MIN - 1)[0].limit_s == 0
    assert a_habit(1.0, MESSAGES_MIN)[0].limit_s == LIMIT_S_MIN


def test_a_slow_source_may_be_silent_for_longer() -> None:
    habit, _ = a_habit(600.0, 200)
    assert 1_700 < habit.limit_s <= 1_800


def test_one_outage_does_not_become_the_habit() -> None:
    habit, now_s = a_habit(100.0, 200)
    before_s = habit.limit_s
    habit.came(now_s + 20_000)
    assert before_s < habit.limit_s < before_s * 1.4


def test_a_slower_pace_is_learnt_and_an_old_one_fades() -> None:
    habit, now_s = a_habit(10.0, 200)
    for _ in range(20):
        now_s += 55.0
        habit.came(now_s)
    assert habit.limit_s == 165.0
    for _ in range(4 * 86_400 // 10):
        now_s += 10.0
        habit.came(now_s)
    assert habit.limit_s == LIMIT_S_MIN
