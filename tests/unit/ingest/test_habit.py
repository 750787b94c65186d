"""A source's own habit tells a failure from a quiet night."""

import random
from collections.abc import Callable, Iterator
from zoneinfo import ZoneInfo

import msgspec
import pytest

from services.ingest.habit import DAY_S, LEARN_DAYS, LIMIT_S_MIN, Habit, Learnt

HOUR_S = 3_600
MONDAY_S = 19_723 * DAY_S  # 2024-01-01
LOOK_S = 60.0
DAYS = 21

Feed = Callable[[random.Random, int], Iterator[float]]


def in_the_day(first_h: int, last_h: int, gap_s: float) -> Feed:
    def one_day(chance: random.Random, _: int) -> Iterator[float]:
        at_s = first_h * HOUR_S + chance.uniform(-300, 300)
        while at_s < last_h * HOUR_S:
            yield at_s
            at_s += gap_s * chance.uniform(0.5, 1.5)

    return one_day


def steady(gap_s: float) -> Feed:
    def one_day(chance: random.Random, _: int) -> Iterator[float]:
        at_s = chance.expovariate(1 / gap_s)
        while at_s < DAY_S:
            yield at_s
            at_s += chance.expovariate(1 / gap_s)

    return one_day


def burst(chance: random.Random, _: int) -> Iterator[float]:
    at_s = 2 * HOUR_S + chance.uniform(-300, 300)
    for _ in range(100):
        at_s += 0.05
        yield at_s


def hourly(chance: random.Random, _: int) -> Iterator[float]:
    for hour in range(24):
        yield hour * HOUR_S + 1_800 + chance.uniform(-300, 300)


def on_working_days(chance: random.Random, day: int) -> Iterator[float]:
    return iter(()) if day % 7 >= 5 else in_the_day(7, 17, 120)(chance, day)


FEEDS = {
    "all day, each 10 s": in_the_day(6, 22, 10),
    "clinic, each 120 s": in_the_day(7, 17, 120),
    "nightly burst": burst,
    "hourly": hourly,
    "steady": steady(30),
    "working days": on_working_days,
}


def simulated(feed: Feed, seed: int, days: int) -> Iterator[float]:
    chance = random.Random(seed)
    for day in range(days):
        for at_s in feed(chance, day):
            yield MONDAY_S + day * DAY_S + at_s


def called_out(habit: Habit, since_s: float, until_s: float) -> float | None:
    """Return when a silence would be called out, looked at each minute."""
    at_s = since_s + LIMIT_S_MIN
    while at_s < until_s:
        limit_s = habit.limit_s(at_s)
        if 0 < limit_s < habit.silent_s(at_s):
            return at_s
        at_s += LOOK_S
    return None


def alarms_of(feed: Feed, seed: int) -> list[float]:
    habit, last_s = Habit(MONDAY_S), float(MONDAY_S)
    found: list[float] = []
    for at_s in simulated(feed, seed, DAYS):
        when_s = called_out(habit, last_s, at_s)
        if when_s is not None:
            found.append((when_s - MONDAY_S) / DAY_S)
        habit.came(at_s)
        last_s = at_s
    return found


@pytest.mark.parametrize("name", FEEDS)
def test_three_weeks_bring_at_most_one_false_alarm_a_week(name: str) -> None:
    found = alarms_of(FEEDS[name], seed=1)
    for week in range(3):
        assert sum(week * 7 <= day < (week + 1) * 7 for day in found) <= 1, found
    assert len([day for day in found if day >= 12]) == 0, found


@pytest.mark.parametrize(
    ("name", "stops_h", "usual_s"),
    [
        ("all day, each 10 s", 12.3, 10),
        ("all day, each 10 s", 21.7, 10),
        ("clinic, each 120 s", 9.1, 120),
        ("hourly", 12.6, HOUR_S),
        ("nightly burst", 1.0, DAY_S),
        ("steady", 3.0, 30 * 6),  # of a random feed its longest of an hour is usual
        ("working days", 9.1, 120),
    ],
)
def test_a_real_stop_is_seen_soon(name: str, stops_h: float, usual_s: float) -> None:
    habit, last_s = learnt(name, days=18, stops_h=stops_h)
    when_s = called_out(habit, last_s, last_s + 3 * DAY_S)
    assert when_s is not None
    assert when_s - last_s <= 5 * usual_s + LOOK_S


def learnt(name: str, days: int, stops_h: float = 24.0) -> tuple[Habit, float]:
    """Return the habit after ``days``, of which the last ends at ``stops_h``, and the last time."""
    habit, last_s = Habit(MONDAY_S), 0.0
    stops_s = MONDAY_S + (days - 1) * DAY_S + stops_h * HOUR_S
    for at_s in simulated(FEEDS[name], 5, days):
        if at_s < stops_s:
            habit.came(at_s)
            last_s = at_s
    return habit, last_s


def test_who_does_not_begin_in_the_morning_is_missed_within_the_next_hour() -> None:
    habit, last_s = learnt("all day, each 10 s", days=10)
    when_s = called_out(habit, last_s, last_s + DAY_S)
    assert when_s is not None
    assert 6.5 <= (when_s - MONDAY_S) % DAY_S / HOUR_S <= 7.5


def test_it_is_unknown_in_the_first_days() -> None:
    habit, last_s = learnt("all day, each 10 s", days=LEARN_DAYS)
    assert habit.limit_s(last_s) == 0
    later_s = MONDAY_S + (LEARN_DAYS + 0.5) * DAY_S
    habit.came(later_s)
    assert habit.limit_s(later_s + 1) > 0


def test_one_outage_does_not_become_the_habit() -> None:
    habit = Habit(MONDAY_S)
    for at_s in simulated(FEEDS["clinic, each 120 s"], 1, 10):
        if not 8.375 < (at_s - MONDAY_S) / DAY_S < 8.6:
            habit.came(at_s)
    noon_s = MONDAY_S + 10 * DAY_S + 12 * HOUR_S
    habit.came(noon_s)
    assert habit.limit_s(noon_s + 1) < 10 * 120


def test_a_slower_pace_is_learnt() -> None:
    habit = Habit(MONDAY_S)
    for day in range(12):
        for at_s in in_the_day(6, 22, 10 if day < 8 else 60)(random.Random(day), day):
            habit.came(MONDAY_S + day * DAY_S + at_s)
    noon_s = MONDAY_S + 12 * DAY_S + 12 * HOUR_S
    habit.came(noon_s)
    assert 180 < habit.limit_s(noon_s + 1) < 300


def test_a_restart_keeps_the_habit_and_counts_silence_from_its_start() -> None:
    before, last_s = learnt("clinic, each 120 s", days=10, stops_h=9)
    kept = msgspec.json.decode(msgspec.json.encode(before.learnt()), type=Learnt)
    started_s = last_s + 1_800
    habit = Habit(started_s, learnt=kept)
    assert habit.last_s == last_s
    assert habit.silent_s(started_s + 100) == 100
    assert habit.limit_s(started_s + 100) == pytest.approx(before.limit_s(started_s + 100), rel=0.2)
    assert called_out(habit, started_s, started_s + DAY_S) is not None


def test_hours_are_those_of_the_source() -> None:
    habit = Habit(MONDAY_S, ZoneInfo("Asia/Shanghai"))
    for at_s in simulated(on_working_days, 1, 21):
        habit.came(at_s - 8 * HOUR_S)
    last_s = MONDAY_S + 18 * DAY_S + 17 * HOUR_S - 8 * HOUR_S  # Friday evening there
    assert called_out(habit, last_s, last_s + 2.5 * DAY_S) is None
    assert called_out(habit, last_s, last_s + 2.9 * DAY_S) is not None  # Monday there


def test_a_clock_that_goes_back_harms_nothing() -> None:
    habit, last_s = learnt("steady", days=5)
    limit_s = habit.limit_s(last_s)
    habit.came(last_s - 5_000)
    habit.came(last_s - 4_990)
    assert habit.silent_s(last_s - 4_990) == 0
    assert habit.limit_s(last_s) <= limit_s * 2
