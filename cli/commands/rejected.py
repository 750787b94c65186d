"""`auscult rejected list | show | replay | release`: what was refused; privacy opens and audits."""

import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from cli.commands.set_aside import release_command
from cli.listeners import Listeners
from cli.message_files import message_type
from cli.privacy_api import PrivacyApi
from cli.stack.settings import StackSettings
from contracts.refused import (
    RefusedList,
    RefusedMessage,
    RefusedPlace,
    RefusedQuery,
    RefusedReplay,
)
from plumbing.clock import SystemClock
from simulator.mllp_client import NOT_ASKED, Outgoing

app = typer.Typer(help="What was refused: list, show, replay, release.", no_args_is_help=True)
app.command("release")(release_command)

DAY_MS = 86_400_000
OPERATOR = "operator.token"
ROLE = "sre"

Since = Annotated[str, typer.Option(help="From when (ISO 8601); default: seven days ago.")]
Until = Annotated[str, typer.Option(help="Up to when (ISO 8601); default: now.")]
Code = Annotated[list[str] | None, typer.Option(help="Only this reason code; may be repeated.")]
Viewer = Annotated[str, typer.Option(help="Your staff number, for the audit log.")]
Privacy = Annotated[str, typer.Option(help="Address of privacy; default: the local stack's.")]
Token = Annotated[
    Path | None, typer.Option(help="File with the operators' secret; default: `operator.token`.")
]
AsRole = Annotated[str, typer.Option("--role", help="Your role: sre or privacy-officer.")]
Place = Annotated[str, typer.Argument(help="PARTITION:OFFSET, as `list` shows them.")]


class Asking(PrivacyApi):
    """Asks privacy about refused records on behalf of one viewer."""

    def __init__(self, viewer: str, privacy: str, token: Path | None, role: str = ROLE) -> None:
        """Read the token."""
        super().__init__(viewer, privacy, token, OPERATOR, under="rejected/")
        self._role = role

    def listed(self, since: str, until: str, codes: Sequence[str]) -> RefusedList:
        """Return what was refused in that time with one of these codes."""
        query = RefusedQuery(
            viewer=self.viewer,
            purpose="HOPERAT",
            since_ms=_moment_ms(since, timedelta(days=-7)),
            until_ms=_moment_ms(until, timedelta(seconds=1)),
            codes=tuple(codes),
            role=self._role,
        )
        return self.ask("list", query, RefusedList)

    def place(self, partition: int, offset: int) -> RefusedPlace:
        """Return the question about one record."""
        return RefusedPlace(
            viewer=self.viewer,
            purpose="HOPERAT",
            partition=partition,
            offset=offset,
            role=self._role,
        )


@app.command("list")
def list_command(  # noqa: PLR0917  # Typer calls it by name
    since: Since = "",
    until: Until = "",
    code: Code = None,
    viewer: Viewer = "",
    privacy: Privacy = "",
    token: Token = None,
    role: AsRole = ROLE,
) -> None:
    """One JSON line for each refused record: where, when, why, by which stage, which source."""
    found = Asking(viewer, privacy, token, role).listed(since, until, code or ())
    for entry in found.entries:
        _line(msgspec.structs.asdict(entry))
    if found.more:
        sys.stderr.write("there are more: narrow the time or the code\n")


@app.command("show")
def show_command(
    place: Place,
    viewer: Viewer = "",
    privacy: Privacy = "",
    token: Token = None,
    role: AsRole = ROLE,
) -> None:
    """Open one: its reasons as a JSON line on stderr, the message as it came on stdout."""
    asking = Asking(viewer, privacy, token, role)
    found = asking.ask("show", asking.place(*_place(place)), RefusedMessage)
    told = msgspec.structs.asdict(found) | {"raw": len(found.raw)}
    sys.stderr.write(msgspec.json.encode(told).decode() + "\n")
    sys.stdout.buffer.write(found.raw)
    sys.stdout.flush()


@app.command("replay")
def replay_command(  # noqa: PLR0917  # Typer calls it by name
    places: Annotated[list[str] | None, typer.Argument(help="PARTITION:OFFSET ..")] = None,
    since: Since = "",
    until: Until = "",
    code: Code = None,
    viewer: Viewer = "",
    privacy: Privacy = "",
    token: Token = None,
    role: AsRole = ROLE,
    to: Annotated[str, typer.Option(help="mllp://host:port; default: the local stack.")] = "",
) -> None:
    """Have refused records taken again: those named, or all of a time and code.

    One JSON line each. What ingest refused goes through the door it came by (`ack` is its answer),
    where the `INGEST_DOORS` set here names it, or --to; else through the default one, with a
    warning. What privacy refused goes back to the stream. Exits 1 when something was not accepted.
    """
    asking = Asking(viewer, privacy, token, role)
    if places:
        chosen = [_place(one) for one in places]
    elif since or code:
        found = asking.listed(since, until, code or ())
        chosen = [(entry.partition, entry.offset) for entry in found.entries]
    else:
        raise typer.BadParameter("name records, or give --since or --code")
    if not asyncio.run(_replay(asking, chosen, Listeners(to, StackSettings(), SystemClock()))):
        raise typer.Exit(1)


async def _replay(asking: Asking, chosen: Sequence[tuple[int, int]], listeners: Listeners) -> bool:
    good = True
    for partition, offset in chosen:
        found = asking.ask("replay", asking.place(partition, offset), RefusedReplay)
        line: dict[str, Any] = {"partition": partition, "offset": offset, "to": found.to}
        if found.to == "front_door":
            again = Outgoing(found.raw, "replay", 0.0, message_type(found.raw))
            answered = await listeners.of(found.source).send(again)
            line["ack"] = answered.code
            good = good and answered.code in {"AA", "CA", NOT_ASKED}
        _line(line)
    await listeners.close()
    return good


def _line(said: dict[str, Any]) -> None:
    sys.stdout.write(msgspec.json.encode(said).decode() + "\n")


def _place(said: str) -> tuple[int, int]:
    partition, _, offset = said.partition(":")
    try:
        return int(partition), int(offset)
    except ValueError as error:
        raise typer.BadParameter(f"{said} is not PARTITION:OFFSET") from error


def _moment_ms(said: str, default: timedelta) -> int:
    if not said:
        return SystemClock().now_ms() + int(default.total_seconds() * 1000)
    try:
        moment = datetime.fromisoformat(said)
    except ValueError as error:
        raise typer.BadParameter(f"{said} is not a time (ISO 8601)") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1000)
