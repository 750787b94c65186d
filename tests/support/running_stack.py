"""The whole local stack in a folder of its own, on ports of its own, for tests that break it."""

import asyncio
import os
import shutil
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis

from cli.accounting import Reconciliation, settle
from cli.stack.launch import Stack, the_stack
from cli.stack.scratch import free_ports
from cli.stack.settings import StackSettings
from contracts.assessed import ASSESSED
from contracts.deidentified import DEIDENTIFIED
from plumbing.clock import SystemClock
from plumbing.event_log import Record
from plumbing.kafka_connection import KafkaConnection
from plumbing.kafka_reader import KafkaReader
from services.gateway.read_model import ReadModel
from simulator.day import Timed
from simulator.mllp_client import Answered
from simulator.run import Target, run_rate

HOST = "127.0.0.1"


def settings_at(home: Path) -> StackSettings:
    """Return settings with every port free just now, all different."""
    names = [name for name in StackSettings.model_fields if name.endswith("_port")]
    return StackSettings(home=home, **dict(zip(names, free_ports(len(names)), strict=True)))


@dataclass
class RunningStack:
    """A stack that is up, and ways to feed it, break it and look into it."""

    stack: Stack
    answers: list[Answered] = field(default_factory=list)

    @property
    def settings(self) -> StackSettings:
        return self.stack.settings

    def pid(self, name: str) -> int:
        return next(one.pid for one in self.stack.supervisor.processes() if one.name == name)

    def kill(self, name: str) -> None:
        """End a process as `kill -9` does; the process runner starts it again."""
        pid = self.pid(name)
        assert pid > 0
        os.kill(pid, signal.SIGKILL)

    @contextmanager
    def redis(self) -> Iterator[Any]:
        with redis.Redis.from_url(self.settings.redis_url) as client:
            yield client

    def empty_redis(self) -> None:
        with self.redis() as client:
            client.flushall()

    def keep_dump(self) -> Path:
        """Have Redis write its dump now, and keep a copy."""
        with self.redis() as client:
            client.save()
        kept = self._dump.with_suffix(".old")
        shutil.copy(self._dump, kept)
        return kept

    def put_back_dump(self, kept: Path) -> None:
        """Kill Redis and let it come back with an older dump."""
        supervisor = self.stack.supervisor
        with self.redis() as client, suppress(redis.ConnectionError):
            client.config_set("save", "")
        supervisor._call("stopProcess", "redis")
        shutil.copy(kept, self._dump)
        supervisor.start("redis")

    @property
    def _dump(self) -> Path:
        return self.settings.root / "redis" / "dump.rdb"

    async def feed(self, timed: Iterable[Timed], per_s: float, connections: int = 8) -> None:
        """Send messages over MLLP at a rate, again until answered; keep the answers."""
        target = Target(HOST, self.settings.at(self.settings.mllp_port), connections)
        await run_rate(target, timed, SystemClock(), per_s=per_s, on_answer=self.answers.append)

    async def settled(self, quiet_s: float = 25.0) -> Reconciliation:
        return await settle(self.settings.bootstrap, self.settings.redis_url, quiet_s=quiet_s)

    async def records(self, topic: str) -> list[Record]:
        """Return every record of a topic, partition by partition."""
        reader = KafkaReader(KafkaConnection(bootstrap=self.settings.bootstrap))
        found: list[Record] = []
        try:
            for partition in await reader.partitions(topic):
                end = await reader.end_offset(topic, partition)
                async for records in reader.read(topic, partition, 0, end):
                    found += records
        finally:
            await reader.close()
        return found

    async def visible_results(self) -> dict[str, dict[str, Any]]:
        """Return what the read model shows for each event, made comparable between two stacks.

        Tokens and shifts are drawn anew in each stack, so times are kept relative to the newest
        fact of their result.
        """
        owners: dict[str, str] = {}
        for record in await self.records(ASSESSED.name):
            assert record.value is not None
            assessment = ASSESSED.decode(record.value)
            owners.setdefault(assessment.event_id, assessment.token)
        model = ReadModel.at(self.settings.redis_url)
        found: dict[str, dict[str, Any]] = {}
        try:
            for event_id, token in owners.items():
                (detail,) = await model.details(token, [event_id])
                if detail is not None:
                    found[event_id] = comparable(detail)
        finally:
            await model.close()
        return found

    async def order_by_identifier(self) -> set[tuple[str, ...]]:
        """Return, for each identifier, its event ids in the order they first reached inference."""
        order: dict[str, dict[str, None]] = {}
        for record in await self.records(DEIDENTIFIED.name):
            assert record.value is not None
            event = DEIDENTIFIED.decode(record.value)
            order.setdefault(event.token, {})[event.event_id] = None
        return {tuple(ids) for ids in order.values()}


def comparable(detail: Any) -> dict[str, Any]:
    """Return a stored result without tokens, with times relative to its newest fact."""
    base = detail.as_of_ms

    def since(at_ms: int | None) -> int | None:
        return None if at_ms is None else at_ms - base

    return {
        "status": (detail.event_type, detail.status, detail.reason),
        "scores": detail.scores,
        "red_flags": detail.red_flags,
        "vitals": [(one[0], one[1], one[2], since(one[3]), one[4]) for one in detail.vitals],
        "risks": [
            (
                risk.bare,
                [(p.feature, p.value, p.unit, since(p.at_ms), p.attribution) for p in risk.parts],
            )
            for risk in detail.risks
        ],
    }


@contextmanager
def running_stack(home: Path, keys_from: Path | None = None) -> Iterator[RunningStack]:
    """Bring a stack up in ``home`` and down again; ``keys_from`` is a keys folder to use."""
    settings = settings_at(home)
    if keys_from is not None:
        shutil.copytree(keys_from, settings.keys_dir)
    stack = the_stack(settings, demo=True)
    try:
        stack.up()
        yield RunningStack(stack)
    finally:
        stack.down()


def fed(running: RunningStack, timed: Iterable[Timed], per_s: float) -> Reconciliation:
    """Feed a stack and return the balance once it is quiet."""

    async def both() -> Reconciliation:
        await running.feed(timed, per_s)
        return await running.settled()

    return asyncio.run(both())
