"""The demo's hospital day: twelve hours of history at once, then live at the clock's pace."""

from dataclasses import dataclass

from cli.tally import Tally
from plumbing.clock import Clock
from simulator.day import DayPlan
from simulator.run import Target, run_day

HISTORY_H = 12.0
HISTORY_VITALS_EVERY_MIN = 30.0


@dataclass(frozen=True)
class LiveDay:
    """A day whose last ``duration_s`` are live.

    ``speed``: how many times more often than every 30 minutes a live bedside reports.
    """

    patients: int = 40
    duration_s: float = 3600.0
    speed: float = 30.0
    seed: int = 7

    async def send(self, target: Target, clock: Clock, tally: Tally) -> None:
        """Send it; return when the last message is answered."""
        live_h = self.duration_s / 3600
        plan = DayPlan(
            patients=self.patients,
            hours=HISTORY_H + live_h,
            vitals_every_min=HISTORY_VITALS_EVERY_MIN / self.speed,
            seed=self.seed,
        )
        thin = max(1, round(self.speed))
        await run_day(target, plan, clock, live_hours=live_h, on_answer=tally.add, thin=thin)
