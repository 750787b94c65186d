"""Risks a second of the ICU mortality model on each device of this machine, by batch size.

What is timed is what the service runs for a batch of patients: features, trees, calibration and
the reasons of each risk. The same patients are scored on every device, and each answer is held
against the CPU's: ``largest_difference`` is that of the probabilities, ``other_reasons`` counts
patients whose reasons are not the same in the same order.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import torch

from bench.inference import told_events
from contracts.assessed import Risk
from services.inference.icu_mortality import IcuMortality
from services.inference.registry import ModelRegistry, trusted_keys
from services.inference.standing import Part, view_of
from services.inference.state import EMPTY, PatientState, apply
from services.inference.view import PatientView

BATCH_SIZES = (1, 8, 64, 512, 4096)
EVENTS_A_PATIENT = 30
REPETITIONS = 5
WARM_UPS = 2


def run(models_dir: Path, batch_sizes: Sequence[int] = BATCH_SIZES) -> dict[str, Any]:
    """Return, for each device, rates by batch size, and how its answers compare to the CPU's."""
    torch.set_num_threads(1)  # as the service does
    registry = ModelRegistry(models_dir, trusted_keys([models_dir / "release.pub"]))
    name, version = list(registry.listed())[-1]
    model = registry.verify(name, version)
    views = _views(max(batch_sizes))
    expected = model.assess(views)
    devices = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    found: dict[str, Any] = {
        device: _device(model, device, views, batch_sizes) for device in devices
    }
    for device in devices:
        found[device] |= _compared(model.on(device).assess(views), expected)
    return found | {"cuda_there": "cuda" in devices}


def _device(
    model: IcuMortality, device: str, views: Sequence[PatientView], batch_sizes: Sequence[int]
) -> dict[str, Any]:
    began_s = time.perf_counter()
    there = model.on(device)
    there.assess(views[:1])
    loaded_s = time.perf_counter() - began_s
    named = torch.cuda.get_device_name() if device == "cuda" else "cpu"
    rates = {str(size): round(_rate(there, views[:size])) for size in batch_sizes}
    return {"named": named, "to_first_answer_s": round(loaded_s, 3), "risks_per_s": rates}


def _rate(model: IcuMortality, views: Sequence[PatientView]) -> float:
    """Return risks a second, of the median of some batches; an answer is on the CPU when timed."""
    took = []
    for _ in range(WARM_UPS + REPETITIONS):
        began_s = time.perf_counter()
        model.assess(views)
        took.append(time.perf_counter() - began_s)
    return len(views) / median(took[WARM_UPS:])


def _compared(said: Sequence[Risk], expected: Sequence[Risk]) -> dict[str, Any]:
    pairs = list(zip(said, expected, strict=True))
    apart = [abs((one.probability or 0.0) - (two.probability or 0.0)) for one, two in pairs]
    order = [
        [part.parameter for part in one.contributions]
        == [part.parameter for part in two.contributions]
        for one, two in pairs
    ]
    return {"largest_difference": max(apart), "other_reasons": order.count(False)}


def _views(count: int) -> list[PatientView]:
    """Return patients of intensive care with up to ``EVENTS_A_PATIENT`` hours of readings."""
    states: dict[str, PatientState] = {}
    views: list[PatientView] = []
    for offset, event in enumerate(told_events("icu", count + 2 * 85)):
        state = apply(states.get(event.token, EMPTY), event, offset)
        states[event.token] = state
        if event.observations:
            views.append(view_of(event.token, [Part(event.token, state)], event.occurred_at_ms))
    return views[:count]
