"""The English texts that large teachers read, and which of them each learns from.

Notes are dealt into three parts by their names, templates and medical texts in turn. A teacher
learns from two parts and tells of the third: what it says there is what it would say of a note that
nobody has marked.
"""

import hashlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from training.deid.corpus import Writer, restyled, unmarked
from training.deid.plain_texts import Plain
from training.deid.texts import Marked
from training.deid.variants import Variants

LANG = "en"
PARTS = 3
TEMPLATE_SHARE, PLAIN_SHARE = 0.12, 0.1
SMALL_SHARE, CAPITAL_SHARE = 0.05, 0.03  # of texts, written in one case


class Dealt(NamedTuple):
    """A text, the part that it, or the note it was written from, was dealt to, and whether it is
    told of or only learnt from.
    """

    marked: Marked
    part: int
    is_told: bool = True


@dataclass(frozen=True)
class Texts:
    """What texts are written from: ``notes`` are told of, ``others`` only learnt from."""

    notes: Sequence[Marked]
    others: Sequence[Marked]
    plain: Plain


def part_of(note: Marked) -> int:
    """Return the part that a note is dealt to."""
    return int(hashlib.sha256(note.id.encode()).hexdigest(), 16) % PARTS


def written(texts: Texts, writer: Writer, seed: int, count: int) -> Iterator[Dealt]:
    """Yield texts in turn."""
    rng = random.Random(seed)
    groups = [
        ([note for note in notes if part_of(note) == part], part, is_told)
        for notes, is_told in ((texts.notes, True), (texts.others, False))
        for part in range(PARTS)
    ]
    sizes = [len(notes) for notes, _, _ in groups]
    plain = Plain({LANG: texts.plain.texts[LANG]} if LANG in texts.plain.texts else {})
    for _ in range(count):
        share = rng.random()
        part, is_told = rng.randrange(PARTS), True
        if share < TEMPLATE_SHARE or (share < TEMPLATE_SHARE + PLAIN_SHARE and not plain.texts):
            text = writer.english(rng)
        elif share < TEMPLATE_SHARE + PLAIN_SHARE:
            text = plain.write(rng)[0]
        else:
            notes, part, is_told = rng.choices(groups, sizes)[0]
            text = Variants({LANG: notes}, writer.people, writer.names).write(rng)[0]
        marked = _in_one_case(unmarked(restyled(text, LANG, rng), LANG), rng.random())
        if marked.text.strip():
            yield Dealt(marked, part, is_told)


def _in_one_case(marked: Marked, share: float) -> Marked:
    if share >= SMALL_SHARE + CAPITAL_SHARE:
        return marked
    change = str.lower if share < SMALL_SHARE else str.upper
    chars = (change(char) if len(change(char)) == 1 else char for char in marked.text)
    return Marked("", LANG, marked.source, "".join(chars), marked.spans)
