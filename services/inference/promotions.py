"""Which models are in force: all of ``models.promoted.v1``, read from its start by every replica.

A promotion takes force when its model is verified, loaded and warm; the switch is one assignment.
A model that cannot be verified is not replaced by an older one: its risk is said to be unavailable.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from contracts.promoted import PROMOTED, ModelPromoted
from plumbing import log
from plumbing.clock import Clock
from plumbing.event_log import EventReader, Record
from services.inference import metrics
from services.inference.model import ModelLoader, ModelRefused, RiskModel

_log = log.get("inference")


@dataclass(frozen=True, slots=True)
class InForce:
    """The models at one moment, in the order of their names. ``refused`` are names that were
    promoted and could not be verified; ``epoch`` is the offset of the newest promotion.
    """

    models: tuple[RiskModel, ...] = ()
    refused: tuple[str, ...] = ()
    epoch: int = -1


class Promotions:
    """Follows the topic. ``in_force`` is replaced as a whole, never changed."""

    def __init__(self, reader: EventReader, loader: ModelLoader, device: str, clock: Clock) -> None:
        """``device`` is where models run: ``cpu`` or ``cuda``."""
        self.in_force = InForce()
        self.caught_up = asyncio.Event()
        self._reader = reader
        self._loader = loader
        self._device = device
        self._clock = clock
        self._live: dict[str, tuple[int, ModelPromoted]] = {}
        self._loaded: dict[str, RiskModel] = {}

    @property
    def ready(self) -> bool:
        """Return false when models were promoted and none could be verified."""
        return self.caught_up.is_set() and bool(self.in_force.models or not self.in_force.refused)

    async def follow(self) -> None:
        """Read for ever; ``caught_up`` is set when what was there at the start is in force."""
        async for records in self._reader.tail(PROMOTED.name):
            if records:
                self._note(records)
            if self.caught_up.is_set() or not records:
                await self._put_in_force()
                self.caught_up.set()

    def _note(self, records: Sequence[Record]) -> None:
        for record in records:
            if record.value is None:
                continue
            said = PROMOTED.decode(record.value)
            known = self._live.get(said.model)
            if said.state == "live":
                self._live[said.model] = (record.offset, said)
            elif said.state == "retired" and known and known[1].digest == said.digest:
                del self._live[said.model]

    async def _put_in_force(self) -> None:
        models: list[RiskModel] = []
        refused: list[str] = []
        for name, (_, said) in sorted(self._live.items()):
            model = self._loaded.get(said.digest) or await self._load(said)
            if model is None:
                refused.append(name)
            else:
                models.append(model)
        self._loaded = {model.digest: model for model in models}
        epoch = max((offset for offset, _ in self._live.values()), default=-1)
        self.in_force = InForce(tuple(models), tuple(refused), epoch)
        _tell(self.in_force)

    async def _load(self, said: ModelPromoted) -> RiskModel | None:
        began_s = self._clock.monotonic_s()
        try:
            model = await asyncio.to_thread(self._fetch, said)
        except ModelRefused as error:
            metrics.MODEL_LOADS.labels(said.model, error.code).inc()
            _log.error("model refused", model=said.model, version=said.version, code=error.code)
            return None
        metrics.MODEL_LOADS.labels(said.model, "ok").inc()
        metrics.MODEL_LOAD_SECONDS.observe(self._clock.monotonic_s() - began_s)
        _log.info("model in force", model=said.model, version=said.version, device=model.device)
        return model

    def _fetch(self, said: ModelPromoted) -> RiskModel:
        return self._loader.load(said.model, said.version, said.digest).on(self._device)


def _tell(now: InForce) -> None:
    metrics.MODEL_EPOCH.set(now.epoch)
    metrics.MODEL_INFO.clear()
    for model in now.models:
        labels = (model.name, model.version, model.digest, "live", model.device)
        metrics.MODEL_INFO.labels(*labels).set(1)
