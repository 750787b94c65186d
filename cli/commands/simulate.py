"""`auscult simulate`: synthetic but plausible traffic to an MLLP listener."""

import asyncio
import math
from itertools import islice
from typing import Annotated

import typer
from rich.console import Console

from cli.commands.replay import LISTENER_S, require_listener, target
from cli.live_day import LiveDay
from cli.stack.settings import StackSettings
from cli.tally import NO_ANSWER, Tally
from plumbing.clock import SystemClock
from simulator.day import HOUR_MS, hospital_day
from simulator.run import Target, plan_for, run_rate


def simulate_command(
    *,
    patients: Annotated[int, typer.Option(min=1, help="How many patients.")] = 40,
    rate: Annotated[float, typer.Option(min=0.01, help="Messages a second.")] = 10.0,
    duration: Annotated[float, typer.Option(min=0.1, help="Seconds.")] = 60.0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same patients.")] = 7,
    live: Annotated[
        bool, typer.Option("--live", help="History at once, then live at the clock's pace.")
    ] = False,
    speed: Annotated[
        float, typer.Option(min=1, help="Live bedsides report so many times every 30 minutes.")
    ] = 30.0,
    to: Annotated[str, typer.Option(help="mllp://host:port; the local stack when left out.")] = "",
    within: Annotated[
        float, typer.Option(min=0, help="Seconds in which somebody must listen there.")
    ] = LISTENER_S,
) -> None:
    """Send ADT, ORU, MDM and RDE messages of a hospital day (English and Chinese) at a flat rate.

    With `--live` it is a day at the clock's pace instead: twelve hours of history at once, then
    `--duration` seconds live; `--rate` does not apply. Exits 1 when a message was never answered.
    """
    place = Target(*target(to, StackSettings()))
    require_listener(place.host, place.port, within)
    tally = Tally()
    if live:
        day = LiveDay(patients=patients, duration_s=duration, speed=speed, seed=seed)
        asyncio.run(day.send(place, SystemClock(), tally))
    else:
        asyncio.run(_flat(place, patients, rate, duration, seed, tally))
    Console().print(tally.table())
    raise typer.Exit(0 if tally.of(NO_ANSWER) == 0 else 1)


async def _flat(
    place: Target, patients: int, rate: float, duration: float, seed: int, tally: Tally
) -> None:
    clock = SystemClock()
    messages = math.ceil(rate * duration)
    plan = plan_for(patients, messages, seed)
    start_ms = clock.now_ms() - round(plan.hours * HOUR_MS)
    day = islice(hospital_day(plan, start_ms), messages)
    await run_rate(place, day, clock, per_s=rate, on_answer=tally.add)
