"""Expressions that are tried only where they can begin find what they would find anywhere."""

import re
from pathlib import Path

import pytest

from services.privacy.folding import fold
from services.privacy.forms import FORMS, FORMS_ZH
from services.privacy.patterns import Pattern, find_patterns
from services.privacy.starts import Starts, Together, matches
from training.deid.texts import read_notes

NOTES = Path(__file__).parents[3] / "data" / "training_notes"
NOTES_OF_EACH = 12
EXPRESSIONS = [
    r"\bcat\w*",
    r"\b(?:cat|dog)s?\b",
    r"\b(?i:CAT|a)(?: x)?",
    r"(?<!\d)\d{2,4}(?=x)",
    r"(?<![\w.])[0-9]+(?:-\d)?",
    r"(?:猫|狗)咪?",
    r"[猫狗]?咪",
    r"\b(?P<a>\w)(?P=a)",
    r"\b(?:|x)y",
    r"\Acat|\ncat",
    r"\bc?a?t",
    r"(?<=a)t",
    r"\b[^\W\d_]t",
    r"\b[A-ZÆØ]\w*x?",
    r"(?<!\w)[a-f]\w*x?",
    r"(?<![\w:])\w{1,3}",
    r"(?<!\d)(?:\+?1[- ])?\d{2}",
    r"(?<![\d.])\(?\d+",
    r"\b(?i:@|at) ?cat",
    r"\b[A-Z][a-z]+(?:-[A-Z])?",
    r"(?<![^\w])[a-z]+",
    r"(?<![^\d])\d",
]
TEXTS = [
    "a cat, cats and Dogs; CAT x A x 12x 3456x 7-8 0.12 猫咪和狗咪 aa bb xy y caat tt at ct " * 2,
    "cat\ncat 1234x" + " " * 60 + "t",
    "狗" * 50 + "cat a",
    "+1-23 (45) x(6) +7 at@cat @ cat Cat-A a+1 12+13 (12) Æa éb1 é@cat 猫1 猫(2 1.5 :cat" * 2,
    "xÆro Ørsted 王Ærø ØÆ x. Ål, Cat Ø1 9Øx " * 3,
]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_the_same_is_found(expression: str) -> None:
    for flags in (re.ASCII, re.ASCII | re.IGNORECASE):
        regex = re.compile(expression, flags)
        for text in TEXTS:
            found = [match.span() for match in matches(regex, Starts(regex), text)]
            assert found == [match.span() for match in regex.finditer(text)]


def test_together_they_find_the_same_in_their_order() -> None:
    regexes = [
        re.compile(one, re.ASCII | flag) for one in EXPRESSIONS for flag in (0, re.IGNORECASE)
    ]
    together = Together(regexes)
    for text in (*TEXTS, "a cat"):
        found = [(number, m.span()) for number, all_of in together.matches(text) for m in all_of]
        alone = [(n, m.span()) for n, regex in enumerate(regexes) for m in regex.finditer(text)]
        assert found == alone


def _patterns() -> list[Pattern]:
    return [*FORMS.patterns, *FORMS_ZH.patterns]


def test_every_pattern_of_the_scrub_finds_the_same() -> None:
    patterns = [(one.regex, Starts(one.regex)) for one in _patterns()]
    texts = [
        fold(n.text).folded
        for lang in ("en", "zh")
        for n in read_notes(NOTES, lang)[:NOTES_OF_EACH]
    ]
    assert sum(starts.beginnings is not None for _, starts in patterns) > len(patterns) // 3
    for forms in (FORMS, FORMS_ZH):
        for text in texts:
            assert [*forms.find(text)] == [*find_patterns(text, forms.patterns)]
    for text in texts:
        for regex, starts in patterns:
            found = [match.span() for match in matches(regex, starts, text)]
            assert found == [match.span() for match in regex.finditer(text)]
