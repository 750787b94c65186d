"""Processes of a stack whose runner was killed: found by the mark in their environment (Linux)."""

import os
import signal
import time
from pathlib import Path

MARK = "AUSCULT_STACK"
PATIENCE_S = 10.0
PROCESSES = Path("/proc")


def end_orphans(root: Path) -> int:
    """End the processes that carry ``root``'s mark; return how many there were."""
    found = orphans(root)
    for pid in found:
        _signal(pid, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE_S
    while found and time.monotonic() < deadline and orphans(root):
        time.sleep(0.1)
    for pid in orphans(root):
        _signal(pid, signal.SIGKILL)
    return len(found)


def orphans(root: Path) -> tuple[int, ...]:
    """Return the process ids that carry ``root``'s mark; none where there is no /proc."""
    mark = f"{MARK}={root}".encode()
    return tuple(
        int(folder.name) for folder in PROCESSES.glob("[0-9]*") if mark in _environment(folder)
    )


def _environment(folder: Path) -> list[bytes]:
    try:
        return (folder / "environ").read_bytes().split(b"\0")
    except OSError:  # it ended meanwhile, or is another user's
        return []


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
