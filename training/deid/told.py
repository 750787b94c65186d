"""What a large teacher says of texts that it has not learnt from, for a small network to learn.

A file has one text a line, as JSON: its text, its marks, and each piece of a word that may be
something, as where it begins and ends and then, in turn, which label and how many in 1,000 it has.
What is left of 1,000, and of pieces that are not named all, is that it is nothing.
"""

import gzip
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from services.privacy.tagger.network import LABELS
from training.deid.texts import Marked

Shares = npt.NDArray[np.float32]
Piece = list[int]
WHOLE = 1_000
SAID_MIN = 20  # in 1,000: what is less likely to be something is not named
LABEL_MIN = 3  # in 1,000


@dataclass(frozen=True)
class Told:
    """A marked text with what a teacher says of it, where one has read it."""

    marked: Marked
    pieces: Sequence[Piece] | None = None

    def shares(self) -> Shares | None:
        """Return the share of each label by character, ``(characters, labels)``; 0 of blanks."""
        if self.pieces is None:
            return None
        found = np.zeros((len(self.marked.text), len(LABELS)), dtype=np.float32)
        # Of a blank, also one within a name, no piece tells: its mark does.
        found[[not char.isspace() for char in self.marked.text], 0] = 1
        for start, end, *said in self.pieces:
            labels, shares = said[::2], np.array(said[1::2]) / WHOLE
            found[start:end, labels] = shares
            found[start:end, 0] = 1 - shares.sum()
        return found


class BadTold(Exception):
    """A file that cannot be read as one of what is told; the message names it."""


def read_told(path: Path) -> list[Told]:
    """Return the texts of a file; raise ``BadTold``."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            return [_told(json.loads(line)) for line in lines]
    except (OSError, EOFError, ValueError) as error:
        raise BadTold(f"{path}: not a file of --tell: {error}") from error


def _told(said: tuple[str, list[tuple[int, int, str]], list[Piece]]) -> Told:
    text, spans, pieces = said
    marks = tuple((start, end, label) for start, end, label in spans)
    return Told(Marked("", "en", "told", text, marks), pieces)


def write_told(path: Path, texts: Iterable[Told]) -> None:
    """Write texts to a file; those that no teacher has read are left out."""
    with gzip.open(path, "wt", encoding="utf-8") as lines:
        for told in texts:
            if told.pieces is not None:
                said = [told.marked.text, told.marked.spans, told.pieces]
                lines.write(json.dumps(said, ensure_ascii=False, separators=(",", ":")) + "\n")


def worth_saying(starts: Sequence[int], ends: Sequence[int], shares: Shares) -> Iterator[Piece]:
    """Yield the pieces of a text of which anything but nothing is said, ``(pieces, labels)``."""
    in_whole = np.rint(shares * WHOLE).astype(int)
    for at in np.flatnonzero(WHOLE - in_whole[:, 0] >= SAID_MIN).tolist():
        labels = np.flatnonzero(in_whole[at, 1:] >= LABEL_MIN) + 1
        said = np.stack((labels, in_whole[at, labels]), axis=1)
        yield [starts[at], ends[at], *said.flatten().tolist()]
