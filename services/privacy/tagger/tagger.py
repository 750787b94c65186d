"""Finds identifiers with the network: windows of a text in, spans out. One thread, no randomness.

Windows overlap by more than the network can see, so a long text gives what it would give whole.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from operator import itemgetter

import numpy as np
import numpy.typing as npt
import torch

from services.privacy.spans import Span
from services.privacy.tagger.alphabet import encode
from services.privacy.tagger.identifying import Probabilities, Scores, identifying, words_of
from services.privacy.tagger.network import LABELS, Read, Shape
from services.privacy.tagger.ordinary import is_ordinary
from services.privacy.tagger.pieces import repeats_in
from services.privacy.tagger.reading import Reader
from services.privacy.tagger.second_look import (
    REMOVED,
    REMOVED_AT,
    Said,
    SecondLook,
    WordSpans,
    is_mixed_case,
    looked_at,
)
from services.privacy.tagger.seen import Seen
from services.privacy.tagger.together import groups, together
from services.privacy.words import NOT_NAMES, WORD_NAMES

WINDOW = 1024
WHOLE = 4096  # a text of so many characters is read at once: windows overlap, which costs a third
TOGETHER = 2_048  # characters of short texts are read at once
HAN = re.compile("[\u4e00-\u9fff]")
HAN_SHARE = 0.2
EDGE = 0.4  # of the threshold: enough beside what is found
SURE = 0.75  # a probability with which what is found may be a word in small letters
NOT_LOWERED = 0.5
BARE = re.compile(r"\d{1,3}|[a-z]", re.ASCII)
BEDSIDE = re.compile(r"\b(?:room|rm|bed|bay|ward|unit|flat|day)\.? ?\Z", re.IGNORECASE)
BEDSIDE_CHARS = 6
LITTLE_CHARS = 100
GAP = re.compile(r"[^\w\n]{1,2}|[ ,]{1,3}\n?", re.ASCII)
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Tagger:
    """A loaded network. What identifies with more than ``threshold`` is removed.

    In texts of which a fifth or more is Han, with more than ``threshold_han``; in others, but those
    all in capitals or small letters, the words get a second look, where there is one; it may
    read how often they were ``seen``.
    """

    reader: Reader
    shape: Shape
    threshold: float
    threshold_han: float
    second: SecondLook | None = None
    seen: Seen | None = None

    def stricter(self, limit: float | None) -> "Tagger":
        """Return one that removes what identifies with more than ``limit``, in all languages; where
        its own limit is lower, or none is given, that holds.
        """
        if limit is None:
            return self
        return replace(
            self,
            threshold=min(limit, self.threshold),
            threshold_han=min(limit, self.threshold_han),
        )

    def find(self, folded: str) -> list[Span]:
        """Return the spans of a folded text, ordered, apart from each other."""
        return self.find_all([folded])[0]

    def find_all(self, texts: Sequence[str]) -> list[list[Span]]:
        """Return the same of each folded text; short ones are read together."""
        asked = [text for text in texts if text]
        said = iter(self._said_all(asked))
        return [self._found(text, next(said)) if text else [] for text in texts]

    def _found(self, folded: str, said: Said) -> list[Span]:
        han = len(HAN.findall(folded))
        is_han = han >= HAN_SHARE * len(folded)
        threshold = self.threshold_han if is_han else self.threshold
        scores = said.probabilities
        words = words_of(folded)
        identifies = identifying(folded, words, scores)
        if self.second is not None and not is_han and is_mixed_case(folded, words):
            self._look_again(self.second, folded, words, said, identifies)
        return [
            span
            for span in spans_of(folded, scores, identifies, threshold)
            if not is_ordinary(folded, span)
            and (not _needs_to_be_sure(folded, span) or _is_sure(scores, span))
        ]

    def _look_again(
        self,
        second: SecondLook,
        folded: str,
        words: WordSpans,
        said: Said,
        identifies: Probabilities,
    ) -> None:
        """Put in place what the second look says; what the network is sure of is not lowered."""
        look = looked_at(folded, words, said)
        features = look.features
        if self.seen is not None:
            features = np.hstack((features, self.seen.told(folded, words, look.at)))
        shares = second.probabilities(features).tolist()
        for (start, end), share in zip(words[look.at].tolist(), shares, strict=True):
            alone = float(identifies[start])
            identifies[start:end] = max(share, alone) if alone > NOT_LOWERED else share

    def said(self, folded: str) -> Said:
        """Return what the network says of each character of a text, which is not empty."""
        if len(folded) > WHOLE:
            return self._by_window(self.read([folded]), len(folded))
        (said,) = self._said_together([folded])
        return said

    def _said_all(self, texts: Sequence[str]) -> Iterator[Said]:
        for group in groups(texts, len, TOGETHER if self.reader.reads_many else 0):
            if len(group) == 1:
                yield self.said(group[0])
            else:
                yield from self._said_together(group)

    def _said_together(self, texts: Sequence[str]) -> list[Said]:
        return self._said(self.read(texts), list(map(len, texts)))

    def _by_window(self, read: Read, length: int) -> Said:
        """Read a long text; windows that are alike once."""
        shares = np.empty((length, len(LABELS)), dtype=np.float32)
        hidden = np.empty((length, self.shape.width), dtype=np.float16)  # of up to 200,000
        scored: dict[bytes, Said] = {}
        for start in window_starts(length, self.shape.reach, repeats_in(read.at.numpy())):
            window = read.each(itemgetter(slice(start, start + WINDOW)))
            digest = _digest(window)
            if digest not in scored:
                (said,) = self._said(window, [len(window.chars)])
                scored[digest] = Said(said.probabilities, said.hidden.astype(np.float16))
            skip = self.shape.reach if start else 0
            shares[start + skip : start + WINDOW] = scored[digest].probabilities[skip:]
            hidden[start + skip : start + WINDOW] = scored[digest].hidden[skip:]
        return Said(shares, hidden)

    def _said(self, read: Read, lengths: Sequence[int]) -> list[Said]:
        with torch.inference_mode():
            found = self.reader.read(read, lengths)
            return [Said(torch.softmax(of, dim=1).numpy(), last.numpy()) for of, last in found]

    def read(self, texts: Sequence[str]) -> Read:
        """Return what the network reads of folded texts, one after another, ``(characters,)``
        each.
        """
        encoded = together(list(map(encode, texts)))
        chars, words, hints, rows = (torch.from_numpy(part).long() for part in encoded[:4])
        at = torch.from_numpy(encoded.pieces.at).long()
        with torch.inference_mode():
            context = self.reader.context(encoded.pieces.stretches)
        kinds = torch.from_numpy(encoded.kinds)
        return Read(chars, words, hints, rows, kinds, at, context)


def _digest(window: Read) -> bytes:
    """Tell a window from those that the network reads otherwise."""
    found = blake2b(digest_size=16)
    for part in window[:-1]:  # the context is that of the whole text
        found.update(part.contiguous().numpy().data)
    return found.digest()


def _is_sure(scores: Scores, span: Span) -> bool:
    return bool(scores[span.start : span.end, REMOVED_AT].sum(axis=1).mean() > SURE)


def _is_small_word(folded: str, span: Span) -> bool:
    """A word that is a name only with a capital, or where the network is sure: ``chap bill``."""
    found = folded[span.start : span.end]
    return found.islower() and (found in WORD_NAMES or found in NOT_NAMES)


def _needs_to_be_sure(folded: str, span: Span) -> bool:
    return _is_small_word(folded, span) or _is_bare(folded, span)


def _is_bare(folded: str, span: Span) -> bool:
    """A short number or a small letter in a text of which there is so little that the network
    cannot tell what it is.
    """
    if len(folded) >= LITTLE_CHARS or span.label == "AGE":
        return False
    before = max(0, span.start - BEDSIDE_CHARS)
    is_bare = BARE.fullmatch(folded, span.start, span.end) is not None
    return is_bare and BEDSIDE.search(folded, before, span.start) is None


def window_starts(length: int, reach: int, repeats: Sequence[int] = ()) -> list[int]:
    """Return where the windows of a long text begin; the last one ends with the text.

    What counts of one begins at a repeat (``repeats_in``) that is near: then more are alike.
    """
    step = WINDOW - 2 * reach
    starts = [0]
    while starts[-1] < length - WINDOW:
        latest = starts[-1] + WINDOW - reach
        near = bisect_right(repeats, latest)
        is_near = near > 0 and repeats[near - 1] > latest - step // 2
        following = (repeats[near - 1] if is_near else latest) - reach
        starts.append(min(following, length - WINDOW))
    return starts


def spans_of(
    folded: str, scores: Scores, identifies: Probabilities, threshold: float
) -> Iterator[Span]:
    """Yield the stretches that identify somebody with more than ``threshold``."""
    removed = scores[:, REMOVED_AT]
    found = _grown(identifies > threshold, identifies > threshold * EDGE)
    for at in np.flatnonzero(found):
        if not folded[at].isalnum():
            found[at] = False
    kinds = removed.argmax(axis=1)
    start, last = -1, 0
    for begin, end in _runs(found):
        if start >= 0 and not _joins(folded, last, begin, kinds):
            yield _span(start, last, removed)
            start = -1
        start = begin if start < 0 else start
        last = end
    if start >= 0:
        yield _span(start, last, removed)


def _grown(found: Mask, likely: Mask) -> Mask:
    """What is likely and touches what is found is found: the edges of a name are less sure."""
    grown = np.zeros_like(found)
    for begin, end in _runs(likely):
        if found[begin:end].any():
            grown[begin:end] = True
    return grown


def _runs(mask: Mask) -> Iterator[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False])).astype(np.int8)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _joins(folded: str, end: int, start: int, kinds: npt.NDArray[np.int64]) -> bool:
    """Two stretches of one kind with no more than a separator between are one."""
    return bool(kinds[end - 1] == kinds[start]) and bool(GAP.fullmatch(folded, end, start))


def _span(start: int, end: int, removed: Scores) -> Span:
    return Span(int(start), int(end), REMOVED[int(removed[start:end].sum(axis=0).argmax())])
