"""Pure: which texts an expression cannot match, because they hold none of what it asks for.

Most of the scrub's expressions need some word or sign (`` Hospital``, ``MRN ``, ``/``). Here what
an expression cannot do without is read from it once, and all that a text holds of it is looked up
in one pass for all expressions (as RE2's ``FilteredRE2`` does); only the others are tried.

Where nothing can be told of an expression (``expressions``), nothing is asked for.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache, reduce
from math import prod
from operator import itemgetter
from typing import Any, NamedTuple

import ahocorasick

from services.privacy.expressions import Items, chars_of, group_of, items_of, ops

TEXTS_MAX = 400  # that a part can be, beyond which they are not told
CHARS_MAX = 8  # of a text that is looked for: more tell no more
SET_MAX = 40  # characters: one of more stands in every text
DIGITS = frozenset("0123456789")
# About how often a character of a note is a given one: only which is rarer matters.
BLANK, COMMON, LETTER, DIGIT, STOP, OTHER = 0.16, 0.06, 0.02, 0.01, 0.01, 0.004


class Texts(NamedTuple):
    """Some texts; ``is_caseless``: in lower case, and their case does not count."""

    texts: frozenset[str]
    is_caseless: bool = False


class _Part(NamedTuple):
    """What is known of a part of an expression; None: nothing.

    ``whole``: the texts that it is. ``asked``: of which one stands in any text that it matches in.
    ``begins``, ``ends``: of which one is the beginning, the end of what it matches.
    """

    whole: Texts | None
    asked: Texts | None
    begins: Texts | None
    ends: Texts | None


NOTHING = Texts(frozenset([""]))
UNKNOWN = _Part(None, None, None, None)


def asked_by(regex: re.Pattern[str]) -> Texts | None:
    """Return texts of which one stands in any text with a match; None: nothing is asked for."""
    items = items_of(regex)
    if items is None:
        return None
    return _sequence(items, bool(regex.flags & re.IGNORECASE)).asked


def _whole(texts: Texts, asked: Texts | None = None) -> _Part:
    return _Part(texts, _best([asked, texts]), texts, texts)


def _sequence(items: Items, ignores_case: bool) -> _Part:  # noqa: FBT001 - a recursion
    """Neighbours that can be told are one; of all that is asked for, the best is kept."""
    asked: list[Texts | None] = []
    begins: Texts | None = None
    run, is_whole = NOTHING, True
    for operation, argument in items:
        part = _one(operation, argument, ignores_case)
        asked.append(part.asked)
        joined = _joined(run, part.whole)
        if joined is not None:
            run = joined
            continue
        reached = _joined(run, part.begins) or run
        asked.append(reached)
        begins = reached if is_whole else begins
        run, is_whole = part.ends or NOTHING, False
    if is_whole:
        return _whole(run, _best(asked))
    return _Part(None, _best([*asked, run]), begins, run)


def _joined(first: Texts, second: Texts | None) -> Texts | None:
    if second is None or len(first.texts) * len(second.texts) > TEXTS_MAX:
        return None
    return _of(
        (one + other for one in first.texts for other in second.texts),
        is_caseless=first.is_caseless or second.is_caseless,
    )


def _of(texts: Iterable[str], *, is_caseless: bool) -> Texts | None:
    """Texts; None where their case does not count and cannot be told (a final sigma)."""
    if not is_caseless:
        return Texts(frozenset(texts))
    some = frozenset(texts)
    if not all(char.isascii() or char.lower() == char.upper() for one in some for char in one):
        return None
    return Texts(frozenset(map(str.lower, some)), is_caseless)


def _either_of(one: Texts | None, other: Texts | None) -> Texts | None:
    if one is None or other is None or len(one.texts) + len(other.texts) > TEXTS_MAX:
        return None
    return _of(
        (*one.texts, *other.texts),
        is_caseless=one.is_caseless or other.is_caseless,
    )


def _one(operation: Any, argument: Any, ignores_case: bool) -> _Part:  # noqa: FBT001 - a recursion
    if operation is ops.LITERAL:
        return _chars({chr(argument)}, ignores_case)
    if operation is ops.IN:
        return _chars(chars_of(argument), ignores_case)
    if operation in {ops.AT, ops.ASSERT_NOT}:
        return _whole(NOTHING)
    if operation is ops.ASSERT:  # somewhere in the text, and not within the match
        return _whole(NOTHING, _sequence(argument[1], ignores_case).asked)
    return _group(operation, argument, ignores_case)


def _group(operation: Any, argument: Any, ignores_case: bool) -> _Part:  # noqa: FBT001 - a recursion
    if operation is ops.SUBPATTERN:
        group = group_of(argument, ignores_case=ignores_case)
        return UNKNOWN if group is None else _sequence(*group)
    if operation is ops.BRANCH:
        return reduce(_either, [_sequence(inner, ignores_case) for inner in argument[1]])
    if operation in {ops.MAX_REPEAT, ops.MIN_REPEAT}:
        least, most, inner = argument
        return _repeated(least, most, _sequence(inner, ignores_case))
    return UNKNOWN


def _either(one: _Part, other: _Part) -> _Part:
    return _Part(*map(_either_of, one, other))


def _repeated(least: int, most: int, part: _Part) -> _Part:
    if least == 0:
        optional = _either_of(part.whole, NOTHING) if most == 1 else None
        return UNKNOWN if optional is None else _whole(optional)
    return part if most == 1 else part._replace(whole=None)


def _chars(chars: set[str] | None, ignores_case: bool) -> _Part:  # noqa: FBT001 - a recursion
    """One of some characters."""
    if chars is None or len(chars) > SET_MAX:
        return UNKNOWN
    texts = _of(chars, is_caseless=ignores_case)
    return UNKNOWN if texts is None else _whole(texts)


def _best(asked: Iterable[Texts | None]) -> Texts | None:
    """The one that fewest texts hold, by a guess; None: nothing."""
    some = [one for one in asked if one is not None and "" not in one.texts]
    return min(some, key=_expected) if len(some) > 1 else next(iter(some), None)


def _expected(asked: Texts) -> float:
    """About how many of them stand at one place of a note."""
    return sum(prod(map(_share, text[:CHARS_MAX])) for text in asked.texts)


@cache
def _share(char: str) -> float:
    if char == " ":
        return BLANK
    if char in "etaoinsr":
        return COMMON
    if char.isascii() and char.islower():
        return LETTER
    if char in DIGITS:
        return DIGIT
    return STOP if char in ".," else OTHER


class _Search:
    """Numbers of expressions by what they ask for."""

    def __init__(self) -> None:
        self._signs: dict[str, list[int]] = {}
        self._by_text: dict[str, list[int]] = {}
        self._automaton = ahocorasick.Automaton()

    def add(self, texts: Iterable[str], number: int) -> None:
        for text in {text[:CHARS_MAX] for text in texts}:
            (self._signs if len(text) == 1 else self._by_text).setdefault(text, []).append(number)

    def settle(self) -> None:
        for text, numbers in self._by_text.items():
            self._automaton.add_word(text, tuple(numbers))
        self._automaton.make_automaton()

    def add_met(self, text: str, found: set[int]) -> None:
        for sign in self._signs.keys() & set(text):
            found.update(self._signs[sign])
        if self._by_text:
            found.update(*set(map(itemgetter(1), self._automaton.iter(text))))


class Asked:
    """What some expressions ask for, looked up for all at once."""

    def __init__(self, regexes: Sequence[re.Pattern[str]]) -> None:
        """Read the expressions."""
        self._always: list[int] = []
        self._plain, self._caseless = _Search(), _Search()
        for number, regex in enumerate(regexes):
            asked = asked_by(regex)
            if asked is None:
                self._always.append(number)
            else:
                (self._caseless if asked.is_caseless else self._plain).add(asked.texts, number)
        self._plain.settle()
        self._caseless.settle()

    def met(self, text: str) -> set[int]:
        """Return the numbers of the expressions that may match in a text."""
        found = set(self._always)
        self._plain.add_met(text, found)
        self._caseless.add_met(text.lower(), found)
        return found
