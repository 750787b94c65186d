"""`auscult replay FILE...`: real files through the front door, each answer waited for."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer
from rich.console import Console
from rich.progress import track

from cli.accounting import settle
from cli.commands.reconcile import balance_table
from cli.message_files import message_type, messages_of
from cli.progress import console as progress
from cli.stack.settings import StackSettings
from cli.tally import NO_ANSWER, Tally
from plumbing.clock import SystemClock
from simulator.mllp_client import MllpSender, Outgoing, send_all


def replay_command(
    files: Annotated[list[Path], typer.Argument(help="HL7 v2: single, batch or MLLP-framed.")],
    rate: Annotated[
        float, typer.Option(min=0, help="Messages a second; 0 as fast as it goes.")
    ] = 0,
    to: Annotated[str, typer.Option(help="mllp://host:port; the local stack when left out.")] = "",
) -> None:
    """Send files over MLLP in the order given, one message at a time; show every answer.

    To the local stack it then waits until each accepted event is visible, and shows the balance.
    Exits 1 when a message was not answered or an event is unaccounted for.
    """
    settings = StackSettings()
    host, port = target(to, settings)
    tally = Tally()
    asyncio.run(_send(_outgoing(files, rate), host, port, tally))
    output = Console()
    output.print(tally.table())
    good = tally.of(NO_ANSWER) == 0
    if not to:
        found = asyncio.run(settle(settings.bootstrap, settings.redis_url))
        output.print(balance_table(found))
        good = good and found.balanced
    raise typer.Exit(0 if good else 1)


def target(to: str, settings: StackSettings) -> tuple[str, int]:
    """Return host and port of an ``mllp://`` address, the local stack's when it is empty."""
    if not to:
        return "127.0.0.1", settings.at(settings.mllp_port)
    parts = urlsplit(to)
    if parts.scheme != "mllp" or not parts.hostname or not parts.port:
        raise typer.BadParameter("expected mllp://host:port", param_hint="--to")
    return parts.hostname, parts.port


def _outgoing(files: Iterable[Path], rate: float) -> list[Outgoing]:
    found = [message for path in files for message in messages_of(path)]
    return [
        Outgoing(message, "replay", number / rate if rate else 0.0, message_type(message))
        for number, message in enumerate(found)
    ]


async def _send(outgoing: list[Outgoing], host: str, port: int, tally: Tally) -> None:
    shown = track(outgoing, "replay", console=progress, disable=not progress.is_terminal)

    async def stream() -> AsyncIterator[Outgoing]:
        for one in shown:
            yield one

    clock = SystemClock()
    await send_all(stream(), [MllpSender(host, port, clock)], clock, tally.add)
