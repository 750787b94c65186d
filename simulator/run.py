"""Send a hospital day to MLLP: history as fast as it is taken, then live at the clock's pace."""

from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass

from plumbing.clock import Clock
from simulator.day import HOUR_MS, DayPlan, Timed, hospital_day
from simulator.mllp_client import Answered, MllpSender, Outgoing, send_all

VITALS_FEED = "MONITOR"


@dataclass(frozen=True)
class Target:
    """Where to send, over how many connections (each lock-step)."""

    host: str
    port: int
    connections: int = 16

    def senders(self, clock: Clock) -> list[MllpSender]:
        """Return one sender a connection, none opened yet."""
        return [MllpSender(self.host, self.port, clock) for _ in range(self.connections)]


async def run_day(
    target: Target,
    plan: DayPlan,
    clock: Clock,
    *,
    live_hours: float,
    on_answer: Callable[[Answered], None],
    thin: int = 1,
) -> None:
    """Send ``plan``'s day so that its last ``live_hours`` lie in the future, at the clock's pace.

    What is older goes at once, in order, as fast as it is acknowledged; so the page has a trend
    from the start. Of the older vital signs only one in ``thin`` is sent: a busy live ward need
    not have a history as dense. ``on_answer`` is called for each final answer.
    """
    now_ms = clock.now_ms()
    start_ms = now_ms - round((plan.hours - live_hours) * HOUR_MS)
    end_ms = now_ms + round(live_hours * HOUR_MS)
    # A message sent again minutes later may fall behind the day's end: it is left out.
    day = (one for one in hospital_day(plan, start_ms) if one.at_ms <= end_ms)
    heard = (one for one in day if one.at_ms >= now_ms or not _thinned(one, thin))
    outgoing = _paced(heard, clock)
    await send_all(outgoing, target.senders(clock), clock, on_answer)


async def run_rate(
    target: Target,
    timed: Iterable[Timed],
    clock: Clock,
    *,
    per_s: float,
    on_answer: Callable[[Answered], None],
) -> None:
    """Send messages at ``per_s`` a second whatever their clinical time; order per patient kept."""

    async def paced() -> AsyncIterator[Outgoing]:
        for number, one in enumerate(timed):
            yield Outgoing(one.payload, one.patient, number / per_s, one.kind)

    await send_all(paced(), target.senders(clock), clock, on_answer)


def plan_for(patients: int, messages: int, seed: int) -> DayPlan:
    """Return a 12-hour day of about ``messages`` messages from ``patients`` patients."""
    hours = 12.0
    # A ward bed gives one message an interval, an intensive care bed (28 %) four; see UNIT_WEIGHTS.
    per_interval = patients * (0.72 + 0.28 * 4)
    every_min = max(0.05, hours * 60 * per_interval / max(1, messages))
    return DayPlan(patients=patients, hours=hours, vitals_every_min=every_min, seed=seed)


def _thinned(one: Timed, thin: int) -> bool:
    """Return whether a message is left out of the history; a resend shares its original's fate."""
    return one.feed == VITALS_FEED and one.sequence % thin != 0


async def _paced(timed: Iterable[Timed], clock: Clock) -> AsyncIterator[Outgoing]:
    began_ms = clock.now_ms()
    for one in timed:
        due_s = max(0.0, (one.at_ms - began_ms) / 1000)
        yield Outgoing(one.payload, one.patient, due_s, one.kind)
