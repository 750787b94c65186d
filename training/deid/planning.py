"""Pure: what to train and how, as shipped, or on a machine that is lent by time."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from services.privacy.tagger.network import Shape
from training.deid.fit import Recipe

WRITTEN_SHARE = 0.72  # of the time that is given to both parts


@dataclass(frozen=True)
class Plan:
    """What to train. ``written`` learns from templates and training notes,
    ``marked`` then from the development texts as well.
    """

    version: str
    created: str
    threshold: float
    threshold_han: float
    seed: int = 1
    shape: Shape = field(default_factory=Shape)
    written: Recipe = field(
        default_factory=lambda: Recipe(
            steps=2_000, chars=16_000, rate=3e-3, context_rate=3e-4, more_share=0.85
        )
    )
    marked: Recipe = field(
        default_factory=lambda: Recipe(
            steps=1_600, chars=16_000, rate=1.5e-3, context_rate=3e-4, more_share=0.85
        )
    )
    notes_share: float = 0.8  # of the marked texts; the others are the lines
    plain_share: float = 0.12  # of what is not from templates
    figures: dict[str, float] = field(default_factory=dict)
    device: str = "cpu"
    # Folders of trained ones. Their first parts teach, which have seen no test, where kept.
    teachers: tuple[Path, ...] = ()
    begin: Path | None = None  # the one to go on from; None: the first teacher
    told_share: float = 0.5  # of what is not from templates, where a large teacher has told

    @property
    def goes_on_from(self) -> Path | None:
        """Return the folder of the one to go on from; None: a new network learns."""
        return self.begin or next(iter(self.teachers), None)


def by_time(plan: Plan, seconds: float) -> Plan:
    """Return the plan for a machine that is lent for so long, both parts together."""
    first = seconds * WRITTEN_SHARE
    return replace(
        plan,
        written=replace(plan.written, seconds=first),
        marked=replace(plan.marked, seconds=seconds - first),
    )
