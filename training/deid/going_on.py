"""A trained tagger learns on, by the marks of all notes, and the mean with what it was is kept.

What learning on learns by heart is halved so (Wortsman et al., 2022, "Robust fine-tuning of
zero-shot models").
"""

from dataclasses import asdict, dataclass, field
from pathlib import Path

from services.privacy.tagger.manifest import TaggerManifest
from training.deid.card import FURTHER
from training.deid.corpus import Writer
from training.deid.fit import Progress, Recipe, fit
from training.deid.pipeline import Texts, between, marked
from training.deid.planning import Plan as CorpusPlan
from training.deid.renewing import Changed, renew, trained

RECIPE = Recipe(steps=3_000, chars=16_000, rate=8e-4, context_rate=1.3e-4, more_share=0.9)


@dataclass(frozen=True)
class Plan:
    """What goes on: the tagger in the folder ``before``; and the limits of what comes of it."""

    before: Path
    version: str
    created: str
    threshold: float
    threshold_han: float
    seed: int = 0
    recipe: Recipe = field(default_factory=lambda: RECIPE)


def go_on(texts: Texts, plan: Plan, folder: Path, progress: Progress) -> TaggerManifest:
    """Write the folder; the second look stays. Return the manifest, or raise ``TaggerRefused`` or
    ``GoldenDiffers``.
    """
    before = trained(plan.before)
    network = before.network
    was = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    limits = (plan.threshold, plan.threshold_han)
    corpus = marked(
        Writer(plan.seed), texts, CorpusPlan(plan.version, plan.created, *limits, plan.seed)
    )
    recipe = asdict(plan.recipe) | {"seed": plan.seed}
    fit(network, corpus, Recipe(**recipe), progress)
    changed = Changed(
        plan.version,
        plan.created,
        *limits,
        between(was, network),
        before.shape,
        {FURTHER: f"{before.manifest.digest}, by {_said(texts)}"},
        {f"further_{name}": float(value) for name, value in recipe.items()},
    )
    return renew(before, changed, texts.training_notes, folder)


def _said(texts: Texts) -> str:
    count = sum(map(len, texts.training_notes.values()))
    return f"{count} notes among {', '.join(texts.files)}, {texts.sha256}"
