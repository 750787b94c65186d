"""Pure: the card of a tagger, for people."""

from pathlib import Path

import msgspec

from services.privacy.tagger.manifest import TaggerManifest
from services.privacy.tagger.network import Shape
from training.deid.fit import TOLD_SHARE

# What a manifest says of training, by these names.
LIGHTENED, RANGES = "lightened", "ranges"
CUT = (
    "The layers of the language model were cut from larger ones, and learnt to say the same of\n"
    "words, without their marks (`docs/decisions/0095-half-the-language-model.md`): {}.\n"
)
CARD = Path(__file__).with_name("card_template.md")


def card(manifest: TaggerManifest, size: int) -> str:
    """Return the card as Markdown."""
    shape = msgspec.convert(manifest.shape, Shape)
    is_light = LIGHTENED in manifest.training
    figures = "\n".join(f"| {name} | {value:.4f} |" for name, value in manifest.figures.items())
    return CARD.read_text(encoding="utf-8").format(
        version=manifest.version,
        created=manifest.created,
        digest=manifest.digest,
        megabytes=size / 1e6,
        threshold=manifest.threshold,
        threshold_han=manifest.threshold_han,
        files=manifest.training["files"],
        sha256=manifest.training["sha256"],
        templates=manifest.training["templates_sha256"],
        licence=manifest.training["licence"],
        notes=manifest.training["notes"],
        teachers=manifest.training["teachers"] or "none",
        width=shape.width,
        layers=shape.context_layers,
        heads=shape.context_heads,
        inner=shape.context_inner,
        told=f"{TOLD_SHARE:.0%}",
        written=int(manifest.recipe["written_steps"]),
        marked=int(manifest.recipe["marked_steps"]),
        looked=manifest.training.get("second_look", "none"),
        lightened=CUT.format(manifest.training[LIGHTENED]) if is_light else "",
        ranges=manifest.training.get(RANGES, "no notes: it computes in 32 bits"),
        figures=figures,
    )
