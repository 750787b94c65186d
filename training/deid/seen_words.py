"""Counts, in marked notes, how often words and what stands beside them identified somebody: what
`services/privacy/tagger/seen.py` reads.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.privacy.folding import fold
from services.privacy.tagger.identifying import words_of
from services.privacy.tagger.seen import STEPS, WORD_KEYS, Counts, Keys, Seen, keys_of, looked_up
from training.deid.texts import BadGold, Marked

WRITERS_MIN = 2
BESIDE_MIN = 2  # notes: what stands beside a word says little when seen once, a word by itself more


@dataclass(frozen=True)
class Tally:
    """In how many notes keys identified and did not: ``keys`` ascending, ``notes`` ``(keys, 2)``;
    ``is_word``: whether a key tells of a word by itself.
    """

    keys: Keys
    notes: npt.NDArray[np.int32]
    is_word: npt.NDArray[np.bool_]

    def of(self, keys: Keys) -> npt.NDArray[np.int32]:
        """Return the notes of each of ``keys``, ``(..., 2)``."""
        if not len(self.keys):
            return np.zeros((*keys.shape, 2), dtype=np.int32)
        return looked_up(keys, self.keys, self.notes)


NOTHING = Tally(
    np.zeros(0, dtype=np.uint32), np.zeros((0, 2), dtype=np.int32), np.zeros(0, dtype=np.bool_)
)


def writer_of(note: Marked) -> str:
    """Return who wrote a note, by its file: ``nva-admission-1``; one writer's notes share names."""
    return note.source.partition("-")[0]


def counted(notes: Iterable[Marked]) -> Tally:
    """Return in how many of ``notes`` each key identified, and in how many it did not."""
    identified: Counter[int] = Counter()
    stayed: Counter[int] = Counter()
    alone: set[int] = set()
    for note in notes:
        folded = fold(note.text).folded
        if len(folded) != len(note.text):
            continue
        words = words_of(folded)
        keys = keys_of(folded, words, np.arange(len(words)))[:, WORD_KEYS - 1 :]  # as written
        marked = _is_marked(note, words)
        identified.update(np.unique(keys[marked]).tolist())
        stayed.update(np.unique(keys[~marked]).tolist())
        alone.update(keys[:, 0].tolist())
    both = np.array(sorted(identified.keys() | stayed.keys()), dtype=np.uint32)
    numbers = [(identified[key], stayed[key]) for key in both.tolist()]
    is_word = np.array([key in alone for key in both.tolist()], dtype=np.bool_)
    return Tally(both, np.array(numbers, dtype=np.int32).reshape(-1, 2), is_word)


def _is_marked(note: Marked, words: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    marked = np.zeros(len(note.text), dtype=np.bool_)
    for start, end, _ in note.spans:
        marked[start:end] = True
    found: npt.NDArray[np.bool_] = marked[words[:, 0]]
    return found


def together(tallies: Sequence[Tally]) -> Tally:
    """Return the sum of several."""
    keys, at = np.unique(np.concatenate([one.keys for one in tallies]), return_inverse=True)
    notes = np.zeros((len(keys), 2), dtype=np.int32)
    np.add.at(notes, at, np.concatenate([one.notes for one in tallies]))
    is_word = np.zeros(len(keys), dtype=np.bool_)
    np.logical_or.at(is_word, at, np.concatenate([one.is_word for one in tallies]))
    return Tally(keys, notes, is_word)


def shipped(tally: Tally) -> Seen:
    """Return what is shipped: a word seen once, what stands beside one seen more often."""
    kept = tally.is_word | (tally.notes.sum(axis=1) >= BESIDE_MIN)
    levels = _steps_of(tally.notes[kept])
    return Seen(tally.keys[kept], (levels[:, 0] * 16 + levels[:, 1]).astype(np.uint8))


def counts_without(all_of: Tally, theirs: Tally, keys: Keys) -> Counts:
    """Return what would be read of ``keys`` had one writer's notes not been counted."""
    notes = all_of.of(keys) - theirs.of(keys)
    beside = np.arange(keys.shape[1]) >= WORD_KEYS
    notes[beside & (notes.sum(axis=-1) < BESIDE_MIN)] = 0
    found: Counts = STEPS[_steps_of(notes)]
    return found


def _steps_of(notes: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    return np.searchsorted(STEPS, notes, side="right") - 1


def seen_elsewhere(notes: Sequence[Marked]) -> tuple[Tally, Callable[[Marked, Keys], Counts]]:
    """Return what is counted in ``notes``, and how to tell what is counted in those of others than
    who wrote a note; raise ``BadGold`` where one wrote them all.
    """
    by_writer: dict[str, list[Marked]] = {}
    for note in notes:
        by_writer.setdefault(writer_of(note), []).append(note)
    if len(by_writer) < WRITERS_MIN:
        raise BadGold("words are counted in notes of two writers: other letters before the first -")
    tallies = {writer: counted(theirs) for writer, theirs in by_writer.items()}
    every = together(list(tallies.values()))

    def seen(note: Marked, keys: Keys) -> Counts:
        return counts_without(every, tallies.get(writer_of(note), NOTHING), keys)

    return every, seen
