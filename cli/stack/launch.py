"""Bringing the stack up in order, step by step, and down again."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.live_day import LiveDay
from cli.progress import step
from cli.stack import orphans
from cli.stack.process import Process, StackError, check_ports
from cli.stack.processes import stack_processes
from cli.stack.provision import (
    apply_topics,
    ensure_keys,
    prepare_folders,
    promote_shipped_models,
)
from cli.stack.settings import StackSettings
from cli.stack.supervision import Supervisor

POLL_S = 0.1
STARTS_MAX = 4
# What waits for nobody; the services wait for the topics.
FIRST = ("kafka", "redis", "issuer")


@dataclass(frozen=True)
class Stack:
    """The processes of one stack, and their runner."""

    settings: StackSettings
    processes: tuple[Process, ...]
    supervisor: Supervisor

    def up(self) -> None:
        """Bring everything up and wait until all of it is ready. Harmless when it is up.

        Raises ``StackError`` with one clear line when something cannot start.
        """
        self._prepare()
        first = [one for one in self.processes if one.name in FIRST]
        services = [one for one in self.processes if one.name not in FIRST]
        self._start(first)
        with step("topics"):
            apply_topics(self.settings)
        with step("models"):
            promote_shipped_models(self.settings)
        self._start(services)

    def down(self) -> bool:
        """Stop everything; return whether anything ran."""
        stopped = self.supervisor.shut_down()
        return orphans.end_orphans(self.settings.root) > 0 or stopped

    def _prepare(self) -> None:
        with step("folders and keys"):
            prepare_folders(self.settings)
            ensure_keys(self.settings)
        with step("process runner"):
            if not self.supervisor.running():
                orphans.end_orphans(self.settings.root)
            alive = {one.name for one in self.supervisor.processes() if one.pid}
            for process in self.processes:
                if process.name not in alive:
                    check_ports(process)
            self.supervisor.ensure(self.processes)

    def _start(self, processes: Sequence[Process]) -> None:
        for process in processes:
            self.supervisor.start(process.name)
        for process in processes:
            with step(process.name):
                self._wait_ready(process)

    def _wait_ready(self, process: Process) -> None:
        deadline = time.monotonic() + self.settings.ready_timeout_s
        seen: set[int] = set()
        while not process.ready():
            log = self.settings.log_dir / f"{process.name}.log"
            seen.add(self.supervisor.pid(process.name))
            if len(seen - {0}) >= STARTS_MAX:
                raise StackError(
                    f"{process.name} keeps ending as soon as it starts: "
                    f"{_last_line(log)} (more in {log})"
                )
            if time.monotonic() > deadline:
                raise StackError(f"{process.name} did not become ready in time: see {log}")
            time.sleep(POLL_S)


def _last_line(log: Path) -> str:
    """Return the last line of a log: what a process said before it ended."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")


def the_stack(settings: StackSettings, *, demo: bool, day: LiveDay | None = None) -> Stack:
    """Return the stack as ``settings`` say, started or not. A running demo stays one."""
    supervisor = Supervisor(settings.root, settings.log_dir)
    return Stack(
        settings=settings,
        processes=stack_processes(settings, demo=demo or supervisor.state("issuer") != "", day=day),
        supervisor=supervisor,
    )
