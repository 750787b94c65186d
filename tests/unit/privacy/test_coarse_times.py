"""Years and months alone leave as such, told for none by how many days their person was moved."""

from datetime import UTC, date, datetime

import msgspec
import pytest

from contracts.clinical import Condition, Medication, Order, Precision
from contracts.deidentified import DeidentifiedEvent
from contracts.observation import Code, Observation
from contracts.periods import PERIOD_MS, Coarse, period_of, period_sent
from contracts.topic import DAY_MS
from services.privacy.dates import dated, moved_period, shift_text
from services.privacy.deidentify import deidentify
from services.privacy.patient_keys import PatientKey
from tests.unit.privacy.builders import ANNA, NOON_MS, a_body, cleaner_of, known_of

X = Code("LN", "2951-2")
YEARS = range(1990, 2016)
HOURS_MS = 8 * 3_600_000  # a site in China begins its day so much earlier


def keys() -> dict[int, PatientKey]:
    """Return keys of many shifts, by their days."""
    made = (PatientKey(number.to_bytes(32, "big")) for number in range(400))
    return {key.shift_days: key for key in made}


def ms_of(year: int, month: int = 1) -> int:
    return round(datetime(year, month, 1, tzinfo=UTC).timestamp()) * 1000 - HOURS_MS


def left_of(coarse: Coarse, *at_ms: int, key: PatientKey, value: float = 140) -> DeidentifiedEvent:
    """Return what leaves of an event whose facts are all of such times."""
    body = msgspec.structs.replace(
        a_body(),
        observations=tuple(
            Observation(
                index=place, code=X, kind="quantity", value=value, at_ms=at, at_precision=coarse
            )
            for place, at in enumerate(at_ms)
        ),
        conditions=tuple(Condition(code=X, at_ms=at, at_precision=coarse) for at in at_ms),
        orders=tuple(Order(code=X, at_ms=at, at_precision=coarse) for at in at_ms),
        medications=tuple(Medication(code=X, start_ms=at, start_precision=coarse) for at in at_ms),
    )
    return deidentify(
        body,
        event_id="e",
        key=key,
        known=known_of(ANNA),
        cleaner=cleaner_of(body),
        now_ms=NOON_MS,
    )


def times(event: DeidentifiedEvent) -> list[tuple[int | None, Coarse]]:
    return [
        *((one.at_ms, one.at_precision) for one in event.observations),
        *((one.at_ms, one.at_precision) for one in event.conditions),
        *((one.at_ms, one.at_precision) for one in event.orders),
        *((one.start_ms, one.start_precision) for one in event.medications),
    ]


def test_years_leave_the_same_whatever_the_shift() -> None:
    sent = [ms_of(year) for year in YEARS]
    told = {tuple(times(left_of("year", *sent, key=key))) for key in keys().values()}
    (one,) = told
    assert {coarse for _, coarse in one} == {"year"}
    names = [period_of(at_ms, "year") for at_ms, _ in one[: len(sent)] if at_ms is not None]
    assert names == [str(year - 1) for year in YEARS]


def test_months_leave_in_12_ways_by_the_months_that_a_shift_has_begun() -> None:
    sent = [ms_of(year, month) for year in YEARS[::5] for month in range(1, 13)]
    told: dict[tuple[tuple[int | None, Coarse], ...], list[int]] = {}
    for days, key in keys().items():
        told.setdefault(tuple(times(left_of("month", *sent, key=key))), []).append(days)
    assert len(told) == 12
    for group in told.values():
        assert len({-(-one * DAY_MS // PERIOD_MS["month"]) for one in group}) == 1


@pytest.mark.parametrize("coarse", ["year", "month"])
def test_who_may_know_the_shift_reads_what_was_sent(coarse: Coarse) -> None:
    sent = [
        ms_of(year, month) for year in YEARS for month in ((3, 12) if coarse == "month" else (1,))
    ]
    for key in keys().values():
        for (at_ms, _), was in zip(times(left_of(coarse, *sent, key=key)), sent * 4, strict=True):
            assert at_ms is not None
            day = datetime.fromtimestamp((was + HOURS_MS) / 1000, UTC)
            expected = f"{day:%Y-%m}" if coarse == "month" else f"{day:%Y}"
            assert period_sent(at_ms + key.shift_ms, coarse) == expected


def of_event(day: date, sent: tuple[int, int], coarse: Coarse, days: int) -> tuple[int | None, str]:
    event_ms = (day - date(1970, 1, 1)).days * DAY_MS
    return moved_period(ms_of(*sent), coarse, event_ms, days * DAY_MS)


@pytest.mark.parametrize("coarse", ["year", "month"])
def test_the_period_of_the_event_and_the_one_before_never_leave(coarse: Coarse) -> None:
    for number in range(0, 366, 3):
        day = date.fromordinal(date(2024, 1, 1).toordinal() + number)
        month = day.month if coarse == "month" else 1
        last = date.fromordinal(day.replace(day=1).toordinal() - 1)
        before = (day.year - 1, 1) if coarse == "year" else (last.year, last.month)
        for days in range(1, 366):
            for sent in ((day.year, month), before):
                assert of_event(day, sent, coarse, days) == (None, "unknown")


def test_no_period_that_leaves_begins_after_its_event() -> None:
    day = date(2024, 5, 1)
    event_ms = (day - date(1970, 1, 1)).days * DAY_MS
    for days in range(1, 366):
        for year in range(2015, 2027):
            for coarse in ("year", "month"):
                at_ms, _ = of_event(day, (year, 12), coarse, days)
                if at_ms is not None:
                    assert at_ms < event_ms - days * DAY_MS - 2 * PERIOD_MS[coarse]


def test_a_period_that_tells_an_age_over_89_does_not_leave() -> None:
    for key in keys().values():
        assert set(times(left_of("year", ms_of(1934), key=key))) == {(None, "unknown")}
        assert {coarse for _, coarse in times(left_of("year", ms_of(1940), key=key))} == {"year"}


def test_a_result_that_is_refused_keeps_its_period() -> None:
    key = next(iter(keys().values()))
    (one,) = left_of("year", ms_of(2000), key=key, value=13998765432.0).observations
    assert (one.kind, one.finding, one.at_precision) == ("empty", "identifying_number", "year")
    assert one.at_ms is not None
    assert period_of(one.at_ms, "year") == "1999"


def test_a_result_that_is_a_month_leaves_as_one_that_is_of_it() -> None:
    for days, key in keys().items():
        (one,) = left_of("month", ms_of(2010, 3), key=key).observations
        assert one.at_ms is not None
        assert shift_text("2010-03", days) == period_of(one.at_ms, "month")


@pytest.mark.parametrize("precision", ["year", "month", "day", "second"])
def test_an_event_of_a_year_or_month_alone_is_dated_by_its_receipt(precision: Precision) -> None:
    body = msgspec.structs.replace(a_body(), occurred_precision=precision)
    at_ms = body.received_at_ms if precision in {"year", "month"} else body.occurred_at_ms
    assert dated(body).occurred_at_ms == at_ms
    assert dated(body).occurred_precision not in {"year", "month"}
