"""A second look at each word that may identify somebody, with the whole note before it.

The network sees some hundred characters either way, and learnt its limits on notes that it knows by
now. This small one learnt from notes whose marks the network has never seen, and reads for each
word what the network says of it, of its neighbours and of the same word elsewhere in the note, and
what the lists say. It may raise or lower what the network said; no other layer asks it (decision
0092).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from plumbing.remembering import remembered
from services.privacy.tagger.alphabet import Places, places_of
from services.privacy.tagger.doubts import is_doubtful
from services.privacy.tagger.hints import (
    COMMON,
    FAMILY,
    GIVEN,
    MEDICAL,
    ORDINARY,
    PLACE,
    RARE,
    UNLISTED,
    read_hint,
)
from services.privacy.tagger.network import LABELS

Floats = npt.NDArray[np.float32]
WordSpans = npt.NDArray[np.int64]  # (words, 2): where each begins and ends

# What identifies with less is not looked at: half of one in a hundred of what must go.
LOOKED_AT_MIN = 0.01
REMOVED = ("NAME", "DATE", "PHONE", "ID", "LOC", "AGE", "EMAIL", "URL")
REMOVED_AT = [LABELS.index(label) for label in REMOVED]
BESIDE_AT = [LABELS.index(label) for label in ("", "NAME", "DATE", "LOC", "ORG", "OTHER")]
BITS = (COMMON, ORDINARY, GIVEN, FAMILY, PLACE, MEDICAL)
RARE_KINDS = 3  # on the long list of names, of places, of both
BEFORE = ("\n", " ", "(", "-", "/")
AFTER = ("\n", " ", ")", "-", "/", ",", ".", ":")
SIGN_BEFORE, SIGN_AFTER = (
    {sign: tuple(float(sign == other) for other in signs) for sign in signs}
    for signs in (BEFORE, AFTER)
)
NO_SIGN_BEFORE, NO_SIGN_AFTER = (0.0,) * len(BEFORE), (0.0,) * len(AFTER)
SENTENCE_ENDS = frozenset({". ", "? ", "! "})
NEAR, NEXT = np.array([-3, -2, -1, 1, 2, 3]), np.array([-2, -1, 1, 2])
FARTHEST = 3
SURE = 0.5
TITLED_MIN = 0.05  # of words; in 99 of 100 notes one in eight and more is written so
FEATURES = 143  # beside those of the network's last layer
SCALED_MAX = 6.0
LOGIT_EPSILON = 1e-6


class Said(NamedTuple):
    """What the network says of each character: probabilities ``(characters, labels)`` and its last
    layer ``(characters, width)``.
    """

    probabilities: Floats
    hidden: npt.NDArray[np.floating]


class Looked(NamedTuple):
    """``at``: which words are looked at; ``features`` ``(words looked at, features)``."""

    at: Places
    features: Floats


class SecondLook(nn.Module):
    """Features of words in, the logit that each identifies somebody out."""

    mean: Tensor
    scale: Tensor

    def __init__(self, features: int, inner: int) -> None:
        """Make the layers for so many ``features`` of a word."""
        super().__init__()
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("scale", torch.ones(features))
        self.inner = nn.Linear(features, inner)
        self.exit = nn.Linear(inner, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Return logits, ``(words,)``."""
        found: Tensor = self.exit(torch.relu(self.inner(self.scaled(features))))
        return found.squeeze(-1)

    def scaled(self, features: Tensor) -> Tensor:
        """Return features about as large as each other."""
        return ((features - self.mean) / self.scale).clamp(-SCALED_MAX, SCALED_MAX)

    def probabilities(self, features: Floats) -> Floats:
        """Return how probably each word identifies somebody, ``(words,)``."""
        with torch.inference_mode():
            found: Floats = torch.sigmoid(self(torch.from_numpy(features))).numpy()
        return found


def is_mixed_case(folded: str, words: WordSpans) -> bool:
    """Return whether a text is written as the notes that were learnt from: not all in capitals or
    small letters, by which a name is not told.
    """
    titled = sum(folded[start:end].istitle() for start, end in words.tolist())
    return titled > TITLED_MIN * len(words)


def looked_at(folded: str, words: WordSpans, said: Said) -> Looked:
    """Return the words of a text that may identify somebody, and what there is to read of each."""
    means = _means(said.probabilities, words)
    first = said.probabilities[words[:, 0]][:, REMOVED_AT].sum(axis=1)
    identifies = np.clip(np.maximum(means[:, REMOVED_AT].sum(axis=1), first), 0, 1)
    at = np.flatnonzero(identifies > LOOKED_AT_MIN)
    if not len(at):
        return Looked(at, np.empty((0, FEATURES + said.hidden.shape[1]), dtype=np.float32))
    texts = [folded[start:end] for start, end in words.tolist()]
    is_cased = any(char.isupper() for char in folded)
    told = np.frombuffer(
        b"".join([_told(text, is_cased=is_cased) for text in texts]), dtype=np.float32
    ).reshape(len(texts), -1)
    beside = np.hstack([means[:, BESIDE_AT], told])
    parts = [
        _logit(means)[at],
        identifies[at, None],
        _logit(identifies)[at, None],
        _elsewhere(texts, identifies, at),
        told[at],
        np.array([_around(folded, *words[one].tolist()) for one in at], dtype=np.float32),
        _neighbours(identifies[:, None], at, NEAR),
        _neighbours(beside, at, NEXT),
        _of_note(told, identifies, at),
        _means(said.hidden, words[at]),
    ]
    return Looked(at, np.hstack(parts).astype(np.float32))


def _means(numbers: npt.NDArray[np.floating], words: WordSpans) -> Floats:
    """Return the mean of each column over each word, ``(words, columns)``."""
    lengths = np.diff(words)[:, 0]
    read = numbers[places_of(words[:, 0], lengths)]
    sums: Floats = np.add.reduceat(read, lengths.cumsum() - lengths, axis=0, dtype=np.float32)
    counts: Floats = lengths[:, None].astype(np.float32)
    return sums / counts


def _logit(shares: Floats) -> Floats:
    safe = np.clip(shares, LOGIT_EPSILON, 1 - LOGIT_EPSILON)
    return np.log(safe / (1 - safe)).astype(np.float32)  # type: ignore[no-any-return]


@remembered(65_536)
def _told(word: str, *, is_cased: bool) -> bytes:
    """What the lists and the letters say of a word, wherever it stands: numbers in 32 bits."""
    hint = read_hint(word.lower())
    bits = [bool(hint & bit) if hint < UNLISTED else False for bit in BITS]
    rare = [hint == RARE + 1 + kind for kind in range(RARE_KINDS)]
    doubtful = word.isalpha() and is_doubtful(word, is_cased=is_cased)
    case = (word.isupper(), word[:1].isupper(), word.islower(), word.isdigit())
    told = (*bits, hint == UNLISTED, *rare, doubtful, *case)
    return np.array(told, dtype=np.float32).tobytes()


def _elsewhere(texts: Sequence[str], identifies: Floats, at: Places) -> Floats:
    """What the network says of the words ``at`` at their other places: most, mean, how many."""
    lowered = [text.lower() for text in texts]
    places: dict[str, list[int]] = {lowered[one]: [] for one in at}
    for place, text in enumerate(lowered):
        if text in places:
            places[text].append(place)
    found = np.zeros((len(texts), 3), dtype=np.float32)
    for same in places.values():
        others = len(same) - 1
        if not others:
            continue
        shares = identifies[same]
        most, next_most = np.sort(shares)[[-1, -2]]
        found[same, 0] = np.where(shares == most, next_most, most)
        found[same, 1] = (shares.sum() - shares) / others
        found[same, 2] = np.log1p(others)
    return found[at]


def _around(folded: str, start: int, end: int) -> tuple[float, ...]:
    """The length of a word, whether a digit is in it, and the signs it stands between."""
    before, after = folded[start - 1 : start] if start else "\n", folded[end : end + 1]
    two = folded[max(0, start - 2) : start]
    return (
        float(end - start),
        float(any(map(str.isdigit, folded[start:end]))),
        *SIGN_BEFORE.get(before, NO_SIGN_BEFORE),
        *SIGN_AFTER.get(after, NO_SIGN_AFTER),
        float(two in SENTENCE_ENDS),
        float(two == ": "),
    )


def _neighbours(numbers: Floats, at: Places, steps: Places) -> Floats:
    """Return the rows of ``numbers`` so many steps from each of ``at``, side by side, zeros where
    there is no such row.
    """
    padded = np.zeros((len(numbers) + 2 * FARTHEST, numbers.shape[1]), dtype=np.float32)
    padded[FARTHEST:-FARTHEST] = numbers
    found: Floats = padded[at[:, None] + steps + FARTHEST].reshape(len(at), -1)
    return found


def _of_note(told: Floats, identifies: Floats, at: Places) -> Floats:
    """How the note is written, how much of it identifies, and how far down each word stands."""
    count = len(told)
    upper, lower = told[:, -4].mean(), told[:, -2].mean()
    same = np.tile([lower, upper, np.log1p(count), (identifies > SURE).mean()], (len(at), 1))
    return np.hstack([same, at[:, None] / count]).astype(np.float32)
