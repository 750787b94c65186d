"""From notes to a file of what large teachers tell of variants of them."""

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from training.deid.corpus import Writer
from training.deid.large_model import Vocabulary, read_weights
from training.deid.large_teacher import Recipe, read, tell
from training.deid.large_texts import LANG, Texts, written
from training.deid.plain_texts import read_plain
from training.deid.texts import read_notes
from training.deid.told import write_told


@dataclass(frozen=True)
class Plan:
    """What to tell of: ``count`` texts in the way of the notes; those in files named like
    ``left_out`` are only learnt from.
    """

    data: Path
    notes: Path
    left_out: str
    seed: int
    count: int
    device: str


def tell_of_notes(
    plan: Plan, model: Path, recipe: Recipe, output: Path, told: Callable[[str], object]
) -> int:
    """Write what is told to a file, and return of how many texts; raise ``FileNotFoundError``, or
    ``KeyError`` where the model is another.
    """
    vocabulary, weights = Vocabulary(model), read_weights(model)
    notes = read_notes(plan.notes, LANG)
    is_left_out = [fnmatch(note.source, plan.left_out) for note in notes]
    texts = Texts(
        [note for note, is_out in zip(notes, is_left_out, strict=True) if not is_out],
        [note for note, is_out in zip(notes, is_left_out, strict=True) if is_out],
        read_plain(plan.data.parent),
    )
    drawn = list(written(texts, Writer(plan.seed), plan.seed, plan.count))
    told(f"reading {len(drawn)} texts")
    pieces = read(vocabulary, [one for one, _ in drawn])
    found = tell(weights, pieces, [is_told for _, is_told in drawn], recipe, plan.device, told)
    write_told(output, found)
    return len(found)
