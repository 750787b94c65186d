"""What an expression asks for stands in every text that it matches in."""

import re
from itertools import product

import pytest

from services.privacy.forms import FORMS, FORMS_ZH
from services.privacy.literals import Asked, Texts, asked_by

ASKED = [
    (r"cat", {"cat"}, False),
    (r"(?:cat|dog)s?\b", {"cat", "dog"}, False),
    (r"\b(?i:CAT) x", {"cat x"}, True),
    (r"\w+ (?:Street|Road)", {" Street", " Road"}, False),
    (r"(?:\w+ ){1,3}(?:Street|Road)", {" Street", " Road"}, False),
    (r"(?:[^\W\d_]+, )+Md", {", Md"}, False),
    (r"\w(?=-x)", {"-x"}, False),
    (r"a(?!bc)", {"a"}, False),
    (r"(?:ab){2,}\w", {"ab"}, False),
    (r"(?<=\b(?:on|of) )\w", {"on ", "of "}, False),
    (r"\d\.\d", {f"{one}.{other}" for one, other in product("0123456789", repeat=2)}, False),
    (r"[猫狗]咪?", {"猫", "狗"}, False),
    (r"(?:猫|\w+)x", {"x"}, False),
    (r"(?:Abc|(?i:XYZ))", {"abc", "xyz"}, True),
    (r"(?i:a)(?-i:B)", {"ab"}, True),
]
ASKS_NOTHING = [r"\w+", r"(?:cat)?", r"(?:cat|\w)", r"[^x]", r"a{0,2}", r"(?:a|)", r"(?i:Ø)", r"\b"]


@pytest.mark.parametrize(("expression", "texts", "is_caseless"), ASKED)
def test_it_is_read_from_the_expression(
    expression: str,
    texts: set[str],
    is_caseless: bool,  # noqa: FBT001 - what is expected
) -> None:
    asked = asked_by(re.compile(expression, re.ASCII))
    assert asked == Texts(frozenset(texts), is_caseless)


@pytest.mark.parametrize("expression", ASKS_NOTHING)
def test_nothing_is_asked_for_where_anything_may_stand(expression: str) -> None:
    assert asked_by(re.compile(expression, re.ASCII)) is None


def test_other_letters_than_those_of_ascii_are_not_told_apart() -> None:
    assert asked_by(re.compile("cat", re.IGNORECASE)) is None
    assert asked_by(re.compile("k", re.IGNORECASE | re.ASCII)) == Texts(frozenset("k"), True)
    assert asked_by(re.compile("ſ", re.IGNORECASE | re.ASCII)) is None
    assert asked_by(re.compile(r"(?iu:s)", re.ASCII)) is None
    # The lower case of a sigma depends on what follows it.
    assert asked_by(re.compile(r"(?i:a)Σ", re.ASCII)) == Texts(frozenset("Σ"))
    assert Asked([re.compile(r"(?i:a)Σ", re.ASCII)]).met("aΣb") == {0}
    assert asked_by(re.compile(r"(?:ΑΣ|(?i:xyz))", re.ASCII)) is None


def test_those_that_can_match_are_met() -> None:
    regexes = [re.compile(one, re.ASCII) for one in (r"\w+ Street", r"(?i:mrn) \d", r"\w+", "-")]
    asked = Asked(regexes)
    assert asked.met("Elm Street") == {0, 2}
    assert asked.met("elm street, MRN 7") == {1, 2}
    assert asked.met("-") == {2, 3}
    assert asked.met("") == {2}


def test_nearly_all_expressions_of_the_scrub_ask_for_something() -> None:
    patterns = [*FORMS.patterns, *FORMS_ZH.patterns]
    asking = [one for one in patterns if asked_by(one.regex) is not None]
    assert len(asking) > 0.95 * len(patterns)
