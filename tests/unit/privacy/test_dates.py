"""Times as values: moved in every form that HL7 and FHIR have; a part of a date tells no shift."""

from datetime import UTC, date, datetime, timedelta

import pytest

from services.ingest.times import clock_of
from services.privacy.dates import passing, shift_text
from tests.support.fhir import bundle, parsed
from tests.unit.privacy.bad_inputs import EN_PID, left_of, message, sent
from tests.unit.privacy.builders import KEY
from tests.unit.privacy.test_bad_inputs_fhir import PATIENT, observation

DAY = date(2024, 3, 5) - timedelta(KEY.shift_days)
PLAIN, DASHED = f"{DAY:%Y%m%d}", f"{DAY:%Y-%m-%d}"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("TM", "1230", "12:30"),
        ("TM", "123000", "12:30:00"),
        ("TM", "123000.1234+0800", "12:30:00.1234+08:00"),
        ("TM", "12:30", "12:30"),
        ("TS", "2024030512", f"{PLAIN}12"),
        ("TS", "20240305123000.123456+0800", f"{PLAIN}123000.123456+0800"),
        ("DTM", "202403051230-0500", f"{PLAIN}1230-0500"),
        ("DT", "20240305", PLAIN),
    ],
)
def test_a_time_in_any_form_of_hl7_stays(kind: str, value: str, text: str) -> None:
    (event,) = sent(message((kind, value))).events
    assert (event.observations[0].text, event.observations[0].finding) == (text, "")


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("valueDateTime", "2024-03-05T12:00:00.123456+08:00", f"{DASHED}T12:00:00.123456+08:00"),
        ("valueDateTime", "2024-03-05", DASHED),
        ("valueTime", "12:30:00.5", "12:30:00.5"),
    ],
)
def test_a_time_in_any_form_of_fhir_stays(field: str, value: str, text: str) -> None:
    one = {k: v for k, v in observation(**{field: value}).items() if k != "valueQuantity"}
    (event,) = left_of(parsed(bundle(PATIENT, one))).events
    assert (event.observations[0].text, event.observations[0].finding) == (text, "")


@pytest.mark.parametrize(
    ("kind", "value"),
    [("TM", "2530"), ("TM", "12"), ("TS", "2024030525"), ("TS", "yesterday"), ("DT", "20241340")],
)
def test_what_is_no_time_is_dropped_and_said(kind: str, value: str) -> None:
    (event,) = sent(message((kind, value))).events
    assert (event.observations[0].text, event.observations[0].finding) == ("", "time_dropped")


def test_a_part_of_a_date_is_moved_by_whole_years_or_months() -> None:
    assert shift_text("201903", 40) == "201901"
    assert shift_text("2019-03", 40) == "2019-01"
    assert shift_text("2019", 1) == shift_text("2019", 365) == "2018"
    left = sent(message(("DT", "2009"), ("DT", "201903")))
    first, second = (one.text for one in left.events[0].observations)
    assert (first, second) == ("2008", shift_text("201903", KEY.shift_days))


@pytest.mark.parametrize("value", ["1930", "193003", "1935"])
def test_a_part_of_a_date_tells_no_age_over_89(value: str) -> None:
    pid = EN_PID.replace("19500307", "19300307")
    occurred = message(("DT", value), pid=pid).replace("20240305", "20260305")
    (event,) = sent(occurred).events
    assert (event.observations[0].text, event.observations[0].finding) == ("", "time_dropped")


def shown(said: str, day: date, shift_days: int) -> str:
    """Return what is shown of a part of a date in an event on ``day``."""
    at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC) - timedelta(shift_days)
    return passing(shift_text(said, shift_days), round((at - EPOCH).total_seconds() * 1000))


@pytest.mark.parametrize("form", ["%Y", "%Y%m", "%Y-%m"])
def test_the_year_or_month_of_the_event_itself_never_shows_how_far_it_was_moved(form: str) -> None:
    """Were it shown, the day on which it changes would be the first of a month."""
    days = [date(2024, 1, 1) + timedelta(number) for number in range(0, 366, 5)]
    for shift_days in (1, 30, 116, 200, 365):
        assert {shown(f"{day:{form}}", day, shift_days) for day in days} == {""}


def test_what_is_shown_of_a_year_is_known_without_the_shift() -> None:
    moved_day = date(2023, 1, 10)
    for said in ("2019", "2021", "2022", "2023"):
        told = {shown(said, moved_day + timedelta(days), days) for days in range(1, 366)}
        assert len(told) == 1


@pytest.mark.parametrize(
    ("raw", "text"),
    [("0905", "09:05"), ("2400", "2400"), ("12", "12"), ("12:30", "12:30"), ("noon", "noon")],
)
def test_a_time_of_day_gets_colons(raw: str, text: str) -> None:
    assert clock_of(raw) == text
