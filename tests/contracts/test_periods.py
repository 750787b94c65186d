"""A year or a month moves by whole ones, comes back exactly, and records without one are read."""

from datetime import UTC, date, datetime

import msgspec
import pytest

from contracts.assessed import Vital
from contracts.clinical import Condition, Medication, Order
from contracts.observation import Code, Observation
from contracts.periods import PERIOD_MS, Coarse, moved_back, period_of, period_sent
from contracts.topic import DAY_MS

SHIFTS = range(1, 366)
MONTHS = range(1, 13)
YEARS = range(1900, 2101)
FORMS: dict[Coarse, str] = {"year": "{0:04}", "month": "{0:04}-{1:02}"}
ZONES_MS = [hours * 3_600_000 for hours in (-14, 0, 12)]  # UTC of midnight, from east to west
TIMES: list[tuple[type[msgspec.Struct], str]] = [
    (Observation, "at_precision"), (Condition, "at_precision"), (Order, "at_precision"),
    (Medication, "start_precision"), (Vital, "at_precision"),
]  # fmt: skip


def first_ms(year: int, month: int) -> int:
    return (date(year, month, 1) - date(1970, 1, 1)).days * DAY_MS


def periods(coarse: Coarse) -> list[tuple[int, int]]:
    return [(year, month) for year in YEARS for month in range(1, 13 if coarse == "month" else 2)]


@pytest.mark.parametrize("coarse", ["year", "month"])
def test_every_period_comes_back_from_every_shift(coarse: Coarse) -> None:
    for year, month in periods(coarse):
        at_ms, name = first_ms(year, month), FORMS[coarse].format(year, month)
        for days in SHIFTS:
            moved = moved_back(at_ms, coarse, days * DAY_MS)
            assert period_sent(moved + days * DAY_MS, coarse) == name


@pytest.mark.parametrize("coarse", ["year", "month"])
def test_all_that_a_shift_tells_is_one_number_of_whole_periods(coarse: Coarse) -> None:
    begins = [first_ms(year, month) for year, month in periods(coarse)]
    here = [moved_back(at_ms, coarse, 0) for at_ms in begins]
    by: set[int] = set()
    for days in SHIFTS:
        back = {
            at_ms - moved_back(begin, coarse, days * DAY_MS)
            for at_ms, begin in zip(here, begins, strict=True)
        }
        by |= back
        assert len(back) == 1
    assert by == {count * PERIOD_MS[coarse] for count in ([1] if coarse == "year" else MONTHS)}


@pytest.mark.parametrize("coarse", ["year", "month"])
def test_what_leaves_lies_in_the_middle_of_its_period_of_the_calendar(coarse: Coarse) -> None:
    for year, month in periods(coarse):
        middle = moved_back(first_ms(year, month), coarse, 0)
        told = datetime.fromtimestamp(middle / 1000, UTC)
        assert (told.year, told.month if coarse == "month" else 1) == (year, month)
        assert period_of(middle, coarse) == FORMS[coarse].format(year, month)


@pytest.mark.parametrize("ahead_ms", ZONES_MS)
@pytest.mark.parametrize("coarse", ["year", "month"])
def test_a_period_that_began_in_any_zone_is_the_same(coarse: Coarse, ahead_ms: int) -> None:
    for year, month in periods(coarse):
        at_ms = first_ms(year, month)
        assert moved_back(at_ms + ahead_ms, coarse, DAY_MS) == moved_back(at_ms, coarse, DAY_MS)


@pytest.mark.parametrize(("kind", "field"), TIMES)
def test_a_time_without_a_precision_is_written_and_read_as_before(
    kind: type[msgspec.Struct], field: str
) -> None:
    needed = {"code": Code("LN", "x"), "index": 0, "kind": "quantity", "parameter": "spo2"}
    needed |= {"value": 1.0, "unit": "%", "at_ms": 5}
    has = {one.name for one in msgspec.structs.fields(kind)}
    before = kind(**{name: value for name, value in needed.items() if name in has})
    written = msgspec.json.encode(before)
    assert b"precision" not in written
    assert msgspec.json.decode(written, type=kind) == before
    after = msgspec.structs.replace(before, **{field: "year"})
    assert msgspec.json.decode(msgspec.json.encode(after), type=kind) == after
