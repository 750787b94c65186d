"""A service's process: told to stop, unable to start, crashed."""

import asyncio
import gc
import os
import signal
from collections.abc import Iterator

import pytest

from plumbing import garbage, service
from plumbing.settings import ServiceSettings
from plumbing.stream import EXIT_CRASHED, StreamCrashed

CANNOT_START: dict[type[Exception], str] = {FileNotFoundError: "{} is not there", OSError: "{}"}


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> ServiceSettings:
    monkeypatch.setattr("plumbing.log.configure", lambda *_: None)  # the logs of the other tests
    return ServiceSettings()


@pytest.fixture(autouse=True)
def _collector_as_before() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


def test_what_was_there_before_the_work_is_spared_by_the_collector(
    settings: ServiceSettings,
) -> None:
    spared: list[int] = []

    async def serve(_stop: asyncio.Event) -> None:
        spared.append(gc.get_freeze_count())
        assert gc.get_threshold()[0] == garbage.YOUNG_OBJECTS

    assert gc.get_freeze_count() == 0
    service.run_service("one", settings, serve, CANNOT_START)
    assert spared[0] > 10_000  # the modules


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_sets_the_event(settings: ServiceSettings, number: signal.Signals) -> None:
    stopped = []

    async def serve(stop: asyncio.Event) -> None:
        os.kill(os.getpid(), number)
        await asyncio.wait_for(stop.wait(), 5)
        stopped.append(number)

    service.run_service("one", settings, serve, CANNOT_START)
    assert stopped == [number]


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (FileNotFoundError("a.key"), "one cannot start: a.key is not there\n"),
        (PermissionError("not yours"), "one cannot start: not yours\n"),
    ],
)
def test_what_it_cannot_start_without_is_one_line(
    settings: ServiceSettings, capsys: pytest.CaptureFixture[str], error: OSError, line: str
) -> None:
    async def serve(_stop: asyncio.Event) -> None:
        raise error

    with pytest.raises(SystemExit) as ended:
        service.run_service("one", settings, serve, CANNOT_START)
    assert (ended.value.code, capsys.readouterr().err) == (1, line)


def test_a_crash_of_the_stream_has_its_own_exit_code_and_a_bug_none(
    settings: ServiceSettings,
) -> None:
    async def crash(_stop: asyncio.Event) -> None:
        raise StreamCrashed

    async def bug(_stop: asyncio.Event) -> None:
        raise KeyError("unforeseen")

    with pytest.raises(SystemExit) as ended:
        service.run_service("one", settings, crash, CANNOT_START)
    assert ended.value.code == EXIT_CRASHED
    with pytest.raises(KeyError):
        service.run_service("one", settings, bug, CANNOT_START)
