"""What the runtime asks of a risk model, and of whatever loads one."""

from collections.abc import Sequence
from typing import Protocol

from contracts.assessed import Risk
from services.inference.view import PatientView


class ModelRefused(Exception):
    """A model was not loaded. ``code`` is a short fixed word (signature, digest, golden, missing,
    architecture): it becomes a metric label, so it never holds a path or a name.
    """

    def __init__(self, code: str) -> None:
        """Keep the code."""
        super().__init__(code)
        self.code = code


class RiskModel(Protocol):
    """One verified, loaded model. Used from one thread at a time."""

    @property
    def name(self) -> str:
        """Return the task, such as ``icu_mortality``."""

    @property
    def version(self) -> str:
        """Return the version, such as ``1.0.0``."""

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the manifest, in hex: the digest that a promotion names."""

    @property
    def outcome(self) -> str:
        """Return what the probability is of, such as ``death_in_hospital``."""

    @property
    def device(self) -> str:
        """Return where it runs: ``cpu`` or ``cuda``."""

    def on(self, device: str) -> "RiskModel":
        """Return the same model on another device (itself when it is there already)."""

    def covers(self, view: PatientView) -> str:
        """Return "" when the model may score this patient now, else a reason code
        (``adult_only``, ``not_icu``, ``no_icu_admission``, ..). Cheap: called on the event loop.
        """

    def assess(self, views: Sequence[PatientView]) -> Sequence[Risk]:
        """Return one ``Risk`` for each view, in order; the caller passes only covered views.

        One forward for the batch; calibrated, with contributions. A row's answer does not depend
        on its neighbours in the batch (to 1e-6) and is the same each time.
        """


class ModelLoader(Protocol):
    """Finds a model by what a promotion says of it. Called in a worker thread, may block."""

    def load(self, name: str, version: str, digest: str) -> RiskModel:
        """Return the model, verified (signature, digest, golden outputs) and warm.

        Raises:
            ModelRefused: it is not there, or not what it claims to be.
        """
