"""From a tagger's folder to another that looks again at words: learn, join, write, describe."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from safetensors.numpy import load, save

from services.privacy.tagger.manifest import (
    LOOKING_AGAIN,
    SECOND,
    SEEN,
    TaggerManifest,
    read_manifest,
    read_weights,
    tagger_of,
)
from services.privacy.tagger.packing import packed
from services.privacy.tagger.products import in_32_bits
from services.privacy.tagger.seen import KEYS, LEVELS
from training.deid.pipeline import DEV_FILES, put
from training.deid.second_look import Recipe, Rules, Told, examples, learn
from training.deid.seen_words import seen_elsewhere, shipped
from training.deid.texts import Marked, read_lines, read_notes

LANG = "en"  # in texts of which a fifth is Chinese nothing is looked at again
APART = "recall by word in notes kept aside, as precise as the network alone"
TABLE_NUMBERS_MIN = 1_000
ALONE = 0.09  # the limit of the network alone (decision 0025), which answers are moved to


@dataclass(frozen=True)
class Plan:
    """What to teach: the notes in files named like ``notes_named``, which ``before`` has not seen,
    and the English development texts.
    """

    before: Path
    notes_named: str
    version: str
    created: str
    threshold: float
    seed: int = 0
    recipe: Recipe = field(default_factory=Recipe)


class Texts(NamedTuple):
    """What teaches: new ``notes`` and ``lines``, whose words are examples, and the notes of which
    is ``counted`` how often words identify.
    """

    notes: Sequence[Marked]
    lines: Sequence[Marked]
    counted: Sequence[Marked]


def new_notes(folder: Path, named: str) -> list[Marked]:
    """Return the English notes in files named so; raise ``FileNotFoundError`` without one."""
    found = [note for note in read_notes(folder, LANG) if fnmatch(note.source, named)]
    if not found:
        raise FileNotFoundError(f"{folder / LANG}: no notes in files named {named}")
    return found


def english_lines(data: Path) -> list[Marked]:
    """Return the English development texts in a folder."""
    return [line for name in DEV_FILES for line in read_lines(data / name) if line.lang == LANG]


def look_again(
    texts: Texts,
    by_rules: Rules,
    plan: Plan,
    folder: Path,
    told: Told,
) -> TaggerManifest:
    """Teach a second look by notes and lines, write the folder, and return its manifest; raise
    ``TaggerRefused``.
    """
    notes, lines = texts.notes, texts.lines
    manifest = read_manifest(plan.before)
    weights = read_weights(plan.before, manifest)
    tagger = tagger_of(manifest, weights, in_32_bits)
    told("counting words")
    every, seen = seen_elsewhere(texts.counted)
    found = examples(tagger, [*notes, *lines], by_rules, seen, told)
    told(f"learning: {len(found.note)} words")
    is_note = found.note < len(notes)
    second, apart = learn(found, is_note, plan.seed, ALONE, plan.recipe)
    own = packed(second.state_dict(), TABLE_NUMBERS_MIN)
    words = shipped(every)
    joined = save(
        {
            **{n: part for n, part in load(weights).items() if not n.startswith(LOOKING_AGAIN)},
            **{SECOND + name: part for name, part in own.items()},
            SEEN + KEYS: words.keys,
            SEEN + LEVELS: words.levels,
        }
    )
    digest = hashlib.sha256(
        repr([(text.text, text.spans) for text in (*notes, *lines)]).encode()
    ).hexdigest()
    said = (
        f"{len(notes)} notes ({plan.notes_named}) and {len(lines)} development texts, {digest}; "
        f"words counted in {len(texts.counted)} notes"
    )
    recipe = {f"second_{name}": float(value) for name, value in asdict(plan.recipe).items()}
    return put(
        msgspec.structs.replace(
            manifest,
            version=plan.version,
            created=plan.created,
            threshold=plan.threshold,
            weights_sha256=hashlib.sha256(joined).hexdigest(),
            training=manifest.training | {"second_look": said},
            recipe=manifest.recipe | recipe | {"second_seed": float(plan.seed)},
            figures={APART: float(np.round(apart, 4))},  # the others were of another tagger
        ),
        joined,
        folder,
    )
