"""Real medical texts without patients: what they say is nobody's, and is left as it is.

Abstracts (medical_abstracts, CC BY-SA 3.0), case vignettes (MIT) and patients' questions in Chinese
(MIT), each a folder beside the development texts. A sentence with a listed place or name, a title
before a capital or a date that rules find is left out.
"""

import csv
import gzip
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from services.privacy.gazetteers import find_listed, find_places_zh
from services.privacy.patterns import PATTERNS, find_patterns
from services.privacy.patterns_notes import NOTES_EN
from services.privacy.patterns_zh import PATTERNS_ZH
from services.privacy.tagger.hints import MEDICAL, ORDINARY, PLACE, UNLISTED, hint_of_word

csv.field_size_limit(1 << 24)
EN_FILES = (
    ("medical_abstracts", "medical_abstract"),
    ("case_vignettes", "case_vignette"),
)
ZH_FILES = (("zh_department", "ask"),)
SENTENCE = re.compile(r"(?<=[.!?]) (?=[A-Z])|(?<=[。！？?])")
CAPITAL = re.compile(r"\b[A-Z][a-z]{2,}\b")
CHARS_MIN, CHARS_MAX = 12, 600
SENTENCES_MAX = 5
EVERY = 3  # text is read: more of them add little


@dataclass(frozen=True)
class Plain:
    """Texts without identifiers, each a tuple of its sentences, by language."""

    texts: dict[str, Sequence[tuple[str, ...]]]

    def write(self, rng: random.Random) -> tuple[str, str]:
        """Return some sentences on end, and their language."""
        lang = rng.choice(sorted(self.texts))
        sentences = rng.choice(self.texts[lang])
        first = rng.randrange(len(sentences))
        last = first + rng.randrange(1, SENTENCES_MAX + 1)
        return (" " if lang == "en" else "").join(sentences[first:last]), lang


def read_plain(data: Path) -> Plain:
    """Return the texts in the folders of ``data`` that are there; none of a missing one."""
    found: dict[str, Sequence[tuple[str, ...]]] = {}
    for lang, files in (("en", EN_FILES), ("zh", ZH_FILES)):
        texts = [
            kept
            for text in islice(medical_texts(data, files), 0, None, EVERY)
            if (kept := tuple(_plain_sentences(text, lang)))
        ]
        if texts:
            found[lang] = texts
    return Plain(found)


def medical_texts(data: Path, files: Sequence[tuple[str, str]] = EN_FILES) -> Iterator[str]:
    """Yield the texts of a column of each folder's ``train.csv.gz``."""
    for folder, column in files:
        path = data / folder / "train.csv.gz"
        if not path.exists():
            continue
        with gzip.open(path, "rt", encoding="utf-8", newline="") as rows:
            for row in csv.DictReader(rows):
                yield " ".join(row[column].split())


def _plain_sentences(text: str, lang: str) -> Iterator[str]:
    for sentence in SENTENCE.split(text):
        if CHARS_MIN <= len(sentence) <= CHARS_MAX and not _may_identify(sentence, lang):
            yield sentence


def _may_identify(sentence: str, lang: str) -> bool:
    forms = PATTERNS + (NOTES_EN if lang == "en" else PATTERNS_ZH)
    if any(find_patterns(sentence, forms)) or any(find_listed(sentence)):
        return True
    if lang == "zh":
        return any(find_places_zh(sentence)) or "我叫" in sentence or "姓" in sentence
    return any(_may_be_place(word) for word in CAPITAL.findall(sentence))


def _may_be_place(word: str) -> bool:
    hint = hint_of_word(word.lower())
    return hint != UNLISTED and bool(hint & PLACE) and not hint & (ORDINARY | MEDICAL)
