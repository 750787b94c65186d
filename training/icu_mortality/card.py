"""The model card: what a hospital must know before it uses the model, figures included.

Its headings follow the source attributes that the ONC HTI-1 rule asks of a predictive decision
support intervention (45 CFR 170.315(b)(11)).
"""

from pathlib import Path

from services.inference.features import SERIES, WIDTH
from services.inference.manifest import Manifest
from training.icu_mortality.report import Report

TEMPLATE = Path(__file__).with_name("card_template.md")


def text(manifest: Manifest, report: Report) -> str:
    """Return the card as Markdown."""
    training = manifest.training
    return TEMPLATE.read_text(encoding="utf-8").format(
        name=manifest.name,
        version=manifest.version,
        created=manifest.created,
        digest=manifest.digest,
        outcome=manifest.outcome,
        scope=manifest.scope.statement["en"],
        units=", ".join(manifest.scope.units),
        inputs=len(SERIES),
        width=WIDTH,
        training=training.name,
        stays=training.stays,
        died=training.died,
        died_percent=100 * training.died / training.stays,
        licence=training.licence,
        attribution=training.attribution,
        data_sha256=training.sha256,
        trees=(
            f"{manifest.recipe['bags']:g} x {manifest.recipe['rounds']:g} gradient-boosted trees "
            "of depth three, evaluated in torch in double precision"
        ),
        slopes=", ".join(f"{one:.3f}" for one in manifest.calibration.slopes),
        intercepts=", ".join(f"{one:.3f}" for one in manifest.calibration.intercepts),
        prevalence=training.died / training.stays,
        hours="\n".join(_hours(report)),
        alerts="\n".join(
            f"| {one.threshold:.0%} | {one.flagged_ratio:.1%} | {one.sensitivity:.1%} "
            f"| {one.positive_predictive_value:.1%} |"
            for one in report.alerts
        ),
        bins="\n".join(f"| {said:.3f} | {seen:.3f} |" for _, said, seen in report.bins),
        groups="\n".join(
            f"| {one.name} | {one.stays} | {one.died} | {one.auroc or 'too few deaths'} "
            f"| {one.observed_to_expected:.2f} |"
            for one in report.groups
        ),
    )


def _hours(report: Report) -> list[str]:
    return [
        f"| {at.hour} h | "
        + " | ".join(str(at.measures[name]) for name in ("auroc", "auprc", "event_1", "brier"))
        + f" | {at.slope:.3f} | {at.intercept:.3f} | {at.calibration_error:.4f} |"
        for at in report.hours
    ]
