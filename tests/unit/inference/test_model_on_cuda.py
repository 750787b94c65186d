"""The shipped model on a real CUDA device says what it says on the CPU; skipped where none is."""

from pathlib import Path

import pytest
import torch

from bench.accelerator import run
from plumbing.clock import SystemClock
from services.inference.app import choose_device
from services.inference.icu_mortality import IcuMortality
from services.inference.registry import check_golden
from services.inference.scorer import BatchLimits, Scorer
from tests.support.models import a_fact, a_manifest, a_model, a_view, some_trees

MODELS = Path(__file__).parents[3] / "data" / "models"

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def test_auto_chooses_the_device_that_is_there() -> None:
    assert choose_device("auto") == "cuda"
    assert choose_device("cpu") == "cpu"


def test_the_golden_stays_get_their_golden_answers_there() -> None:
    trees = some_trees()
    model = IcuMortality(a_manifest(trees), trees, "cuda")
    check_golden(model)
    assert model.on("cpu").device == "cpu"


def test_every_patient_gets_the_same_risk_and_reasons_on_both_devices() -> None:
    found = run(MODELS, batch_sizes=(1, 300))
    assert found["cuda"]["largest_difference"] <= 1e-6
    assert found["cuda"]["other_reasons"] == 0


async def test_a_device_out_of_memory_costs_speed_not_answers() -> None:
    """The device's memory is limited to less than a batch needs: a real failure of it."""
    views = [a_view(a_fact(n, "HR", 60.0 + n, 10 + n)) for n in range(64)]
    model = a_model().on("cuda")
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(1e-9)
    scorer = Scorer(BatchLimits(), SystemClock())
    scorer.start()
    try:
        assert list(await scorer.assess(model, views)) == list(a_model().assess(views))
        assert scorer.degraded == "cpu"
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
        await scorer.close()
