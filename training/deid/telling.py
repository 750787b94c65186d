"""From notes to a file of what large teachers tell of variants of them."""

from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from training.deid.corpus import Writer
from training.deid.fit import Progress
from training.deid.large_model import read_bert
from training.deid.large_teacher import Recipe, read, tell
from training.deid.large_texts import LANG, Texts, written
from training.deid.plain_texts import read_plain
from training.deid.texts import read_notes
from training.deid.told import write_told


@dataclass(frozen=True)
class Plan:
    """What to tell of: ``count`` texts in the way of the notes but those in files named like
    ``left_out``; those in files named like ``not_told`` are only learnt from.
    """

    data: Path
    notes: Path
    left_out: str
    not_told: str
    seed: int
    count: int
    device: str


def tell_of_notes(plan: Plan, model: Path, recipe: Recipe, output: Path, progress: Progress) -> int:
    """Write what is told to a file, and return of how many texts; raise ``FileNotFoundError``
    without a folder to write to or a note, ``NotBert``.
    """
    if not output.parent.is_dir():
        raise FileNotFoundError(f"{output.parent}: no such folder")
    vocabulary, weights = read_bert(model)
    notes = read_notes(plan.notes, LANG, plan.left_out)
    told_of = [one for one in notes if not fnmatch(one.source, plan.not_told)]
    if not told_of:
        raise FileNotFoundError(f"{plan.notes / LANG}: no note to tell of")
    others = [one for one in notes if fnmatch(one.source, plan.not_told)]
    texts = Texts(told_of, others, read_plain(plan.data.parent))
    dealt = list(written(texts, Writer(plan.seed), plan.seed, plan.count))
    progress.told(f"reading {len(dealt)} texts")
    found = tell(weights, read(vocabulary, dealt), recipe, plan.device, progress)
    write_told(output, found)
    return len(found)
