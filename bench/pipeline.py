"""The whole pipeline: events a second held for a minute with lag flat, and the time to visible.

Feeds a simulated day at a fixed rate to a running stack and watches the gateway's own counters.
A rate holds when the backlog (accepted but not yet visible) does not grow over the run: its largest
value in the last third is at most two seconds' worth, and all of it is visible within five seconds
of the last message. Latency is from the receipt of an MLLP frame to the result being in the read
model, from the gateway's histogram, at half the rate that held.
"""

import asyncio
import math
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass

from plumbing.clock import Clock
from simulator.day import HOUR_MS, Timed, hospital_day
from simulator.mllp_client import Answered
from simulator.run import Target, plan_for, run_rate

VISIBLE = "auscult_gateway_events_visible_total"
LATENCY = 'auscult_event_end_to_end_latency_seconds_bucket{le="'
LAG_SECONDS_MAX = 2.0
DRAIN_S = 5.0
SAMPLE_S = 1.0
CONNECTIONS = 32
PATIENTS = 120
SEED = 7


@dataclass(frozen=True)
class Held:
    """One run at one rate: seconds, counts, backlog each second, and the latency quantiles."""

    rate_per_s: float
    seconds: float
    accepted: int
    achieved_per_s: float
    backlog: tuple[int, ...]
    drained: bool
    p50_s: float
    p99_s: float

    @property
    def holds(self) -> bool:
        """Return whether the rate was reached with the backlog flat."""
        last_third = self.backlog[len(self.backlog) * 2 // 3 :]
        flat = max(last_third, default=0) <= LAG_SECONDS_MAX * self.rate_per_s
        return flat and self.drained and self.achieved_per_s >= 0.97 * self.rate_per_s


@dataclass(frozen=True)
class Gateway:
    """Where the gateway's metrics are."""

    metrics_url: str

    def read(self) -> tuple[int, dict[float, float]]:
        """Return how many events became visible so far, and the latency histogram."""
        with urllib.request.urlopen(self.metrics_url, timeout=5) as answer:  # noqa: S310  loopback
            return parse(answer.read().decode())


def parse(page: str) -> tuple[int, dict[float, float]]:
    """Return the visible count and cumulative latency buckets of a metrics page."""
    visible, buckets = 0, dict[float, float]()
    for line in page.splitlines():
        if line.startswith(VISIBLE + " "):
            visible = int(float(line.rsplit(" ", 1)[1]))
        elif line.startswith(LATENCY):
            edge, _, rest = line[len(LATENCY) :].partition('"')
            buckets[math.inf if edge == "+Inf" else float(edge)] = float(rest.rsplit(" ", 1)[1])
    return visible, buckets


def quantile(before: dict[float, float], after: dict[float, float], q: float) -> float:
    """Return the ``q`` quantile in seconds of what a histogram took in between two readings.

    Linear within a bucket, as Prometheus' ``histogram_quantile``; NaN when nothing came in.
    """
    edges = sorted(after)
    counts = [after[edge] - before.get(edge, 0.0) for edge in edges]
    total = counts[-1] if counts else 0.0
    if total <= 0:
        return math.nan
    low, seen = 0.0, 0.0
    for edge, count in zip(edges, counts, strict=True):
        if count >= q * total:
            return (
                low
                if math.isinf(edge)
                else low + (edge - low) * (q * total - seen) / (count - seen)
            )
        low, seen = edge, count
    return math.nan


async def hold(
    target: Target, gateway: Gateway, clock: Clock, rate: float, seconds: float, *, seed: int
) -> Held:
    """Feed ``rate`` messages a second for ``seconds`` and return what came of it.

    A ``seed`` is a hospital day: used twice on one stack, the second is all resends.
    """
    day = _messages(round(rate * seconds), seed=seed, now_ms=clock.now_ms())
    visible_before, latency_before = gateway.read()
    accepted: set[int] = set()

    def on_answer(answered: Answered) -> None:
        if answered.code == "AA":
            accepted.add(hash(answered.outgoing.payload))

    started = clock.monotonic_s()
    feeding = asyncio.create_task(run_rate(target, day, clock, per_s=rate, on_answer=on_answer))
    backlog: list[int] = []
    while not feeding.done():
        await asyncio.wait({feeding}, timeout=SAMPLE_S)
        visible, _ = await asyncio.to_thread(gateway.read)
        backlog.append(len(accepted) - (visible - visible_before))
    await feeding
    took_s = clock.monotonic_s() - started
    drained = await _drains(gateway, visible_before + len(accepted), clock)
    _, latency_after = gateway.read()
    return Held(
        rate_per_s=rate,
        seconds=took_s,
        accepted=len(accepted),
        achieved_per_s=len(day) / took_s,
        backlog=tuple(backlog),
        drained=drained,
        p50_s=quantile(latency_before, latency_after, 0.5),
        p99_s=quantile(latency_before, latency_after, 0.99),
    )


async def run(
    target: Target, gateway: Gateway, clock: Clock, rates: Sequence[float], seconds: float
) -> dict[str, object]:
    """Try ``rates`` upwards until one does not hold, then measure latency at half the best."""
    await hold(target, gateway, clock, rates[0] / 2, min(10.0, seconds), seed=SEED)  # warm-up
    best: Held | None = None
    tried: list[Held] = []
    for number, rate in enumerate(rates, start=1):
        held = await hold(target, gateway, clock, rate, seconds, seed=SEED + number)
        tried.append(held)
        if not held.holds:
            await asyncio.sleep(DRAIN_S)
            break
        best = held
    half = (
        await hold(target, gateway, clock, best.rate_per_s / 2, seconds, seed=SEED + len(rates) + 1)
        if best is not None
        else None
    )
    return {
        "held_per_s": best.rate_per_s if best else 0.0,
        "latency_at_per_s": half.rate_per_s if half else None,
        "p50_ms": round(half.p50_s * 1000) if half else None,
        "p99_ms": round(half.p99_s * 1000) if half else None,
        "tried": [_row(held) for held in tried],
    }


def _row(held: Held) -> dict[str, object]:
    return {
        "rate_per_s": held.rate_per_s,
        "achieved_per_s": round(held.achieved_per_s, 1),
        "accepted": held.accepted,
        "backlog_max": max(held.backlog, default=0),
        "backlog_end": held.backlog[-1] if held.backlog else 0,
        "holds": held.holds,
        "p50_ms": round(held.p50_s * 1000) if not math.isnan(held.p50_s) else None,
        "p99_ms": round(held.p99_s * 1000) if not math.isnan(held.p99_s) else None,
    }


def _messages(count: int, seed: int, now_ms: int) -> list[Timed]:
    """Return ``count`` messages of a simulated day (made beforehand: making them costs time)."""
    plan = plan_for(PATIENTS, round(count * 1.2), seed)
    start_ms = now_ms - round(plan.hours * HOUR_MS)
    found = [one for one in hospital_day(plan, start_ms) if one.kind != "resend"]
    return found[:count]


async def _drains(gateway: Gateway, expected: int, clock: Clock) -> bool:
    deadline = clock.monotonic_s() + DRAIN_S
    while clock.monotonic_s() < deadline:
        visible, _ = await asyncio.to_thread(gateway.read)
        if visible >= expected:
            return True
        await asyncio.sleep(0.1)
    return False
