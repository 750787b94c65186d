"""Views of patients -> what rules and models say of them, for many at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.assessed import Risk
from services.inference import metrics
from services.inference.assess import Findings, Rules, find
from services.inference.model import RiskModel
from services.inference.promotions import InForce, Promotions
from services.inference.results import Key, ResultCache
from services.inference.scorer import Scorer
from services.inference.view import PatientView

# The risks that a patient is shown even while no model for them is in force.
EXPECTED = {"icu_mortality": "death_in_hospital"}


@dataclass(frozen=True, slots=True)
class Look:
    """One view to judge; ``again``: the same view was judged before, so a result may be kept."""

    view: PatientView
    again: bool = False


@dataclass(frozen=True, slots=True)
class Judged:
    """What is said of one view."""

    view: PatientView
    findings: Findings
    risks: tuple[Risk, ...]
    epoch: int
    device: str
    degraded: str


class Judge:
    """Applies the rules on the event loop and the models on the scorer's thread."""

    def __init__(
        self,
        rules: Rules,
        promotions: Promotions,
        scorer: Scorer,
        results: ResultCache,
        device: str,
    ) -> None:
        """``device`` is where models were meant to run."""
        self._rules = rules
        self._promotions = promotions
        self._scorer = scorer
        self._results = results
        self._device = device

    async def judge(self, looks: Sequence[Look]) -> list[Judged]:
        """Return one answer for each look, in order, all by the models in force at the call."""
        now = self._promotions.in_force
        findings = [find(look.view, self._rules) for look in looks]
        risks: list[list[Risk]] = [_without_model(now) for _ in looks]
        for model in now.models:
            for at, risk in enumerate(await self._ask(model, looks, findings)):
                risks[at].append(risk)
        for name in now.refused:
            metrics.REQUESTS.labels(name, "", "unavailable").inc(len(looks))
        degraded = "model_unavailable" if now.refused else self._scorer.degraded
        device = self._scorer.degraded or self._device
        return [
            Judged(look.view, found, tuple(said), now.epoch, device, degraded)
            for look, found, said in zip(looks, findings, risks, strict=True)
        ]

    async def _ask(
        self, model: RiskModel, looks: Sequence[Look], findings: Sequence[Findings]
    ) -> list[Risk]:
        reasons = [model.covers(look.view) for look in looks]
        asked = [at for at, reason in enumerate(reasons) if not reason]
        keys: dict[int, Key] = {at: (model.digest, findings[at].inputs_digest) for at in asked}
        kept = await self._results.get([keys[at] for at in asked if looks[at].again])
        fresh = [at for at in asked if keys[at] not in kept]
        answers = await self._scorer.assess(model, [looks[at].view for at in fresh])
        made = {keys[at]: risk for at, risk in zip(fresh, answers, strict=True)}
        await self._results.put(made)
        _count(model, len(asked), len(looks) - len(asked), list(made.values()))
        known = kept | made
        return [
            known[keys[at]] if not reason else _not_covered(model, reason)
            for at, reason in enumerate(reasons)
        ]


def _without_model(now: InForce) -> list[Risk]:
    """Return the risks that no model speaks for, with why."""
    said = [_nobody(name, "model_unavailable") for name in now.refused]
    there = {model.name for model in now.models} | set(now.refused)
    return said + [_nobody(name, "no_live_model") for name in EXPECTED if name not in there]


def _nobody(name: str, reason: str) -> Risk:
    return Risk(model=name, outcome=EXPECTED.get(name, name), covered=False, reason=reason)


def _not_covered(model: RiskModel, reason: str) -> Risk:
    return Risk(
        model=model.name,
        version=model.version,
        digest=model.digest,
        outcome=model.outcome,
        covered=False,
        reason=reason,
    )


def _count(model: RiskModel, scored: int, not_covered: int, made: Sequence[Risk]) -> None:
    metrics.REQUESTS.labels(model.name, model.version, "scored").inc(scored)
    metrics.REQUESTS.labels(model.name, model.version, "not_covered").inc(not_covered)
    histogram = metrics.PROBABILITY.labels(model.name, model.version)
    for risk in made:
        if risk.probability is not None:
            histogram.observe(risk.probability)
