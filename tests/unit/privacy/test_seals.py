"""What is sealed opens as long as the key of its day is there, and not for longer."""

import os
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from plumbing.clock import ManualClock
from plumbing.errors import MalformedEvent, Unavailable
from services.privacy.key_files import destroy_day_keys, make_day_keys, private_path
from services.privacy.seals import Seals
from tests.support.privacy import RETENTION_DAYS, TODAY, Ingest, make_keys
from tests.unit.privacy.builders import a_body

DAY_MS = 86_400_000


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return make_keys(tmp_path / "keys")


@pytest.mark.parametrize("days", [-400, -3, 0, 8, 30])
def test_a_key_that_is_there_opens_whatever_the_clock_says(keys: Path, days: int) -> None:
    event = Ingest(keys).seal(a_body(), "e1")
    now_ms = ManualClock().now_ms() + days * DAY_MS
    assert Seals(keys, RETENTION_DAYS).open(event, now_ms) == a_body()


def test_an_event_of_a_day_ahead_without_a_key_waits(keys: Path) -> None:
    event = Ingest(keys).seal(a_body(), "e1")
    private_path(keys, event.key_day).unlink()
    seals, now_ms = Seals(keys, RETENTION_DAYS), ManualClock().now_ms()
    for days in (1, 2, 3, 30):  # the clock is behind by so much
        with pytest.raises(Unavailable):
            seals.open(event, now_ms - days * DAY_MS)
    for path in (keys / "privacy" / "sealing").iterdir():
        path.unlink()  # the folder is not mounted
    with pytest.raises(Unavailable):
        seals.open(event, now_ms - 30 * DAY_MS)


def test_a_day_that_never_had_a_key_is_a_forgery(keys: Path) -> None:
    event = msgspec.structs.replace(Ingest(keys).seal(a_body(), "e1"), key_day="2999-01-01")
    with pytest.raises(MalformedEvent, match="seal_broken"):
        Seals(keys, RETENTION_DAYS).open(event, ManualClock().now_ms())


def test_a_data_key_goes_with_the_key_of_its_day(keys: Path) -> None:
    now_ms, after = ManualClock().now_ms(), RETENTION_DAYS + 2
    event, today = Ingest(keys).seal(a_body(), "e1"), TODAY + timedelta(days=after)
    seals = Seals(keys, RETENTION_DAYS)
    seals.open(event, now_ms)
    make_day_keys(keys, today - timedelta(days=2), 3, os.urandom)
    assert seals.open(event, now_ms + after * DAY_MS) == a_body()  # not destroyed yet
    assert TODAY.isoformat() in destroy_day_keys(keys, today, RETENTION_DAYS)
    with pytest.raises(MalformedEvent, match="key_expired"):
        seals.open(event, now_ms + after * DAY_MS)
    later = Ingest(keys, today).seal(a_body(), "e2")
    other = Seals(keys, RETENTION_DAYS)
    other._data_keys |= {("2023-11-01", b"w"): b"k"}
    assert other.open(later, now_ms + after * DAY_MS) == a_body()
    assert [day for day, _ in other._data_keys] == [today.isoformat()]
