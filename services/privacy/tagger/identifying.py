"""How probably each word of a text identifies somebody, by what the network says of it."""

import re

import numpy as np
import numpy.typing as npt

from services.privacy.tagger.alphabet import LATIN_WORD, places_of
from services.privacy.tagger.doubts import is_doubtful
from services.privacy.tagger.second_look import REMOVED, REMOVED_AT, WordSpans

DOUBT = 0.5  # of its probability counts for an ordinary word to be a name or a place
DOUBTED_MIN = 0.001  # half of less makes no difference
PROPER_AT = [REMOVED.index(label) for label in ("NAME", "LOC")]
WORD = re.compile(r"[^\W_\u2e80-\uffff]+(?:['’][^\W\d_]+)?")
Scores = npt.NDArray[np.float32]
Probabilities = npt.NDArray[np.float32]


def words_of(folded: str) -> WordSpans:
    """Return where the words of alphabets and the numbers of a text begin and end."""
    spans = [word.span() for word in WORD.finditer(folded)]
    return np.array(spans, dtype=np.int64).reshape(-1, 2)


def identifying(folded: str, words: WordSpans, scores: Scores) -> Probabilities:
    """Return how probably each character identifies; a word of an alphabet goes whole or stays."""
    removed = scores[:, REMOVED_AT]
    identifies: Probabilities = removed.sum(axis=1)
    _doubt_words(folded, identifies, removed[:, PROPER_AT].sum(axis=1))
    sums = np.concatenate(([0.0], identifies.cumsum()))
    begin, end = words[np.diff(words)[:, 0] > 1].T
    lengths = end - begin
    shares = np.maximum((sums[end] - sums[begin]) / lengths, identifies[begin])
    identifies[places_of(begin, lengths)] = shares.repeat(lengths)
    return identifies


def _doubt_words(folded: str, identifies: Probabilities, proper: Probabilities) -> None:
    """Lower in place what identifies as a name or place and is an ordinary word by the lists."""
    is_cased = any(char.isupper() for char in folded)
    count = [0, *(proper > DOUBTED_MIN).cumsum().tolist()]
    for word in LATIN_WORD.finditer(folded):
        start, end = word.span()
        if count[end] > count[start] and is_doubtful(word[0], is_cased=is_cased):
            identifies[start:end] -= np.float32(1 - DOUBT) * proper[start:end]
