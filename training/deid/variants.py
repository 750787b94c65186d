"""Marked notes as templates: each drawing writes other people, places and numbers into one.

So some hundred notes that people wrote stand for thousands: what surrounds an identifier is theirs,
the identifier is new. A third is left as it is; stretches are cut, and two notes mixed.
"""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from training.deid.chinese_names import ChineseNames
from training.deid.english import People
from training.deid.renaming import Renaming
from training.deid.texts import Marked

AS_IT_IS = 0.3
CUT_SHARE, MIXED_SHARE = 0.4, 0.2
SHARES = {"en": 0.54, "zh": 0.46}  # English has more ways to write a name or place
ENDS = re.compile(r"\n+|(?<=[。；;])|(?<=[.!?]) (?=[A-Z\u27e6])")


@dataclass(frozen=True)
class Variants:
    """Writes new notes in the way of marked ones; ``notes`` by language."""

    notes: Mapping[str, Sequence[Marked]]
    people: People
    names: ChineseNames

    def write(self, rng: random.Random) -> tuple[str, str]:
        """Return a note with its marks, and its language."""
        langs = sorted(self.notes)
        lang = rng.choices(langs, [SHARES[one] for one in langs])[0]
        marked = self._one(lang, rng)
        if rng.random() < MIXED_SHARE:
            marked = (
                _stretch(marked, rng)
                + rng.choice(("\n", " ", ""))
                + _stretch(self._one(lang, rng), rng)
            )
        elif rng.random() < CUT_SHARE:
            marked = _stretch(marked, rng)
        return marked, lang

    def _one(self, lang: str, rng: random.Random) -> str:
        note = rng.choice(self.notes[lang])
        if rng.random() < AS_IT_IS:
            return marked_text(note, None)
        return marked_text(note, Renaming(rng, lang, self.people, self.names))


def marked_text(note: Marked, renaming: Renaming | None) -> str:
    """Return a note with its marks, its values renamed."""
    if renaming is not None:
        renaming.prepare([note.text[a:b] for a, b, label in note.spans if label == "NAME"])
    pieces, position = [], 0
    for start, end, label in note.spans:
        value = note.text[start:end]
        if renaming is not None:
            value = renaming.other(label, value)
        pieces += [note.text[position:start], f"⟦{label}:{value}⟧"]
        position = end
    return "".join([*pieces, note.text[position:]])


def _stretch(marked: str, rng: random.Random) -> str:
    """Some sentences or lines on end; never within a mark."""
    cuts = [
        0,
        *(m.end() for m in ENDS.finditer(marked) if _is_outside(marked, m.end())),
        len(marked),
    ]
    first = rng.randrange(len(cuts) - 1)
    last = min(len(cuts) - 1, first + rng.randrange(1, max(2, len(cuts) * 2 // 3) + 1))
    return marked[cuts[first] : cuts[last]]


def _is_outside(marked: str, at: int) -> bool:
    return marked.rfind("⟦", 0, at) <= marked.rfind("⟧", 0, at)
