"""`auscult demo`: the whole stack, a simulated hospital day through the real path, the page."""

import asyncio
import json
import math
import time
from dataclasses import dataclass, replace
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bench.pipeline import Gateway, quantile
from cli.accounting import Reconciliation, settle
from cli.commands.reconcile import balance_table
from cli.live_day import LiveDay
from cli.progress import step
from cli.stack.launch import the_stack
from cli.stack.process import StackError
from cli.stack.processes import kafka_node
from cli.stack.settings import StackSettings
from cli.tally import NO_ANSWER, Tally
from contracts.assessed import ASSESSED
from plumbing.clock import SystemClock
from plumbing.errors import Unavailable
from services.gateway.read_model import ReadModel
from simulator.run import Target

FIRST_RESULT_S = 60.0
ONCE_S = 60.0
POLL_S = 0.05


@dataclass(frozen=True)
class Outcome:
    """A bounded day: what was answered, the balance and the latencies before and after."""

    tally: Tally
    before: Reconciliation
    after: Reconciliation
    latency_before: dict[float, float]
    latency_after: dict[float, float]

    @property
    def stored(self) -> int:
        """Return how many distinct events ingest stored during the day."""
        return self.after.accepted - self.before.accepted

    @property
    def good(self) -> bool:
        """Return whether every acknowledged message is stored, and each stored one accounted."""
        answered = self.tally.of(NO_ANSWER) == 0
        return answered and self.stored == len(self.tally.accepted) and self.after.balanced


def demo_command(
    once: Annotated[
        bool, typer.Option("--once", help="One bounded day, a summary, an exit code.")
    ] = False,
    seed: Annotated[int, typer.Option(help="The same seed gives the same patients.")] = 7,
    speed: Annotated[
        float, typer.Option(min=1, help="Live bedsides report so many times every 30 minutes.")
    ] = 30.0,
    duration: Annotated[
        float, typer.Option(min=0, help="Live seconds; 0: an hour, with --once a minute.")
    ] = 0.0,
    patients: Annotated[int, typer.Option(min=1, help="How many patients.")] = 40,
) -> None:
    """Start everything and a simulated hospital day; print the page's address and demo logins.

    The day goes on in the background until `auscult down`. With `--once` it is awaited and counted:
    exit 0 only when every accepted event is visible exactly once.
    """
    began = time.monotonic()
    settings = StackSettings()
    day = LiveDay(patients=patients, speed=speed, seed=seed, duration_s=duration or 3600.0)
    if once:
        stack = the_stack(settings, demo=True)
        if stack.supervisor.pid("simulator"):
            raise StackError("a demo's day goes on in the background: `auscult down` first")
        stack.up()
        _once(settings, replace(day, duration_s=duration or ONCE_S), began)
        return
    is_new = not kafka_node(settings).data.exists()
    stack = the_stack(settings, demo=True, day=day)
    stack.up()
    with step("first result"):
        asyncio.run(_first_visible(settings, 0))
    if is_new:  # else what an earlier day left may be seen first
        print(f"first visible result after {time.monotonic() - began:.1f} s")
    _welcome(settings)


def _once(settings: StackSettings, day: LiveDay, began: float) -> None:
    tally = Tally()
    outcome, first_s = asyncio.run(_run_once(settings, day, tally, began))
    output = Console()
    output.print(tally.table())
    output.print(balance_table(outcome.after))
    output.print(_summary(outcome, first_s))
    _welcome(settings)
    raise typer.Exit(0 if outcome.good else 1)


async def _run_once(
    settings: StackSettings, day: LiveDay, tally: Tally, began: float
) -> tuple[Outcome, float]:
    places = (settings.bootstrap, settings.redis_url)
    before = await settle(*places)
    latency_before = _latencies(settings)
    with step("hospital day"):
        first = asyncio.create_task(_first_visible(settings, before.visible))
        target = Target("127.0.0.1", settings.at(settings.mllp_port))
        sending = asyncio.create_task(day.send(target, SystemClock(), tally))
        await first
        first_s = time.monotonic() - began
        await sending
    with step("all visible"):
        after = await settle(*places)
    return Outcome(tally, before, after, latency_before, _latencies(settings)), first_s


def _summary(outcome: Outcome, first_s: float) -> Table:
    table = Table("day", "", title="Simulated day")
    tally = outcome.tally
    table.add_row("sent", str(tally.sent))
    table.add_row("accepted (AA), distinct", str(len(tally.accepted)))
    table.add_row("refused", str(tally.refused))
    table.add_row("not answered", str(tally.of(NO_ANSWER)))
    table.add_row("resends", str(tally.resent))
    table.add_row("stored, distinct", str(outcome.stored))
    for q in (0.5, 0.99):
        found = quantile(outcome.latency_before, outcome.latency_after, q)
        table.add_row(
            f"receipt to visible, p{q * 100:.0f}", "?" if math.isnan(found) else f"{found:.2f} s"
        )
    table.add_row("first visible result after", f"{first_s:.1f} s")
    table.add_row("verdict", "[green]balanced[/]" if outcome.good else "[red]NOT balanced[/]")
    return table


async def _first_visible(settings: StackSettings, known: int) -> None:
    """Return when the gateway shows more than ``known`` events."""
    read_model = ReadModel.at(settings.redis_url)
    deadline = time.monotonic() + FIRST_RESULT_S
    try:
        while (await _visible(read_model)) <= known:
            if time.monotonic() > deadline:
                raise StackError("no result became visible in a minute: see `auscult status`")
            await asyncio.sleep(POLL_S)
    finally:
        await read_model.close()


async def _visible(read_model: ReadModel) -> int:
    try:
        return (await read_model.counts(ASSESSED.partitions))[0]
    except Unavailable:
        return 0


def _latencies(settings: StackSettings) -> dict[float, float]:
    port = settings.at(settings.gateway_metrics_port)
    return Gateway(f"http://127.0.0.1:{port}/metrics").read()[1]


def _welcome(settings: StackSettings) -> None:
    users = settings.root / "issuer" / "users.json"
    if users.exists():
        table = Table("login", "password", "role", title="Demo logins (this machine only)")
        for user in json.loads(users.read_text(encoding="utf-8")):
            table.add_row(user["login"], user["password"], ", ".join(user["roles"]))
        Console().print(table)
    print(f"page: {settings.page_url}")
