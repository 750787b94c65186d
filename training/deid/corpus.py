"""Texts to learn from: written anew for every step, so no text is learnt by heart."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from services.privacy.folding import Folded, fold
from services.privacy.tagger.alphabet import UNKNOWN, Numbers, encode_all
from services.privacy.tagger.lexical import Features
from services.privacy.tagger.network import LABELS
from services.privacy.tagger.pieces import HIDDEN, Pieces, part_of
from training.deid.chinese import chinese_slots
from training.deid.chinese_names import ChineseNames
from training.deid.english import People, english_slots
from training.deid.filler import Filler
from training.deid.grammar import Grammar, read_groups
from training.deid.names import latin_locales, read_words
from training.deid.plain_texts import Plain
from training.deid.texts import Marked, unmark
from training.deid.told import Shares, Told
from training.deid.variants import Variants

Item = TypeVar("Item")
TEMPLATES = Path(__file__).with_name("templates")
LABEL_AT = {label: at for at, label in enumerate(LABELS)} | {"IP": LABELS.index("URL")}
CHARS_MAX = 700
POOL = 600  # texts that are put into batches together
PASSES = 3  # over a pool, with other words hidden and other stretches cut: reading costs most
UNANALYSED_SHARE = 0.1  # of texts are read without the lexical analyser
FULL_WIDTH = str.maketrans({",": "，", ":": "：", "(": "（", ")": "）", ";": "；"})


@dataclass(frozen=True)
class Example:
    """One text as the network reads it, with the label of each character, and what a teacher said
    of each, ``(characters, labels)``.
    """

    chars: Numbers
    words: Numbers
    hints: Numbers
    rows: Numbers
    kinds: Features
    pieces: Pieces
    labels: Numbers
    told: Shares | None = None


class Writer:
    """Writes marked texts in both languages."""

    def __init__(self, seed: int) -> None:
        """Read the templates and fill the pools of names."""
        words = read_words()
        self._rng = random.Random(seed)
        locales = latin_locales(seed)
        self.filler = Filler(
            part
            for one in locales
            for name in (*one.first, *one.last, *one.city)
            for part in name.split()
        )
        chinese = chinese_slots(words, locales, self.filler)
        english = english_slots(words, locales, self.filler)
        self.people = People(lambda rng: rng.choices(locales, [6, 4, *[1] * (len(locales) - 2)])[0])
        self.names = ChineseNames(words, self.people.full)
        self._zh = Grammar(read_groups(TEMPLATES / "zh.txt"), chinese)
        self._en = Grammar(read_groups(TEMPLATES / "en.txt"), english)

    def begin_again(self, seed: int) -> None:
        """Write from here on what a new writer with this seed and these pools would."""
        self._rng = random.Random(seed)

    def text(self) -> Marked:
        """Return the next text."""
        rng = self._rng
        grammar, lang = (self._zh, "zh") if rng.random() < 0.5 else (self._en, "en")
        marked = grammar.write("note", rng)
        return unmarked(restyled(marked, lang, rng), lang)

    def english(self, rng: random.Random) -> str:
        """Return an English text with its marks."""
        return self._en.write("note", rng)


def unmarked(marked: str, lang: str) -> Marked:
    """Return a written text without its marks."""
    text, spans = unmark(marked, "written")
    return Marked("", lang, "written", text, spans)


def restyled(marked: str, lang: str, rng: random.Random) -> str:  # noqa: PLR0911 - a table of styles
    """The same text as somebody else would type it."""
    draw = rng.random()
    if lang == "zh":
        if draw < 0.15:
            return marked.replace("，", " ").replace("。", " ").replace("：", "")
        if draw < 0.25:
            return marked.replace("，", ",").replace("：", ":").replace("。", ".")
        if draw < 0.35:
            return marked.replace("\n", rng.choice(("", " ", "　")))
        return marked.replace("。", "，") if draw < 0.4 else marked
    if draw < 0.08:
        return _outside_labels(marked, str.lower)
    if draw < 0.14:
        return _outside_labels(marked, str.upper)
    if draw < 0.24:
        return marked.replace("\n", " ")
    return marked.replace(", ", " ") if draw < 0.3 else marked


def _outside_labels(marked: str, change: Callable[[str], str]) -> str:
    pieces: list[str] = []
    for piece in marked.split("⟦"):
        label, colon, rest = piece.partition(":")
        is_mark = bool(colon) and bool(pieces) and label.isupper()
        pieces.append(f"{label}:{change(rest)}" if is_mark else change(piece))
    return "⟦".join(pieces)


def examples(texts: Sequence[Told]) -> list[Example]:
    """Return texts as the network reads them, folded."""
    folded = [fold(text.marked.text) for text in texts]
    encoded = encode_all([one.folded for one in folded])
    return [
        Example(*read, labels_of(text.marked)[at], None if told is None else told[at])
        for text, read, at, told in zip(
            texts, encoded, map(_places, folded), (text.shares() for text in texts), strict=True
        )
    ]


def labels_of(text: Marked) -> Numbers:
    """Return the label of each character of a text as it is."""
    labels = np.zeros(len(text.text), dtype=np.int32)
    for start, end, label in text.spans:
        labels[start:end] = LABEL_AT[label]
    return labels


def _places(folded: Folded) -> npt.NDArray[np.int64] | slice:
    """Return where the characters of a folded text stand in the text."""
    return slice(None) if folded.starts is None else np.asarray(folded.starts, dtype=np.int64)


def hidden(one: Example, rng: np.random.Generator) -> Example:
    """Return an example in which some names cannot be read, so that the rest must tell."""
    chars, words, hints, rows = (
        part.copy() for part in (one.chars, one.words, one.hints, one.rows)
    )
    marked = one.labels > 0
    # Whole words: a word whose first letter can be read is read.
    run = np.cumsum(np.diff(words, prepend=words[:1]) != 0)
    words[rng.random(len(words))[run] < np.where(marked, 0.3, 0.08)] = 0
    is_untold = rng.random(len(words))[run] < np.where(marked, 0.2, 0.05)
    hints[is_untold], rows[is_untold] = 0, 0
    rows[rng.random(len(words))[run] < np.where(marked, 0.1, 0.03)] = 0
    chars[rng.random(len(chars)) < np.where(marked, 0.06, 0.01)] = UNKNOWN
    kinds = one.kinds.copy()
    kinds[rng.random(len(words))[run] < np.where(marked, 0.15, 0.05)] = 0
    if rng.random() < UNANALYSED_SHARE:
        kinds[:] = 0
    pieces = _hidden_pieces(one, rng)
    return Example(chars, words, hints, rows, kinds, pieces, one.labels, one.told)


def _hidden_pieces(one: Example, rng: np.random.Generator) -> Pieces:
    count = sum(map(len, one.pieces.stretches))
    marked = np.zeros(count + 1, dtype=bool)
    marked[one.pieces.at[one.labels > 0]] = True
    hides = iter(rng.random(count) < np.where(marked[1:], 0.15, 0.04))
    stretches = [
        [HIDDEN if next(hides) else number for number in stretch]
        for stretch in one.pieces.stretches
    ]
    return Pieces(stretches, one.pieces.at)


@dataclass(frozen=True)
class Learnt:
    """Marked texts to learn from: notes, as templates, and lines, as they are; ``plain``: texts
    without identifiers; ``told``: those that a large teacher has read.
    """

    variants: Variants
    lines: Sequence[Marked]
    notes_share: float
    plain: Plain | None = None
    plain_share: float = 0.0
    told: Sequence[Told] = ()
    told_share: float = 0.0

    def draw(self, rng: random.Random) -> Told:
        """Return one of them."""
        if self.told and rng.random() < self.told_share:
            return rng.choice(self.told)
        return Told(self._untold(rng))

    def _untold(self, rng: random.Random) -> Marked:
        if self.plain is not None and rng.random() < self.plain_share:
            text, lang = self.plain.write(rng)
            return unmarked(restyled(text, lang, rng), lang)
        if self.lines and rng.random() >= self.notes_share:
            return rng.choice(self.lines)
        marked, lang = self.variants.write(rng)
        return unmarked(restyled(marked, lang, rng), lang)


def cut(one: Example, rng: random.Random) -> Example:
    """Return a stretch of a long example."""
    if len(one.chars) <= CHARS_MAX:
        return one
    start = rng.randrange(len(one.chars) - CHARS_MAX)
    part = slice(start, start + CHARS_MAX)
    return Example(
        one.chars[part],
        one.words[part],
        one.hints[part],
        one.rows[part],
        one.kinds[part],
        part_of(one.pieces, part),
        one.labels[part],
        None if one.told is None else one.told[part],
    )


def grouped(items: Sequence[Item], size: Callable[[Item], int], most: int) -> Iterator[list[Item]]:
    """Yield items of growing size together, as many as are of ``most`` when each is as large as the
    largest; one that is larger alone.
    """
    group: list[Item] = []
    for item in items:
        if group and size(item) * (len(group) + 1) > most:
            yield group
            group = []
        group.append(item)
    if group:
        yield group


def batches(
    writer: Writer, more: Learnt | None, more_share: float, seed: int, chars: int
) -> Iterator[list[Example]]:
    """Yield batches of about ``chars`` characters, without end; each of texts of similar length."""
    rng, noise = random.Random(seed), np.random.default_rng(seed)
    while True:
        texts = []
        for _ in range(POOL):
            is_more = more is not None and rng.random() < more_share
            texts.append(more.draw(rng) if more and is_more else Told(writer.text()))
        read = [one for one in examples(texts) if len(one.chars)]
        for _ in range(PASSES):
            pool = [hidden(cut(one, rng), noise) for one in read]
            pool.sort(key=lambda item: len(item.chars))
            groups = list(grouped(pool, lambda item: len(item.chars), chars))
            rng.shuffle(groups)
            yield from groups
