"""The models' thread: batches across callers, falls back to the CPU, and harms nobody else."""

import asyncio
from collections.abc import Sequence

import pytest

from contracts.assessed import Risk
from contracts.promoted import PROMOTED, ModelPromoted, ModelState
from plumbing.clock import ManualClock, SystemClock
from plumbing.event_log import Output
from plumbing.memory_log import InMemoryLog
from services.inference.model import RiskModel
from services.inference.promotions import Promotions
from services.inference.scorer import BatchLimits, Scorer
from services.inference.standing import Part, view_of
from services.inference.state import EMPTY, apply
from services.inference.view import PatientView
from tests.support.inference import CountingModel, Shelf, vitals


def a_view(value: float) -> PatientView:
    event = vitals(f"v{value}", "t" * 26, heart_rate=value)
    return view_of("t" * 26, [Part("t" * 26, apply(EMPTY, event, 0))], 0)


class BatchModel(CountingModel):
    """Remembers the sizes of its batches."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    def assess(self, views: Sequence[PatientView]) -> Sequence[Risk]:
        self.sizes.append(len(views))
        return super().assess(views)


class SickAccelerator(BatchModel):
    """A model whose device runs out of memory, and that works on the CPU."""

    device = "cuda"

    def on(self, device: str) -> RiskModel:
        assert device == "cpu"
        return BatchModel()

    def assess(self, views: Sequence[PatientView]) -> Sequence[Risk]:
        raise RuntimeError(f"CUDA out of memory for {len(views)} rows")


@pytest.fixture
async def scorer() -> "Scorer":
    found = Scorer(BatchLimits(rows_max=8, wait_s=0.05), SystemClock())
    found.start()
    return found


async def test_rows_of_several_callers_share_a_batch_and_find_their_way_back(
    scorer: Scorer,
) -> None:
    model = BatchModel()
    views = [a_view(value) for value in range(40, 60)]
    answers = await asyncio.gather(*(scorer.assess(model, [view]) for view in views))

    alone = BatchModel()
    assert [one for (one,) in answers] == [alone.assess([view])[0] for view in views]
    assert max(model.sizes) == 8
    assert len(model.sizes) < 10
    await scorer.close()


async def test_a_caller_with_many_rows_gets_them_in_order(scorer: Scorer) -> None:
    model, views = BatchModel(), [a_view(value) for value in range(40, 70)]
    answers = await scorer.assess(model, views)
    assert list(answers) == list(BatchModel().assess(views))
    assert model.sizes == [8, 8, 8, 6]
    assert await scorer.assess(model, []) == ()
    await scorer.close()


async def test_a_sick_accelerator_costs_speed_not_answers(scorer: Scorer) -> None:
    views = [a_view(80), a_view(120)]
    sick = SickAccelerator()
    assert list(await scorer.assess(sick, views)) == list(BatchModel().assess(views))
    assert scorer.degraded == "cpu"
    await scorer.close()


async def test_an_error_of_the_model_reaches_the_caller_and_the_next_goes_on(
    scorer: Scorer,
) -> None:
    class Broken(BatchModel):
        def assess(self, views: Sequence[PatientView]) -> Sequence[Risk]:
            raise ValueError(len(views))

    with pytest.raises(ValueError, match="1"):
        await scorer.assess(Broken(), [a_view(80)])
    assert len(await scorer.assess(BatchModel(), [a_view(80)])) == 1
    assert not scorer.degraded
    await scorer.close()


def promoted(state: ModelState, digest: str) -> Output:
    said = ModelPromoted(
        model="icu_mortality", version="1", digest=digest, state=state, by="test", at_ms=0
    )
    return Output(PROMOTED.name, b"icu_mortality", PROMOTED.encode(said))


async def following(log: InMemoryLog, shelf: Shelf) -> tuple[Promotions, asyncio.Task[None]]:
    promotions = Promotions(log, shelf, "cpu", ManualClock())
    task = asyncio.create_task(promotions.follow())
    await promotions.caught_up.wait()
    return promotions, task


async def test_the_last_live_record_is_in_force_and_a_retired_one_is_not() -> None:
    log, shelf = InMemoryLog([PROMOTED.name], partitions=1), Shelf()
    await log.write([promoted("live", "e" * 64), promoted("live", shelf.model.digest)])
    promotions, task = await following(log, shelf)
    assert [model.digest for model in promotions.in_force.models] == [shelf.model.digest]
    assert promotions.in_force.epoch == 1

    await log.write([promoted("retired", shelf.model.digest)])
    async with asyncio.timeout(30):
        while promotions.in_force.models:  # noqa: ASYNC110 - no event says it
            await asyncio.sleep(0.01)
    assert promotions.in_force.epoch == -1
    assert promotions.ready
    task.cancel()


async def test_a_model_that_is_refused_is_not_in_force_and_says_so() -> None:
    log = InMemoryLog([PROMOTED.name], partitions=1)
    await log.write([promoted("live", "d" * 64)])
    promotions, task = await following(log, Shelf(code="signature"))
    assert promotions.in_force.models == ()
    assert promotions.in_force.refused == ("icu_mortality",)
    assert not promotions.ready
    task.cancel()
