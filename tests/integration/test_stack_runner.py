"""The process runner with real brokers: up, up again, a crash, a killed runner, down, no orphan."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli.stack.orphans import end_orphans, orphans
from cli.stack.process import Process, StackError, check_ports
from cli.stack.processes import stack_processes
from cli.stack.provision import apply_topics, ensure_keys, prepare_folders
from cli.stack.settings import StackSettings
from cli.stack.supervision import Supervisor
from tests.support.running_stack import settings_at

PATIENCE_S = 60.0


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[StackSettings]:
    found = settings_at(tmp_path / "home")
    prepare_folders(found)
    yield found
    Supervisor(found.root, found.log_dir).shut_down()
    assert end_orphans(found.root) == 0


@pytest.fixture
def brokers(settings: StackSettings) -> list[Process]:
    found = [p for p in stack_processes(settings, demo=False) if p.name in {"kafka", "redis"}]
    supervisor = Supervisor(settings.root, settings.log_dir)
    supervisor.ensure(found)
    for process in found:
        supervisor.start(process.name)
    wait_for(lambda: all(process.ready() for process in found))
    return found


def test_up_twice_a_crash_and_down(settings: StackSettings, brokers: list[Process]) -> None:
    supervisor = Supervisor(settings.root, settings.log_dir)
    apply_topics(settings)
    with pytest.raises(StackError, match="is gone, and what"):
        ensure_keys(settings)  # what is stored was sealed with keys that are not here
    apply_topics(settings)
    pids = {one.name: one.pid for one in supervisor.processes()}

    supervisor.ensure(brokers)
    for process in brokers:
        supervisor.start(process.name)
    assert {one.name: one.pid for one in supervisor.processes()} == pids

    with pytest.raises(StackError, match=r"port \d+ for redis is taken"):
        check_ports(brokers[1])

    os.kill(pids["redis"], signal.SIGKILL)
    wait_for(lambda: supervisor.pid("redis") not in {0, pids["redis"]} and brokers[1].ready())

    assert len(orphans(settings.root)) >= 2
    assert supervisor.shut_down()
    assert orphans(settings.root) == ()
    assert supervisor.processes() == ()
    assert not supervisor.shut_down()
    for process in brokers:
        check_ports(process)


def test_what_a_killed_runner_leaves_behind_is_found(
    settings: StackSettings, brokers: list[Process]
) -> None:
    runner = int((settings.root / "supervisord.pid").read_text())
    os.kill(runner, signal.SIGKILL)
    wait_for(lambda: not Supervisor(settings.root, settings.log_dir).running())
    assert len(orphans(settings.root)) >= len(brokers)
    assert end_orphans(settings.root) >= len(brokers)
    assert orphans(settings.root) == ()
