"""Events a second through one inference worker: states in Redis, rules, and the ICU risk.

The log is in memory, so what is measured is this service: read states, apply, judge, write states,
make the records. ``ward`` is vital signs on wards; ``icu`` is intensive care stays of up to 440
facts with risk and contributions for each event. A busy machine shows in wall time alone, so
events per second of this process's CPU time are told beside it.
"""

import argparse
import asyncio
import json
import random
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from contracts.assessed import ASSESSED, CURRENT
from contracts.deidentified import DEIDENTIFIED, Age, DeidentifiedEvent, Stay
from contracts.loinc import BY_NAME
from contracts.merged import MERGED
from contracts.observation import Code, Observation
from contracts.promoted import PROMOTED, ModelPromoted
from contracts.rejection import rejected
from contracts.state import STATE
from plumbing.clock import SystemClock
from plumbing.event_log import Output
from plumbing.memory_log import InMemoryLog
from plumbing.stage import Arrived, Batch
from services.inference.app import Inference, registry_of, running
from services.inference.registry import ModelRegistry
from services.inference.settings import InferenceSettings

T0_MS = 1_650_000_000_000
MINUTE_MS = 60_000
PATIENTS = 85
REDIS_START_S = 10.0
BATCH_SIZE = 100
WARM_UP_EVENTS = 200
WARD = ("heart_rate", "resp_rate", "sbp", "dbp", "spo2", "temperature", "oxygen_flow")
ICU = ("heart_rate", "sbp_invasive", "dbp_invasive", "map_invasive", "temperature", "gcs",
       "urine_volume", "fio2", "creatinine", "lactate")  # fmt: skip
NORMAL = {
    "heart_rate": (55, 130),
    "resp_rate": (10, 28),
    "sbp": (90, 160),
    "dbp": (50, 95),
    "spo2": (90, 100),
    "temperature": (36, 39),
    "oxygen_flow": (0, 4),
    "sbp_invasive": (90, 160),
    "dbp_invasive": (50, 95),
    "map_invasive": (60, 110),
    "gcs": (8, 15),
    "urine_volume": (20, 200),
    "fio2": (0.3, 0.6),
    "creatinine": (0.6, 3),
    "lactate": (0.8, 4),
}
TOPICS = (DEIDENTIFIED, rejected(DEIDENTIFIED), ASSESSED, CURRENT, STATE, MERGED, PROMOTED)
TARGETS = {"ward": 1_000, "icu": 400}


def run(models_dir: Path, events: int = 4_000, runs: int = 3) -> dict[str, Any]:
    """Return the rates of both feeds: the median of ``runs`` and the spread."""
    return {feed: _rates(feed, models_dir, events, runs) for feed in TARGETS}


def _rates(feed: str, models_dir: Path, events: int, runs: int) -> dict[str, Any]:
    found = []
    for _ in range(runs):
        with own_redis() as url:
            settings = InferenceSettings(redis_url=url, models_dir=models_dir)
            found.append(asyncio.run(_once(feed, settings, events)))
    wall, cpu = [one[0] for one in found], [one[1] for one in found]
    return {
        "events_per_s": round(median(wall)),
        "events_per_s_spread": [round(min(wall)), round(max(wall))],
        "events_per_cpu_s": round(median(cpu)),
        "target_per_s": TARGETS[feed],
        "risks": found[0][2],
    }


async def _once(feed: str, settings: InferenceSettings, events: int) -> tuple[float, float, int]:
    """Return events per second of wall time and of CPU time, and how many risks were given."""
    log = InMemoryLog(partitions=1)
    for topic in TOPICS:
        log.create(topic.name)
    registry = registry_of(settings)
    if feed == "icu":
        await log.write([_promotion(registry)])
    told = list(told_events(feed, events + WARM_UP_EVENTS))
    await log.write(
        [Output(DEIDENTIFIED.name, e.token.encode(), DEIDENTIFIED.encode(e)) for e in told]
    )
    async with running(settings, log, log, registry, SystemClock()) as service:
        await service.read_all()
        await _work(service, log, 0, WARM_UP_EVENTS)
        began_s, cpu_s = time.perf_counter(), time.process_time()
        await _work(service, log, WARM_UP_EVENTS, len(told))
        wall_s, busy_s = time.perf_counter() - began_s, time.process_time() - cpu_s
    risks = sum(b'"probability"' in (record.value or b"") for record in log.records(ASSESSED.name))
    return events / wall_s, events / busy_s, risks


async def _work(service: Inference, log: InMemoryLog, start: int, stop: int) -> None:
    for first in range(start, stop, BATCH_SIZE):
        last = min(first + BATCH_SIZE, stop)
        arrived: list[Arrived[DeidentifiedEvent]] = []
        async for records in log.read(DEIDENTIFIED.name, 0, first, last):
            arrived += [
                Arrived(DEIDENTIFIED.decode(r.value or b""), r.key, r.offset, (), r.timestamp_ms)
                for r in records
            ]
        batch = Batch(DEIDENTIFIED.name, 0, first, last - 1, tuple(arrived))
        handled = await service.subscription.handle(batch)
        await log.write(handled.outputs)
        if handled.then is not None:
            await handled.then()


def _promotion(registry: ModelRegistry) -> Output:
    name, version = list(registry.listed())[-1]
    said = ModelPromoted(
        model=name,
        version=version,
        digest=registry.manifest(name, version).digest,
        state="live",
        by="bench",
        at_ms=T0_MS,
    )
    return Output(PROMOTED.name, name.encode(), PROMOTED.encode(said))


def told_events(feed: str, count: int) -> Iterator[DeidentifiedEvent]:
    """Yield admissions of all patients, then readings in turn; in ``icu`` 48 h hold 440 facts."""
    chance = random.Random(11)
    unit, names, apart = ("MICU", ICU, 65) if feed == "icu" else ("WARD-1", WARD, 60)
    for number in range(count):
        patient, turn = number % PATIENTS, number // PATIENTS
        at_ms = T0_MS + turn * apart * MINUTE_MS
        stay = Stay(encounter=f"visit-{patient}", unit=unit, admitted_at_ms=T0_MS)
        readings = () if turn == 0 else names
        yield DeidentifiedEvent(
            event_id=f"{number:08x}-0000-4000-8000-{number:012x}",
            token=f"{patient:026d}",
            event_type="observation.result" if turn else "encounter.admit",
            occurred_at_ms=at_ms,
            age=Age(40 + patient % 50),
            sex="F" if patient % 2 else "M",
            stay=stay,
            observations=tuple(
                _reading(index, name, at_ms, chance) for index, name in enumerate(readings)
            ),
        )


def _reading(index: int, name: str, at_ms: int, chance: random.Random) -> Observation:
    known = BY_NAME[name]
    low, high = NORMAL[name]
    return Observation(
        index=index,
        code=Code("LN", known.loinc),
        kind="quantity",
        value=round(chance.uniform(low, high), 1),
        unit=known.unit,
        at_ms=at_ms,
        series=f"{index:032x}",
    )


@contextmanager
def own_redis() -> Iterator[str]:
    """Run a Redis of our own on a socket in a temporary folder; yield its URL."""
    with tempfile.TemporaryDirectory(prefix="auscult-bench-") as folder:
        socket = Path(folder) / "redis.sock"
        command = ["redis-server", "--port", "0", "--unixsocket", str(socket), "--save", ""]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 - from PATH
        try:
            deadline_s = time.monotonic() + REDIS_START_S
            while not socket.exists() and time.monotonic() < deadline_s:
                time.sleep(0.02)
            yield f"unix://{socket}"
        finally:
            process.terminate()
            process.wait()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models-dir", type=Path, default=Path("data/models"))
    parser.add_argument("--events", type=int, default=4_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    told = parser.parse_args(arguments)
    found = run(told.models_dir, told.events, told.runs)
    if told.json:
        print(json.dumps(found))
        return
    for feed, rates in found.items():
        print(f"{feed:5}", *(f"{name}={value}" for name, value in rates.items()))


if __name__ == "__main__":
    main()
