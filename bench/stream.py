"""Records a second through one stream worker: consume 600 B, hand over, produce, confirm, commit.

Ours against a stock Faust agent, in one run on one broker, each run in a process of its own. Rates
are counted from the first record handled to the last one done; start-up is told apart. The handler
does nothing but decode and encode: what is measured is the stage itself. CPU a record is told
too: it says what a worker can do when others use the machine.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any, Literal

import faust
import msgspec

from contracts.topic import Topic
from plumbing.batch_writer import BatchWriter
from plumbing.clock import Clock, SystemClock
from plumbing.event_log import EventWriter, Output
from plumbing.kafka_admin import Durability, KafkaAdmin
from plumbing.kafka_log import KafkaConnection, KafkaWriter
from plumbing.stage import Batch, Handled, Subscription
from plumbing.stream import build_stream_app, run_stream
from plumbing.stream_settings import StreamSettings

RECORD_BYTES = 600
PARTITIONS = 12
KEYS = 500
TARGET_PER_S = 25_000
WORKER_TIMEOUT_S = 300

Contender = Literal["ours", "ours, kafka-python writer", "stock Faust"]
CONTENDERS: dict[Contender, float] = {
    "ours": 1.0,
    "ours, kafka-python writer": 0.5,
    "stock Faust": 0.1,  # of the records: it is slow
}


class Padded(msgspec.Struct):
    """A record of the size of a de-identified event."""

    n: int
    pad: str


def _topic(name: str) -> Topic[Padded]:
    return Topic(
        name=name,
        event=Padded,
        key="number",
        producer="bench",
        consumers=("bench",),
        retention_ms=3_600_000,
        partitions=PARTITIONS,
    )


SOURCE = _topic("bench.stream.in")
SINK = _topic("bench.stream.out")


@dataclass(frozen=True)
class Pass:
    """One run of one contender."""

    records: int
    start_s: float
    records_per_s: float
    cpu_us_per_record: float
    uncommitted: int


@dataclass
class Stopwatch:
    """Seconds from the start to the first record, and from there to the last."""

    clock: Clock
    wanted: int
    done: asyncio.Event
    began_s: float
    first_s: float = 0.0
    first_cpu_s: float = 0.0
    last_cpu_s: float = 0.0
    last_s: float = 0.0
    seen: int = 0

    def count(self, number: int) -> None:
        """Note ``number`` more records that are done."""
        self.seen += number
        if self.seen >= self.wanted:
            self.last_s, self.last_cpu_s = self.clock.monotonic_s(), process_time()
            self.done.set()

    def first(self) -> None:
        """Note the first record handled."""
        if not self.first_s:
            self.first_s, self.first_cpu_s = self.clock.monotonic_s(), process_time()

    def result(self, uncommitted: int) -> Pass:
        """Return the figures."""
        return Pass(
            records=self.seen,
            start_s=round(self.first_s - self.began_s, 3),
            records_per_s=round(self.seen / (self.last_s - self.first_s), 1),
            cpu_us_per_record=round((self.last_cpu_s - self.first_cpu_s) / self.seen * 1e6, 1),
            uncommitted=uncommitted,
        )


def run(bootstrap: str, records: int = 200_000, runs: int = 3) -> dict[str, Any]:
    """Return the figures of every contender: rates of each run, median and spread."""
    asyncio.run(_feed(bootstrap, records))
    figures: dict[str, Any] = {}
    for contender, share in CONTENDERS.items():
        passes = [_worker(bootstrap, contender, int(records * share)) for _ in range(runs)]
        rates = [one.records_per_s for one in passes]
        figures[contender] = {
            "records_per_s": median(rates),
            "min": min(rates),
            "max": max(rates),
            "cpu_us_per_record": median(one.cpu_us_per_record for one in passes),
            "start_s": median(one.start_s for one in passes),
            "passes": [asdict(one) for one in passes],
        }
    ours, stock = figures["ours"]["records_per_s"], figures["stock Faust"]["records_per_s"]
    return {
        "bench": "stream",
        "record_bytes": RECORD_BYTES,
        "partitions": PARTITIONS,
        "runs": runs,
        "target_per_s": TARGET_PER_S,
        "reached": ours >= TARGET_PER_S,
        "ratio": round(ours / stock, 1),
        "contenders": figures,
    }


def table(figures: dict[str, Any]) -> str:
    """Return the figures as lines to read."""
    lines = [
        f"{'one worker, 600 B records':28} {'records/s':>10} {'min':>9} {'max':>9} {'CPU us':>8}"
    ]
    lines += [
        f"{name:28} {one['records_per_s']:>10,.0f} {one['min']:>9,.0f} {one['max']:>9,.0f}"
        f" {one['cpu_us_per_record']:>8.1f}"
        for name, one in figures["contenders"].items()
    ]
    verdict = "reached" if figures["reached"] else "NOT reached"
    lines.append(f"{figures['ratio']} x stock Faust; target {TARGET_PER_S:,}/s {verdict}")
    return "\n".join(lines)


async def _feed(bootstrap: str, records: int) -> None:
    connection = KafkaConnection(bootstrap=bootstrap)
    with KafkaAdmin(connection) as admin:
        admin.apply([SOURCE, SINK], Durability())
        present = sum(lag.records for lag in admin.lag("bench-nobody", [SOURCE.name]))
    pad = "x" * (RECORD_BYTES - 20)
    writer = BatchWriter(connection)
    for first in range(present, records, 2_000):
        await writer.write(
            [
                Output(SOURCE.name, b"key-%d" % (n % KEYS), SOURCE.encode(Padded(n, pad)))
                for n in range(first, min(first + 2_000, records))
            ]
        )
    await writer.close()


def _worker(bootstrap: str, contender: Contender, records: int) -> Pass:
    with tempfile.TemporaryDirectory() as state_dir:
        told = [bootstrap, "--worker", contender, "--records", str(records)]
        done = subprocess.run(  # noqa: S603 - ourselves
            [sys.executable, "-m", "bench.stream", *told, "--state-dir", state_dir],
            stdout=subprocess.PIPE,
            timeout=WORKER_TIMEOUT_S,
            check=True,
        )
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=Pass)


async def _ours(
    bootstrap: str, records: int, state_dir: Path, make: type[BatchWriter] | type[KafkaWriter]
) -> Pass:
    connection = KafkaConnection(bootstrap=bootstrap)
    clock = SystemClock()
    watch = Stopwatch(clock, records, asyncio.Event(), clock.monotonic_s())

    async def handle(batch: Batch[Padded]) -> Handled:
        watch.first()
        size = len(batch.arrived)

        async def then() -> None:
            watch.count(size)

        return Handled(
            [
                Output(SINK.name, arrived.key, SINK.encode(arrived.event), arrived.headers)
                for arrived in batch.arrived
                if arrived.event is not None
            ],
            then=then,
        )

    writer: EventWriter = make(connection)
    group = f"bench-{state_dir.name}"
    settings = StreamSettings(connection=connection, group=group, state_dir=state_dir)
    app = build_stream_app(settings, [Subscription(SOURCE, handle)], writer)
    await run_stream(app, watch.done)
    await writer.close()
    return watch.result(_uncommitted(connection, group, watch.seen))


async def _stock(bootstrap: str, records: int, name: str) -> Pass:
    clock = SystemClock()
    watch = Stopwatch(clock, records, asyncio.Event(), clock.monotonic_s())
    app = faust.App(
        f"bench-{name}",
        broker=f"kafka://{bootstrap}",
        datadir=name,
        web_enabled=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
    )
    raw: dict[str, Any] = {"key_type": bytes, "value_type": bytes, "value_serializer": "raw"}
    source, sink = app.topic(SOURCE.name, **raw), app.topic(SINK.name, **raw)

    @app.agent(source)
    async def copy(stream: Any) -> None:
        async for event in stream.events():
            watch.first()
            padded = SOURCE.decode(event.value)
            await sink.send(key=event.key, value=SINK.encode(padded))
            watch.count(1)

    await app.start()
    await watch.done.wait()
    await app.stop()
    return watch.result(_uncommitted(KafkaConnection(bootstrap=bootstrap), app.conf.id, watch.seen))


def _uncommitted(connection: KafkaConnection, group: str, seen: int) -> int:
    """Return how many of the records seen are not committed after the drain."""
    with KafkaAdmin(connection) as admin:
        lags = admin.lag(group, [SOURCE.name])
    return seen - sum(max(0, lag.committed - lag.start) for lag in lags)


def _work(told: argparse.Namespace) -> None:
    state_dir = Path(told.state_dir)
    match told.worker:
        case "ours":
            found = asyncio.run(_ours(told.bootstrap, told.records, state_dir, BatchWriter))
        case "ours, kafka-python writer":
            found = asyncio.run(_ours(told.bootstrap, told.records, state_dir, KafkaWriter))
        case _:
            found = asyncio.run(_stock(told.bootstrap, told.records, told.state_dir))
    sys.stdout.write(f"{json.dumps(asdict(found))}\n")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure against a running broker and print the table, or JSON with ``--json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bootstrap", help="a Kafka broker, host:port")
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--worker", choices=list(CONTENDERS), help=argparse.SUPPRESS)
    parser.add_argument("--state-dir", help=argparse.SUPPRESS)
    told = parser.parse_args(arguments)
    if told.worker:
        _work(told)
        return
    figures = run(told.bootstrap, told.records, told.runs)
    sys.stdout.write(f"{json.dumps(figures) if told.json else table(figures)}\n")


if __name__ == "__main__":
    main()
