"""Every process is killed and Redis loses its memory, under a running feed: nothing is lost,
nothing is doubled, order is kept, and every result equals that of a run left in peace.

``--chaos-seeds 1,2,3`` runs more than the one day of `make test` (`make chaos`).
"""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from simulator.day import Timed, hospital_day
from simulator.run import plan_for
from tests.support.running_stack import RunningStack, fed, running_stack

START_MS = 1_790_000_000_000
PATIENTS = 24
MESSAGES = 1200
PER_S = 30.0
VICTIMS = ("privacy", "inference", "gateway", "ingest", "kafka", "redis")


def a_day(seed: int) -> list[Timed]:
    return list(hospital_day(plan_for(PATIENTS, MESSAGES, seed), START_MS))


async def tormented(running: RunningStack, day: list[Timed], seed: int) -> list[str]:
    """Feed ``day`` while everything is broken in turn; return what was done."""
    rng = random.Random(seed)
    done: list[str] = []
    dumps: list[Path] = []

    def kill(name: str) -> Callable[[], None]:
        return lambda: running.kill(name)

    steps: list[tuple[str, Callable[[], None]]] = [(f"kill {name}", kill(name)) for name in VICTIMS]
    steps.append(("empty redis", running.empty_redis))
    rng.shuffle(steps)
    steps.insert(1, ("keep a dump", lambda: dumps.append(running.keep_dump())))
    steps.append(("put back the older dump", lambda: running.put_back_dump(dumps[0])))

    feeding = asyncio.create_task(running.feed(day, PER_S))
    pause_s = len(day) / PER_S / (len(steps) + 1)
    for name, step in steps:
        await asyncio.sleep(pause_s * rng.uniform(0.8, 1.1))
        await asyncio.to_thread(step)
        done.append(name)
    await feeding
    return done


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_breaking_everything_changes_nothing(tmp_path: Path, chaos_seed: int) -> None:
    day = a_day(chaos_seed)
    with running_stack(tmp_path / "peace") as peace:
        expected = fed(peace, day, per_s=150.0)
        assert expected.balanced
        assert expected.accepted == len({one.payload for one in day})
        results = asyncio.run(peace.visible_results())
        order = asyncio.run(peace.order_by_identifier())
        keys = peace.settings.keys_dir
        assert len(results) == expected.visible

    with running_stack(tmp_path / "chaos", keys_from=keys) as chaos:
        done = asyncio.run(tormented(chaos, day, chaos_seed))
        assert len(done) == len(VICTIMS) + 3
        found = asyncio.run(chaos.settled(quiet_s=60.0))
        refused = [one for one in chaos.answers if one.code != "AA"]
        assert refused == []
        assert (found.lost, found.doubled, found.unknown) == (0, 0, 0)
        assert found.balanced
        assert (found.accepted, found.visible) == (expected.accepted, expected.visible)
        assert asyncio.run(chaos.order_by_identifier()) == order
        again = asyncio.run(chaos.visible_results())
        assert set(again) == set(results)
        different = [event_id for event_id in results if again[event_id] != results[event_id]]
        assert different == []
