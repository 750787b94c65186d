"""The one thread that runs the models: rows of all partitions, batched by size, bytes and time.

The event loop never waits for torch; a full queue makes the partitions wait. A row's answer does
not depend on the batch that it happened to be in.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from contracts.assessed import Risk
from plumbing import log
from plumbing.clock import Clock
from plumbing.in_hand import working_elsewhere
from services.inference import metrics
from services.inference.model import RiskModel
from services.inference.view import PatientView

FACT_BYTES = 256  # what one fact takes in memory, roughly
_log = log.get("inference")


@dataclass(frozen=True, kw_only=True)
class BatchLimits:
    """When a batch goes: at ``rows_max``, at ``bytes_max``, or ``wait_s`` after its first row."""

    rows_max: int = 64
    bytes_max: int = 16 * 1024 * 1024
    wait_s: float = 0.002
    queue_max: int = 256


@dataclass(slots=True)
class _Request:
    model: RiskModel
    views: Sequence[PatientView]
    answer: "asyncio.Future[Sequence[Risk]]"
    since_s: float
    bytes: int = field(init=False)

    def __post_init__(self) -> None:
        self.bytes = FACT_BYTES * sum(len(view.facts) for view in self.views)


class Scorer:
    """Runs models. ``degraded`` is "" or why answers come from a slower place than chosen."""

    def __init__(self, limits: BatchLimits, clock: Clock) -> None:
        """Nothing runs before ``start``."""
        self.degraded = ""
        self._limits = limits
        self._clock = clock
        self._queue: asyncio.Queue[_Request] = asyncio.Queue(limits.queue_max)
        self._held: _Request | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="torch")
        self._task: asyncio.Task[None] | None = None
        self._on_cpu: dict[str, RiskModel] = {}

    def start(self) -> None:
        """Begin to work the queue off."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stop; what waits is cancelled."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._thread.shutdown(wait=True)

    async def assess(self, model: RiskModel, views: Sequence[PatientView]) -> Sequence[Risk]:
        """Return one risk for each view, in order. An error of the model comes back as it is."""
        if not views:
            return ()
        answers: list[Risk] = []
        for first in range(0, len(views), self._limits.rows_max):
            part = views[first : first + self._limits.rows_max]
            answer: asyncio.Future[Sequence[Risk]] = asyncio.get_running_loop().create_future()
            metrics.PENDING.inc(len(part))
            try:
                now_s = self._clock.monotonic_s()
                with working_elsewhere():  # what dies in the thread dies of this batch
                    await self._queue.put(_Request(model, part, answer, now_s))
                    answers.extend(await answer)
            finally:
                metrics.PENDING.dec(len(part))
        return answers

    async def _run(self) -> None:
        while True:
            batch, reason = await self._gather()
            metrics.DISPATCH.labels(reason).inc()
            await self._answer([one for one in batch if not one.answer.done()])

    async def _gather(self) -> tuple[list[_Request], str]:
        """Return requests for one model, and why no more of them."""
        first = self._held or await self._queue.get()
        self._held = None
        batch, limits = [first], self._limits
        rows, size = len(first.views), first.bytes
        while rows < limits.rows_max:
            following = await self._next()
            if following is None:
                return batch, "deadline"
            rows, size = rows + len(following.views), size + following.bytes
            fits = rows <= limits.rows_max and size <= limits.bytes_max
            if following.model is not first.model or not fits:
                self._held = following
                return batch, "bytes" if size > limits.bytes_max else "full"
            batch.append(following)
        return batch, "full"

    async def _next(self) -> _Request | None:
        try:
            return self._queue.get_nowait()
        except asyncio.QueueEmpty:
            pass
        try:
            async with asyncio.timeout(self._limits.wait_s):
                return await self._queue.get()
        except TimeoutError:
            return None

    async def _answer(self, batch: Sequence[_Request]) -> None:
        if not batch:
            return
        began_s = self._clock.monotonic_s()
        views = [view for one in batch for view in one.views]
        metrics.BATCH_SIZE.observe(len(views))
        for one in batch:
            metrics.QUEUE_DELAY.observe(began_s - one.since_s)
        loop = asyncio.get_running_loop()
        try:
            risks = await loop.run_in_executor(self._thread, self._forward, batch[0].model, views)
        except Exception as error:  # noqa: BLE001 - it belongs to those who asked
            for one in batch:
                if not one.answer.done():
                    one.answer.set_exception(error)
            return
        metrics.COMPUTE.labels("forward").observe(self._clock.monotonic_s() - began_s)
        at = 0
        for one in batch:
            if not one.answer.done():
                one.answer.set_result(risks[at : at + len(one.views)])
            at += len(one.views)

    def _forward(self, model: RiskModel, views: Sequence[PatientView]) -> Sequence[Risk]:
        """Run in the thread. A model that fails on an accelerator goes on, on the CPU."""
        model = self._on_cpu.get(model.digest, model)
        if model.device == "cpu":
            return model.assess(views)
        try:
            return model.assess(views)
        except RuntimeError as error:  # torch: out of memory, a lost or a sick device
            _log.error("accelerator failed", model=model.name, device=model.device, error=error)
            metrics.FALLBACK.labels(model.device, "cpu").inc()
            self.degraded = "cpu"
            self._on_cpu[model.digest] = model.on("cpu")
            return self._on_cpu[model.digest].assess(views)
