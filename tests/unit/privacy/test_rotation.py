"""The sealing keys in time, also when the folder cannot be written for a while."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from plumbing.clock import ManualClock
from services.ingest.sealers import Sealers
from services.privacy import metrics
from services.privacy.key_files import make_day_keys
from services.privacy.rotation import Rotation

DAY_S = 86_400
NOON_MS = int(datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp() * 1000)
NOBODY = 65_534
PARTS = ("privacy/sealing", "sealing/public")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A keys folder that any user may reach (pytest's own are closed to others)."""
    made = Path(tempfile.mkdtemp(prefix="keys-"))
    made.chmod(0o755)
    for part in PARTS:
        (made / part).mkdir(parents=True)
    yield made
    shutil.rmtree(made)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Take the right to write away, for root too: it acts as nobody meanwhile."""
    paths = [folder, *folder.rglob("*")]
    root = os.geteuid() == 0
    for path in paths if root else ():
        os.chown(path, NOBODY, NOBODY)
    for part in PARTS:
        (folder / part).chmod(0o500)
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        for part in PARTS:
            (folder / part).chmod(0o700)


def days(folder: Path, pattern: str) -> list[str]:
    return sorted(path.stem for path in folder.rglob(pattern))


def failures() -> float:
    return float(metrics.ROTATION_FAILURES._value.get())


def reaches_until() -> float:
    return float(metrics.SEALING_KEYS_UNTIL._value.get())


def midnight(day: int) -> float:
    return datetime(2026, 3, day, tzinfo=UTC).timestamp()


async def test_a_folder_that_is_read_only_for_a_while_stops_nothing(folder: Path) -> None:
    clock = ManualClock(NOON_MS)
    rotation = Rotation(folder, 7, clock, os.urandom)
    assert rotation.turn()
    assert days(folder, "*.pub") == ["2026-03-01", "2026-03-02"]
    assert reaches_until() == midnight(3)
    keeping = asyncio.create_task(rotation.keep(every_s=0.01))
    await asyncio.sleep(0.05)
    before = failures()
    with read_only(folder):
        clock.advance(DAY_S)
        await asyncio.sleep(0.1)
    assert failures() >= before + 2  # it was tried again and again
    assert days(folder, "*.pub") == ["2026-03-01", "2026-03-02"]
    assert reaches_until() == midnight(3)  # and the alert sees it run out
    assert not keeping.done()
    await asyncio.sleep(0.1)
    assert days(folder, "*.pub") == ["2026-03-01", "2026-03-02", "2026-03-03"]
    assert days(folder, "*.key") == ["2026-03-01", "2026-03-02", "2026-03-03"]
    assert reaches_until() == midnight(4)
    keeping.cancel()


async def test_a_service_starts_where_only_the_sealing_folder_is_read_only(folder: Path) -> None:
    """What was sealed can still be opened, so it must."""
    with read_only(folder):
        assert not Rotation(folder, 7, ManualClock(NOON_MS), os.urandom).turn()
    assert reaches_until() == 0


def test_ingest_seals_with_what_privacy_makes_in_the_folder_they_share(folder: Path) -> None:
    clock = ManualClock(NOON_MS)
    rotation = Rotation(folder, 7, clock, os.urandom)
    sealers = Sealers(folder / "sealing" / "public", os.urandom)
    for day in range(1, 12):
        assert rotation.turn()
        assert sealers.current(clock.now_ms())[1] == f"2026-03-{day:02d}"
        clock.advance(DAY_S)
    assert days(folder, "*.key") == days(folder, "*.pub")
    assert days(folder, "*.key")[0] == "2026-03-03"  # 7 days and one, then destroyed


def test_keys_rotated_from_outside_are_watched_and_left_alone(folder: Path) -> None:
    clock = ManualClock(NOON_MS)
    Rotation(folder, 7, clock, os.urandom).turn()
    clock.advance(30 * DAY_S)
    with read_only(folder):
        assert Rotation(folder, 7, clock, os.urandom, makes_keys=False).turn()
    assert days(folder, "*.key") == ["2026-03-01", "2026-03-02"]
    assert reaches_until() == midnight(3)


def test_two_replicas_destroy_a_key_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = ManualClock(NOON_MS)
    first, second = (Rotation(folder, 7, clock, os.urandom) for _ in range(2))
    first.turn()
    clock.advance(30 * DAY_S)
    make_day_keys(folder, date(2026, 3, 29), 3, os.urandom)
    unlink = Path.unlink

    def overtaken(path: Path, *, missing_ok: bool = False) -> None:
        monkeypatch.undo()  # once
        assert second.turn()
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", overtaken)
    before = failures()
    assert first.turn()
    assert failures() == before
    assert days(folder, "*.key") == ["2026-03-29", "2026-03-30", "2026-03-31", "2026-04-01"]


def test_a_clock_that_is_wrong_for_a_moment_destroys_no_key(folder: Path) -> None:
    clock = ManualClock(NOON_MS)
    rotation = Rotation(folder, 7, clock, os.urandom)
    for _ in range(9):
        rotation.turn()
        clock.advance(DAY_S)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    clock.wall_ms += 30 * DAY_S * 1000  # NTP, a machine that was resumed
    for _ in range(3):
        assert rotation.turn()
        clock.advance(30)
    clock.wall_ms -= 30 * DAY_S * 1000
    assert {path: path.read_bytes() for path in before} == before
    assert rotation.turn()
    assert reaches_until() == midnight(12)  # not to what was made under the wrong clock
    assert days(folder, "*.key")[0] == "2026-03-02"  # and what is due goes


def test_after_an_outage_keys_that_are_due_go_on_the_third_day(folder: Path) -> None:
    clock = ManualClock(NOON_MS)
    rotation = Rotation(folder, 7, clock, os.urandom)
    rotation.turn()
    clock.advance(20 * DAY_S)
    for left in (4, 5, 4):
        rotation.turn()
        assert len(days(folder, "*.key")) == left
        clock.advance(DAY_S)
    assert days(folder, "*.key")[0] == "2026-03-21"
