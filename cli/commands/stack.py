"""`auscult up`, `down`, `status` and `logs`: the stack on this machine."""

import subprocess
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live

from cli.stack.launch import the_stack
from cli.stack.process import StackError
from cli.stack.settings import StackSettings
from cli.stack.status import status_table

WATCH_S = 2.0


def up_command() -> None:
    """Start Kafka, Redis and the four services; harmless when they run."""
    settings = StackSettings()
    the_stack(settings, demo=False).up()
    print(f"up: {settings.page_url}  (MLLP on port {settings.at(settings.mllp_port)})")


def down_command() -> None:
    """Stop everything that `up` or `demo` started; state and logs stay."""
    stopped = the_stack(StackSettings(), demo=False).down()
    print("down" if stopped else "nothing was running")


def status_command(
    watch: Annotated[bool, typer.Option("--watch", help="Show it anew every 2 s.")] = False,
) -> None:
    """Show each process, how far each stage is behind, and how many events are visible.

    Exits 1 when something is not ready.
    """
    settings = StackSettings()
    console = Console()
    table, healthy = status_table(settings)
    if not watch:
        console.print(table)
        raise typer.Exit(0 if healthy else 1)
    with Live(table, console=console, auto_refresh=False) as live:
        while True:
            time.sleep(WATCH_S)
            live.update(status_table(settings)[0], refresh=True)


def logs_command(
    name: Annotated[str, typer.Argument(help="One process; all when left out.")] = "",
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on as lines come.")] = False,
    lines: Annotated[int, typer.Option("-n", help="How many lines of each.")] = 50,
) -> None:
    """Show the processes' logs."""
    folder = StackSettings().log_dir
    files = _log_files(folder, name)
    command = ["tail", "-n", str(lines), *(["-F"] if follow else []), *map(str, files)]
    raise typer.Exit(subprocess.run(command, check=False).returncode)


def _log_files(folder: Path, name: str) -> list[Path]:
    found = sorted(folder.glob("*.log"))
    if name:
        found = [path for path in found if path.stem == name]
    if not found:
        raise StackError(f"there is no log{f' of {name}' if name else ''} in {folder}")
    return found
