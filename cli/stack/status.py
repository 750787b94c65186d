"""What `auscult status` shows: processes, lag in records and seconds, visible events."""

import asyncio
import re
from dataclasses import dataclass

from rich.console import Group
from rich.table import Table

from cli.stack.launch import the_stack
from cli.stack.process import Process, http_get
from cli.stack.settings import StackSettings
from contracts.assessed import ASSESSED
from contracts.deidentified import DEIDENTIFIED
from contracts.identified import IDENTIFIED
from plumbing.errors import Unavailable
from plumbing.kafka_admin import KafkaAdmin
from plumbing.kafka_connection import KafkaConnection
from services.gateway.read_model import ReadModel

# What each stage consumes; a stage's consumer group has its name.
STAGES = {
    "privacy": IDENTIFIED.name,
    "inference": DEIDENTIFIED.name,
    "gateway": ASSESSED.name,
}
LAG_SECONDS = re.compile(r'^auscult_stream_lag_seconds\{[^}]*topic="([^"]+)"[^}]*\} (\S+)$')


@dataclass(frozen=True)
class Lag:
    """How far a stage is behind; ``seconds`` None when the stage does not say."""

    records: int
    seconds: float | None


def status_table(settings: StackSettings) -> tuple[Group, bool]:
    """Return the tables, and whether every process is ready."""
    stack = the_stack(settings, demo=True)
    running = {one.name: one for one in stack.supervisor.processes()}
    table = Table("process", "state", "pid", "uptime", "ready")
    healthy = bool(running)
    for process in stack.processes:
        one = running.get(process.name)
        if one is None:
            continue
        ready = bool(one.pid) and process.ready()
        healthy = healthy and (ready or process.once)
        table.add_row(
            process.name,
            one.state.lower(),
            str(one.pid or ""),
            _duration(one.uptime_s) if one.pid else "",
            "[green]yes[/]" if ready else "[red]no[/]",
        )
    if not running:
        table.caption = "nothing is running: `auscult up` starts it"
        return Group(table), False
    lags = Table("stage", "reads", "behind, records", "behind, s")
    for stage, lag in _lags(settings, stack.processes).items():
        seconds = "" if lag.seconds is None else f"{lag.seconds:.1f}"
        lags.add_row(stage, STAGES[stage], str(lag.records), seconds)
    lags.caption = f"{_visible(settings)} events visible at {settings.page_url}"
    return Group(table, lags), healthy


def _lags(settings: StackSettings, processes: tuple[Process, ...]) -> dict[str, Lag]:
    health_ports = {one.name: one.health_port for one in processes}
    try:
        with KafkaAdmin(KafkaConnection(bootstrap=settings.bootstrap)) as admin:
            records = {
                stage: sum(one.records for one in admin.lag(stage, [topic]))
                for stage, topic in STAGES.items()
            }
    except Unavailable:
        return {}
    return {
        stage: Lag(count, lag_seconds(http_get(health_ports[stage], "/metrics")[1], STAGES[stage]))
        for stage, count in records.items()
    }


def lag_seconds(metrics: str, topic: str) -> float | None:
    """Return the greatest lag in seconds that a service's metrics give for ``topic``."""
    found = [match for line in metrics.splitlines() if (match := LAG_SECONDS.match(line))]
    return max((float(one.group(2)) for one in found if one.group(1) == topic), default=None)


def _visible(settings: StackSettings) -> str:
    async def count() -> int:
        read_model = ReadModel.at(settings.redis_url)
        try:
            return (await read_model.counts(ASSESSED.partitions))[0]
        finally:
            await read_model.close()

    try:
        return f"{asyncio.run(count()):,}"
    except Unavailable:
        return "?"


def _duration(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}"
