"""supervisord runs the processes: it starts them again, keeps their logs, stops them in order."""

import getpass
import hashlib
import io
import os
import shlex
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from collections.abc import Callable, Mapping, Sequence
from configparser import RawConfigParser
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from supervisor.xmlrpc import SupervisorTransport

from cli.stack.process import Process, StackError

SOCKET_PATH_MAX = 100  # a unix socket's address holds 108 bytes, some systems fewer
LOG_BYTES_MAX = 10_000_000
LOG_BACKUPS = 3
START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 90.0


@dataclass(frozen=True)
class Running:
    """A supervised process as supervisord sees it. ``state`` is supervisord's word (RUNNING..)."""

    name: str
    state: str
    pid: int
    uptime_s: int


class Supervisor:
    """supervisord with its files under ``root``, spoken to over a unix socket."""

    def __init__(self, root: Path, log_dir: Path) -> None:
        """Keep the places; nothing is started."""
        self._root, self._log_dir = root, log_dir
        self._conf = root / "supervisord.conf"
        self._socket = socket_path(root)
        self._pid_file = root / "supervisord.pid"

    def running(self) -> bool:
        """Return whether supervisord answers."""
        try:
            self._call("getState")
        except (OSError, xmlrpc.client.Error):
            return False
        return True

    def ensure(self, processes: Sequence[Process]) -> None:
        """Have supervisord know ``processes``; start none of them.

        One whose command or environment changed is stopped, to be started anew; one that it knows
        and is not among them goes on.
        """
        for folder in (self._root, self._log_dir):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        text = configuration(processes, self._root, self._log_dir, self._socket)
        self._conf.write_text(text)
        if self.running():
            self._update()
            return
        self._socket.unlink(missing_ok=True)
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(self._conf)]
        subprocess.run(command, check=True, capture_output=True)
        self._wait(self.running, START_TIMEOUT_S, "start")

    def start(self, name: str) -> None:
        """Start one process; harmless when it runs."""
        try:
            self._call("startProcess", name, False)
        except xmlrpc.client.Fault as fault:
            if "ALREADY_STARTED" not in fault.faultString:
                raise StackError(f"{name} could not be started: {fault.faultString}") from None

    def processes(self) -> tuple[Running, ...]:
        """Return every process, none when supervisord does not run."""
        try:
            found: list[dict[str, Any]] = self._call("getAllProcessInfo")
        except (OSError, xmlrpc.client.Error):
            return ()
        return tuple(
            Running(
                name=one["name"],
                state=one["statename"],
                pid=one["pid"],
                uptime_s=one["now"] - one["start"] if one["pid"] else 0,
            )
            for one in found
        )

    def state(self, name: str) -> str:
        """Return supervisord's word for the process, empty when it is not known."""
        return next((one.state for one in self.processes() if one.name == name), "")

    def pid(self, name: str) -> int:
        """Return the process id, 0 when it does not run."""
        return next((one.pid for one in self.processes() if one.name == name), 0)

    def shut_down(self) -> bool:
        """Stop all processes in order and supervisord itself; False when it did not run."""
        if not self.running():
            return False
        self._call("shutdown")
        # It removes its pid file last, after every process has ended.
        self._wait(lambda: not self._pid_file.exists(), STOP_TIMEOUT_S, "stop")
        return True

    def _update(self) -> None:
        added, changed, _ = self._call("reloadConfig")[0]
        for name in changed:
            self._call("stopProcessGroup", name)
            self._call("removeProcessGroup", name)
        for name in [*changed, *added]:
            self._call("addProcessGroup", name)

    def _wait(self, done: Callable[[], bool], timeout_s: float, word: str) -> None:
        deadline = time.monotonic() + timeout_s
        while not done():
            if time.monotonic() > deadline:
                raise StackError(f"the process runner did not {word}: see {self._log_dir}")
            time.sleep(0.05)

    def _call(self, method: str, *arguments: object) -> Any:
        transport = SupervisorTransport(None, None, f"unix://{self._socket}")
        with xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport) as proxy:
            return getattr(proxy.supervisor, method)(*arguments)


def socket_path(root: Path) -> Path:
    """Return where supervisord listens: in ``root``, or where a long path still fits."""
    inside = root / "supervisord.sock"
    if len(str(inside)) <= SOCKET_PATH_MAX:
        return inside
    short = hashlib.sha256(str(root).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"auscult-{os.getuid()}-{short}.sock"


def configuration(processes: Sequence[Process], root: Path, log_dir: Path, socket: Path) -> str:
    """Return supervisord's configuration file."""
    parser = RawConfigParser()
    parser.optionxform = str  # type: ignore[method-assign, assignment]  # environment is upper case
    parser["unix_http_server"] = {"file": str(socket), "chmod": "0700"}
    parser["supervisord"] = {
        "logfile": str(log_dir / "supervisord.log"),
        "logfile_maxbytes": str(LOG_BYTES_MAX),
        "logfile_backups": "1",
        "pidfile": str(root / "supervisord.pid"),
        "directory": str(root),
        "umask": "077",
        "user": getpass.getuser() if os.getuid() == 0 else "",
    }
    if not parser["supervisord"]["user"]:
        del parser["supervisord"]["user"]  # only root must say whom it runs as
    parser["rpcinterface:supervisor"] = {
        "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
    }
    for process in processes:
        parser[f"program:{process.name}"] = _program(process, log_dir)
    written = io.StringIO()
    parser.write(written)
    return written.getvalue()


def _program(process: Process, log_dir: Path) -> dict[str, str]:
    return {
        "command": shlex.join(process.command).replace("%", "%%"),
        "environment": _environment(process.environment),
        "priority": str(process.stop_rank),
        "autostart": "false",
        "autorestart": "false" if process.once else "true",
        "startsecs": "1",
        "startretries": "20",
        "stopasgroup": "true",
        "killasgroup": "true",
        "stopwaitsecs": str(process.stop_wait_s),
        "redirect_stderr": "true",
        "stdout_logfile": str(log_dir / f"{process.name}.log"),
        "stdout_logfile_maxbytes": str(LOG_BYTES_MAX),
        "stdout_logfile_backups": str(LOG_BACKUPS),
    }


def _environment(variables: Mapping[str, str]) -> str:
    return ",".join(f"{name}={_quoted(value)}" for name, value in variables.items())


def _quoted(value: str) -> str:
    sign = "'" if '"' in value else '"'  # JSON holds the one; supervisor knows no escape
    return f"{sign}{value.replace('%', '%%')}{sign}"
