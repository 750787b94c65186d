"""`auscult replay FILE...`: real files through the front door, each answer waited for."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Annotated, NamedTuple
from urllib.parse import urlsplit

import typer
from rich.console import Console
from rich.progress import track

from cli.accounting import settle
from cli.commands.reconcile import balance_table
from cli.message_files import FHIR_KIND, message_type, messages_of
from cli.progress import console as progress
from cli.stack.process import StackError
from cli.stack.settings import StackSettings
from cli.tally import NO_ANSWER, Tally
from plumbing.clock import Clock, SystemClock
from simulator.fhir_client import FhirSender
from simulator.mllp_client import Answered, MllpSender, Outgoing, send_all

LISTENER_S = 2.0
PORTS = {"http": 80, "https": 443}


def replay_command(
    files: Annotated[
        list[Path], typer.Argument(help="HL7 v2 (single, batch, MLLP-framed) or FHIR JSON.")
    ],
    rate: Annotated[
        float, typer.Option(min=0, help="Messages a second; 0 as fast as it goes.")
    ] = 0,
    to: Annotated[
        str,
        typer.Option(
            help="mllp://host:port, for FHIR http://host:port; the local stack when left out."
        ),
    ] = "",
) -> None:
    """Send files in the order given, one message at a time; show every answer.

    HL7 v2 goes over MLLP, FHIR to ``POST /fhir``.

    To the local stack it then waits until each accepted event is visible, and shows the balance.
    Exits 1 when a message was not answered or an event is unaccounted for.
    """
    settings = StackSettings()
    doors = doors_of(to, settings)
    outgoing = _outgoing(files, rate)
    for is_to_fhir, address in ((True, doors.fhir_url), (False, doors.mllp)):
        if not address and any((one.kind == FHIR_KIND) == is_to_fhir for one in outgoing):
            raise typer.BadParameter("HL7 v2 goes to mllp://, FHIR to http://", param_hint="--to")
    if doors.mllp and any(one.kind != FHIR_KIND for one in outgoing):
        require_listener(*doors.mllp)
    if doors.fhir_url and any(one.kind == FHIR_KIND for one in outgoing):
        require_listener(*_host_and_port(doors.fhir_url))
    tally = Tally()
    asyncio.run(_send(outgoing, doors, tally))
    output = Console()
    output.print(tally.table())
    good = tally.of(NO_ANSWER) == 0
    if not to:
        found = asyncio.run(settle(settings.bootstrap, settings.redis_url))
        output.print(balance_table(found))
        good = good and found.balanced
    raise typer.Exit(0 if good else 1)


class Doors(NamedTuple):
    """Where messages go: host and port of MLLP, address of HTTP; None or "" where there is none."""

    mllp: tuple[str, int] | None
    fhir_url: str


def target(to: str, settings: StackSettings) -> tuple[str, int]:
    """Return host and port of an ``mllp://`` address, the local stack's when it is empty."""
    if not to:
        return "127.0.0.1", settings.at(settings.mllp_port)
    if urlsplit(to).scheme != "mllp":
        raise typer.BadParameter("expected mllp://host:port", param_hint="--to")
    return _host_and_port(to)


def _host_and_port(address: str) -> tuple[str, int]:
    parts = urlsplit(address)
    try:
        port = parts.port or PORTS.get(parts.scheme)
    except ValueError:  # not a number, or no port's number
        port = None
    if not parts.hostname or not port:
        raise typer.BadParameter(f"expected {parts.scheme}://host:port", param_hint="--to")
    return parts.hostname, port


def require_listener(host: str, port: int, within_s: float = LISTENER_S) -> None:
    """Raise ``StackError`` when nobody takes connections there within ``within_s`` seconds."""
    deadline_s = time.monotonic() + within_s
    while True:
        try:
            socket.create_connection((host, port), timeout=LISTENER_S).close()
        except OSError as error:
            if time.monotonic() > deadline_s:
                raise StackError(f"nobody takes messages at {host}:{port}: is it up?") from error
            time.sleep(0.1)
        else:
            return


def doors_of(to: str, settings: StackSettings) -> Doors:
    """Return the doors at an ``mllp://`` or ``http(s)://`` address; both of the local stack when it
    is empty.
    """
    if urlsplit(to).scheme in {"http", "https"}:
        return Doors(None, to)
    return Doors(target(to, settings), "" if to else settings.ingest_url)


class FrontDoor:
    """Hands each message to the door it belongs to, so that all keep the order given."""

    def __init__(self, doors: Doors, clock: Clock) -> None:
        """Open nothing yet."""
        self._mllp = MllpSender(*doors.mllp, clock) if doors.mllp else None
        self._fhir = FhirSender(doors.fhir_url, clock) if doors.fhir_url else None

    async def send(self, outgoing: Outgoing) -> Answered:
        """Return the final answer to one message."""
        sender = self._fhir if outgoing.kind == FHIR_KIND else self._mllp
        if sender is None:
            raise ValueError("no door for this kind of message")
        return await sender.send(outgoing)

    async def close(self) -> None:
        """Close both doors."""
        for sender in (self._mllp, self._fhir):
            if sender is not None:
                await sender.close()


def _outgoing(files: Iterable[Path], rate: float) -> list[Outgoing]:
    found = [message for path in files for message in messages_of(path)]
    return [
        Outgoing(message, "replay", number / rate if rate else 0.0, message_type(message))
        for number, message in enumerate(found)
    ]


async def _send(outgoing: list[Outgoing], doors: Doors, tally: Tally) -> None:
    shown = track(outgoing, "replay", console=progress, disable=not progress.is_terminal)

    async def stream() -> AsyncIterator[Outgoing]:
        for one in shown:
            yield one

    clock = SystemClock()
    await send_all(stream(), [FrontDoor(doors, clock)], clock, tally.add)
