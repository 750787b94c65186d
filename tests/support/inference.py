"""De-identified events for tests of inference, and a driver that feeds them to its worker."""

import hashlib
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from contracts.assessed import ASSESSED, CURRENT, Assessment, Risk
from contracts.clinical import EventType
from contracts.deidentified import DEIDENTIFIED, Age, DeidentifiedEvent, Stay
from contracts.loinc import BY_NAME
from contracts.merged import MERGED
from contracts.observation import Code, Observation
from contracts.promoted import PROMOTED
from contracts.rejection import rejected
from contracts.state import STATE
from plumbing.clock import ManualClock
from plumbing.event_log import Output
from plumbing.memory_log import InMemoryLog
from plumbing.stage import Arrived, Batch, Handled
from services.inference.app import Inference, running
from services.inference.model import ModelRefused, RiskModel
from services.inference.settings import InferenceSettings
from services.inference.view import PatientView

T0 = 1_650_000_000_000
MINUTE = 60_000
HOUR = 3_600_000
TOPICS = (DEIDENTIFIED, rejected(DEIDENTIFIED), ASSESSED, CURRENT, STATE, MERGED, PROMOTED)


def event_id(name: str) -> str:
    """Return the event id (UUID form) that a name stands for."""
    plain = hashlib.sha256(name.encode()).hexdigest()
    return f"{plain[:8]}-{plain[8:12]}-{plain[12:16]}-{plain[16:20]}-{plain[20:32]}"


def an_observation(
    parameter: str,
    value: float | None,
    *,
    index: int = 0,
    at_ms: int | None = None,
    status: str = "F",
    series: str = "",
    finding: str = "",
) -> Observation:
    """Return a result of one of our parameters in its unit."""
    known = BY_NAME[parameter]
    return Observation(
        index=index,
        code=Code("LN", known.loinc),
        kind="quantity",
        value=value,
        unit=known.unit,
        at_ms=at_ms,
        status=status,
        series=series,
        finding=finding,
    )


def an_event(
    name: str,
    token: str,
    at_ms: int = T0,
    *,
    observations: Iterable[Observation] = (),
    event_type: EventType = "observation.result",
    stay: Stay | None = None,
    age: int | None = 70,
) -> DeidentifiedEvent:
    """Return an event of a 70-year-old woman."""
    return DeidentifiedEvent(
        event_id=event_id(name),
        token=token,
        event_type=event_type,
        occurred_at_ms=at_ms,
        age=None if age is None else Age(age),
        sex="F",
        stay=stay,
        observations=tuple(observations),
    )


def vitals(name: str, token: str, at_ms: int = T0, **values: float) -> DeidentifiedEvent:
    """Return a set of vital signs, by parameter name."""
    found = (
        an_observation(parameter, value, index=index, at_ms=at_ms)
        for index, (parameter, value) in enumerate(values.items())
    )
    return an_event(name, token, at_ms, observations=found)


def admission(name: str, token: str, at_ms: int = T0, unit: str = "MICU") -> DeidentifiedEvent:
    """Return an admission to a unit."""
    stay = Stay(encounter=f"visit-{token}", unit=unit, admitted_at_ms=at_ms)
    return an_event(name, token, at_ms, event_type="encounter.admit", stay=stay)


class CountingModel:
    """A real, if crude, risk model: the probability rises with the facts and their mean."""

    name, version, digest = "icu_mortality", "9.9.9", "d" * 64
    outcome, device = "death_in_hospital", "cpu"

    def __init__(self) -> None:
        self.rows = 0

    def on(self, device: str) -> RiskModel:  # noqa: ARG002 - a protocol's argument
        """Stay where it is."""
        return self

    def covers(self, view: PatientView) -> str:
        """Cover intensive care stays."""
        return "" if view.icu_admitted_ms is not None else "not_icu"

    def assess(self, views: Sequence[PatientView]) -> Sequence[Risk]:
        """Return the mean value squashed."""
        self.rows += len(views)
        return [self._risk(view) for view in views]

    def _risk(self, view: PatientView) -> Risk:
        mean = sum(fact.value for fact in view.facts) / max(1, len(view.facts))
        return Risk(
            model=self.name,
            version=self.version,
            digest=self.digest,
            outcome=self.outcome,
            probability=round(mean / (mean + 100), 6),
        )


@dataclass
class Shelf:
    """A loader that has one model."""

    model: RiskModel = field(default_factory=CountingModel)
    code: str = ""

    def load(self, name: str, version: str, digest: str) -> RiskModel:  # noqa: ARG002 - the same
        """Return the model, or refuse with ``code``."""
        if self.code or digest != self.model.digest:
            raise ModelRefused(self.code or "missing")
        return self.model


@dataclass
class Driver:
    """Feeds the log's records to a worker, partition by partition, as the stream app would."""

    log: InMemoryLog
    service: Inference
    clock: ManualClock
    done: dict[int, int] = field(default_factory=dict)

    async def feed(self, batch_size: int = 3) -> None:
        """Handle everything that waits."""
        for partition in await self.log.partitions(DEIDENTIFIED.name):
            while await self.step(partition, batch_size):
                pass

    async def step(self, partition: int, batch_size: int = 3) -> bool:
        """Handle the next batch of a partition; return whether there was one."""
        batch = await self.batch(partition, self.done.get(partition, 0), batch_size)
        if batch is None:
            return False
        await self.finish(await self.service.subscription.handle(batch))
        self.done[partition] = batch.last_offset + 1
        return True

    async def batch(self, partition: int, start: int, size: int) -> Batch[DeidentifiedEvent] | None:
        """Return the batch from ``start`` on."""
        arrived: list[Arrived[DeidentifiedEvent]] = []
        async for records in self.log.read(DEIDENTIFIED.name, partition, start, start + size):
            arrived.extend(
                Arrived(
                    None if record.value is None else DEIDENTIFIED.decode(record.value),
                    record.key,
                    record.offset,
                    record.headers,
                    self.clock.now_ms(),
                )
                for record in records
            )
        if not arrived:
            return None
        return Batch(DEIDENTIFIED.name, partition, start, arrived[-1].offset, tuple(arrived))

    async def finish(self, handled: Handled) -> None:
        """Write and confirm."""
        await self.log.write(handled.outputs)
        if handled.then is not None:
            await handled.then()

    async def idle(self) -> None:
        """Let every partition be idle once."""
        idle = self.service.subscription.idle
        assert idle is not None
        for partition in await self.log.partitions(DEIDENTIFIED.name):
            await idle(partition, self.done.get(partition, 0))


@asynccontextmanager
async def driving(
    log: InMemoryLog, redis_url: str, shelf: Shelf | None = None, **settings: float
) -> AsyncIterator[Driver]:
    """Run a service on a log in memory and a real Redis."""
    clock = ManualClock()
    chosen = InferenceSettings(redis_url=redis_url, device="cpu", batch_wait_s=0.0).model_copy(
        update=settings
    )
    async with running(chosen, log, log, shelf or Shelf(), clock) as service:
        await service.read_all()
        yield Driver(log, service, clock)


def a_log(partitions: int = 2) -> InMemoryLog:
    """Return a log with the topics that inference reads and writes."""
    log = InMemoryLog(partitions=partitions, clock=ManualClock())
    for topic in TOPICS:
        log.create(topic.name, 1 if topic is PROMOTED else partitions)
    return log


async def tell(log: InMemoryLog, *events: DeidentifiedEvent) -> None:
    """Append events to the log."""
    for event in events:
        await log.write(
            [Output(DEIDENTIFIED.name, event.token.encode(), DEIDENTIFIED.encode(event))]
        )


def assessments(log: InMemoryLog) -> dict[str, Assessment]:
    """Return the first assessment of each event, without what time and place add."""
    found: dict[str, Assessment] = {}
    for record in log.records(ASSESSED.name):
        if record.value is None:
            continue  # of somebody who was erased
        assessment = ASSESSED.decode(record.value)
        found.setdefault(assessment.event_id, assessment)
    return found


def reports(log: InMemoryLog) -> dict[str, Assessment]:
    """Return the report that shows of each token: the last record."""
    found: dict[str, Assessment] = {}
    for record in log.records(CURRENT.name):
        assert record.value is not None
        assessment = CURRENT.decode(record.value)
        found[assessment.token] = assessment
    return found
