"""A stream stage under test: numbered events in, the same out; here or in a process to kill."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from contracts.topic import Topic
from plumbing.batch_writer import BatchWriter
from plumbing.event_log import EventWriter, Headers, Output
from plumbing.kafka_admin import Durability, KafkaAdmin
from plumbing.kafka_log import KafkaConnection, KafkaReader
from plumbing.memory_log import InMemoryLog
from plumbing.stage import Batch, Handled, Subscription
from plumbing.stream import StreamApp, build_stream_app, run_stream
from plumbing.stream_settings import StreamSettings

_names = count(1)


class Numbered(msgspec.Struct):
    n: int
    pad: str = ""


Handle = Callable[[Batch[Numbered]], Awaitable[Handled]]


def a_topic(name: str, partitions: int, *, identified: bool = False) -> Topic[Numbered]:
    return Topic(
        name=name,
        event=Numbered,
        key="number",
        producer="test",
        consumers=("test",),
        retention_ms=-1,
        partitions=partitions,
        identified=identified,
    )


@dataclass
class Stage:
    """A source topic on a real broker, a sink in memory and the settings of a member."""

    connection: KafkaConnection
    source: Topic[Numbered]
    state_dir: Path
    group: str
    sink: InMemoryLog = field(default_factory=InMemoryLog)
    sink_topic: str = "sink"

    @classmethod
    def make(
        cls, bootstrap: str, tmp_path: Path, partitions: int = 4, *, identified: bool = False
    ) -> "Stage":
        name = f"stage-{next(_names)}-{tmp_path.name}"[:200]
        connection = KafkaConnection(bootstrap=bootstrap)
        source = a_topic(name, partitions, identified=identified)
        with KafkaAdmin(connection) as admin:
            admin.apply([source], Durability())
        return cls(connection, source, tmp_path / "state", name)

    @property
    def first_batch_file(self) -> Path:
        """Where a worker writes after how many seconds it had its first batch."""
        return self.state_dir / "first-batch-s"

    def settings(self, **changes: Any) -> StreamSettings:
        values: dict[str, Any] = {
            "connection": self.connection,
            "group": self.group,
            "state_dir": self.state_dir,
            "instance_id": "one",
            "commit_interval_s": 0.2,
        }
        return StreamSettings(**(values | changes))

    def app(self, handle: Handle, writer: EventWriter | None = None, **changes: Any) -> StreamApp:
        subscription = Subscription(self.source, handle, changes.pop("idle", None))
        return build_stream_app(self.settings(**changes), [subscription], writer or self.sink)

    async def echo(self, batch: Batch[Numbered]) -> Handled:
        return Handled([self.output(a.event) for a in batch.arrived if a.event is not None])

    def output(self, event: Numbered) -> Output:
        return Output(self.sink_topic, b"%d" % event.n, self.source.encode(event))

    def received(self) -> list[int]:
        """Return the numbers in the sink, in the order they were written per partition."""
        records = self.sink.records(self.sink_topic)
        return [self.source.decode(record.value or b"").n for record in records]

    async def feed(
        self, numbers: Sequence[int], pad: str = "", partition: int | None = None
    ) -> None:
        await self.feed_raw(
            [(b"%d" % n, self.source.encode(Numbered(n, pad))) for n in numbers], partition
        )

    async def feed_raw(
        self,
        records: Sequence[tuple[bytes, bytes | None]],
        partition: int | None = None,
        headers: Headers = (),
    ) -> None:
        writer = BatchWriter(self.connection)
        for first in range(0, len(records), 2_000):
            await writer.write(
                [
                    Output(self.source.name, key, value, (("event_id", key), *headers), partition)
                    for key, value in records[first : first + 2_000]
                ]
            )
        await writer.close()

    def lag(self) -> dict[int, int]:
        """Return the records not yet committed, by partition."""
        with KafkaAdmin(self.connection) as admin:
            found = admin.lag(self.group, [self.source.name])
        return {lag.partition: lag.records for lag in found}

    async def caught_up(self) -> bool:
        return sum((await asyncio.to_thread(self.lag)).values()) == 0


@asynccontextmanager
async def running(app: StreamApp) -> AsyncIterator[StreamApp]:
    """Run ``app`` for the length of the block, then drain it."""
    stop = asyncio.Event()
    task = asyncio.create_task(run_stream(app, stop))
    try:
        yield app
    finally:
        stop.set()
        await task


async def until(holds: Callable[[], bool | Awaitable[bool]], timeout_s: float = 60.0) -> None:
    """Wait until ``holds`` does."""
    async with asyncio.timeout(timeout_s):
        while True:
            found = holds()
            if await found if isinstance(found, Awaitable) else found:
                return
            await asyncio.sleep(0.05)


async def values_of(connection: KafkaConnection, topic: str) -> list[int]:
    """Return the numbers in a topic on the broker."""
    reader = KafkaReader(connection)
    found: list[int] = []
    for partition in await reader.partitions(topic):
        async for batch in reader.read(topic, partition, 0, 10**9):
            found += [msgspec.json.decode(r.value or b"", type=Numbered).n for r in batch]
    await reader.close()
    return found


def start_worker(stage: Stage, sink_topic: str, **options: Any) -> subprocess.Popen[bytes]:
    """Start the stage as a process of its own, from ``stage.source`` to ``sink_topic``."""
    told = {
        "bootstrap": stage.connection.bootstrap,
        "source": stage.source.name,
        "sink": sink_topic,
        "partitions": stage.source.partitions,
        "state_dir": str(stage.state_dir),
        "group": stage.group,
        **options,
    }
    command = [sys.executable, "-m", "tests.support.streams", json.dumps(told)]
    return subprocess.Popen(command, cwd=Path(__file__).parents[2])


async def _work(told: dict[str, Any]) -> None:
    """Be the worker: copy, and die at the number ``die_at`` (without an exception)."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    connection = KafkaConnection(bootstrap=told["bootstrap"])
    source = a_topic(told["source"], told["partitions"])
    stage = Stage(connection, source, Path(told["state_dir"]), told["group"])
    stage.sink_topic = told["sink"]
    took_s: list[float] = []

    started_s = time.monotonic()

    async def handle(batch: Batch[Numbered]) -> Handled:
        if any(a.event and a.event.n == told.get("die_at") for a in batch.arrived):
            os._exit(9)
        if not took_s:
            took_s.append(time.monotonic() - started_s)
            stage.first_batch_file.write_text(str(took_s[0]))
        await asyncio.sleep(told.get("slow_s", 0))
        return await stage.echo(batch)

    writer = BatchWriter(connection)
    changes = {
        "instance_id": "one",
        "batch_size_max": told.get("batch_size_max", 1_000),
        "session_timeout_s": told.get("session_timeout_s", 6.0),
    }
    try:
        await run_stream(stage.app(handle, writer, **changes), stop)
    finally:
        await writer.close()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_work(json.loads(sys.argv[1])))
