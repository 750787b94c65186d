"""Pure: where an expression can begin to match, so that it is tried there and nowhere else.

A note is searched with some hundred expressions, each of which the engine would try at every
character. Here the first two characters that an expression can begin with are read from it once,
and each text's characters are indexed once; what is found is what ``finditer`` finds.

Where nothing can be told of an expression (``expressions``), it is tried everywhere, as before.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

from services.privacy.expressions import Items, chars_of, group_of, items_of, ops
from services.privacy.literals import Asked

ANY = ""  # a beginning of which nothing more is known
KNOWN_CHARS = 2
BEGINNINGS_MAX = 400  # with more, only their first characters are looked for
INDEXED_CHARS_MIN = 48  # a shorter text is searched sooner than indexed
# With a sign that may stand where a word or a number does: `@ Leeds`, `+44`, `(555)`.
WORD_STARTS = re.compile(r"\b\w|@", re.ASCII)
WORD_STARTS_AND_OTHERS = re.compile(r"\b\w|@|[^\x00-\x7f]", re.ASCII)
NUMBER_STARTS = re.compile(r"(?<!\d)\d|[+(]", re.ASCII)
NOT_ASCII = re.compile("[^\x00-\x7f]")
WORD_CHAR = re.compile(r"\w|@", re.ASCII)
WORD_OR_OTHER = re.compile(r"\w|@|[^\x00-\x7f]", re.ASCII)
NUMBER_CHAR = re.compile(r"[0-9+(]")
Positions = dict[str, list[int]]
EVERYWHERE: list[list[int]] = []


class Starts:
    """The beginnings of one expression: ``beginnings`` of one or two characters at the places that
    ``where`` finds: of words, of numbers, at characters that are not of ASCII. None: anywhere.
    """

    def __init__(self, regex: re.Pattern[str]) -> None:
        """Read the expression."""
        self.beginnings: frozenset[str] | None = None
        self.where = NOT_ASCII
        items = items_of(regex)
        if items is None:
            return
        found = _beginnings(items, bool(regex.flags & re.IGNORECASE))
        if ANY in found or not _is_slow(items):
            return
        if len(found) > BEGINNINGS_MAX:
            found = {one[0] for one in found}
        begins_word = _begins_word(items)
        if begins_word and all(WORD_CHAR.match(one) for one in found):
            self.where = WORD_STARTS
        elif begins_word and all(WORD_OR_OTHER.match(one) for one in found):
            self.where = WORD_STARTS_AND_OTHERS
        elif _follows_no("DIGIT", items) and all(NUMBER_CHAR.match(one) for one in found):
            self.where = NUMBER_STARTS
        elif not all(NOT_ASCII.match(one) for one in found):
            return
        self.beginnings = frozenset(found)


def _is_slow(items: Items) -> bool:
    """Whether the engine tries it everywhere: a character of a set it would look for."""
    return len(items) > 0 and items[0][0] not in {ops.LITERAL, ops.IN}


def _begins_word(items: Items) -> bool:
    """Whether a character of a word that it begins with is the first of its word."""
    return items[0] == (ops.AT, ops.AT_BOUNDARY) or _follows_no("WORD", items)


def _follows_no(category: str, items: Items) -> bool:
    """Whether it does not match behind digits, or behind characters of words, which they are."""
    operation, argument = items[0]
    if operation is not ops.ASSERT_NOT or argument[0] != -1 or len(argument[1]) != 1:
        return False
    kind, members = argument[1][0]
    if kind is ops.IN and members[0][0] is ops.NEGATE:
        return False
    refused = (
        {str(value) for what, value in members if what is ops.CATEGORY} if kind is ops.IN else set()
    )
    return bool(refused & {f"CATEGORY_{category}", "CATEGORY_WORD"})


def _beginnings(items: Items, ignores_case: bool) -> set[str]:  # noqa: FBT001 - a recursion
    """What the texts of a sequence begin with; ``ANY`` and shorter ones: anything may follow."""
    found = {ANY}
    done: set[str] = set()
    for operation, argument in items:
        nexts, is_open = _one(operation, argument, ignores_case)
        if nexts is None:
            continue
        grown = {(one + more)[:KNOWN_CHARS] for one in found for more in nexts}
        if len(grown) > 4 * BEGINNINGS_MAX:
            break
        # What is whole, or of whose continuation nothing is known, is not continued.
        done |= {one for one in grown if len(one) == KNOWN_CHARS}
        found = grown - done
        if is_open:
            break
        if not found:
            return done
    return done | found


def _one(operation: Any, argument: Any, ignores_case: bool) -> tuple[set[str] | None, bool]:  # noqa: FBT001 - a recursion over the reader's own types
    """What one item adds; None: nothing; and whether anything may follow what it adds."""
    if operation in {ops.AT, ops.ASSERT, ops.ASSERT_NOT}:
        return None, False
    if operation is ops.LITERAL:
        return _cases(chr(argument), ignores_case), False
    if operation is ops.IN:
        chars = chars_of(argument)
        if chars is None:
            return {ANY}, True
        return set().union(*(_cases(char, ignores_case) for char in chars)), False
    inners, is_optional, is_repeated, ignores = _inner(operation, argument, ignores_case)
    found: set[str] = {ANY} if is_optional else set()
    is_open = not inners  # something that is not known here
    for inner in inners:
        some = _beginnings(inner, ignores)
        longest = KNOWN_CHARS if is_repeated else min(KNOWN_CHARS, inner.getwidth()[1])
        is_open |= any(len(one) < longest for one in some)
        found |= some
    return found or {ANY}, is_open


def _inner(
    operation: Any,
    argument: Any,
    ignores_case: bool,  # noqa: FBT001 - a recursion
) -> tuple[list[Items], bool, bool, bool]:
    """The sequences in a group; whether there may be none, or more; whether case is ignored."""
    if operation is ops.SUBPATTERN:
        group = group_of(argument, ignores_case=ignores_case)
        inners, ignores = ([], ignores_case) if group is None else ([group[0]], group[1])
        return inners, False, False, ignores
    if operation is ops.BRANCH:
        return argument[1], False, False, ignores_case
    if operation in {ops.MAX_REPEAT, ops.MIN_REPEAT}:
        least, most, inner = argument
        return [inner], least == 0, most != 1, ignores_case
    return [], False, False, ignores_case


def _cases(char: str, ignores_case: bool) -> set[str]:  # noqa: FBT001 - a recursion
    return {char.lower(), char.upper()} if ignores_case else {char}


def _positions_in(where: re.Pattern[str], text: str) -> Positions:
    """Return ``_positions``; in a text of ASCII alone nothing else begins beside its words."""
    if text.isascii():
        if where is NOT_ASCII:
            return {}
        where = WORD_STARTS if where is WORD_STARTS_AND_OTHERS else where
    return _positions(where, text)


@lru_cache(maxsize=8)
def _positions(where: re.Pattern[str], text: str) -> Positions:
    """Return where characters and pairs of characters stand, of the places ``where`` finds."""
    found: Positions = defaultdict(list)
    for match in where.finditer(text):
        at = match.start()
        found[text[at]].append(at)
        found[text[at : at + KNOWN_CHARS]].append(at)
    return found


@lru_cache(maxsize=1_024)
def starts_of(regex: re.Pattern[str]) -> Starts:
    """Return the beginnings of an expression, read once."""
    return Starts(regex)


def matches(regex: re.Pattern[str], starts: Starts, text: str) -> Iterator[re.Match[str]]:
    """Yield what ``regex.finditer(text)`` yields."""
    if starts.beginnings is None or len(text) < INDEXED_CHARS_MIN:
        yield from regex.finditer(text)
        return
    positions = _positions_in(starts.where, text)
    yield from _tried(regex, text, [positions[one] for one in positions.keys() & starts.beginnings])


class Together:
    """Expressions that are searched one after another: which of them can match in a text is looked
    up once for all, by what they ask for (``literals``) and by how they begin.
    """

    def __init__(self, regexes: Sequence[re.Pattern[str]]) -> None:
        """Read the expressions."""
        self._regexes = regexes
        self._asked = Asked(regexes)
        self._begun: dict[re.Pattern[str], dict[int, frozenset[str]]] = {}
        self._anywhere: set[int] = set()
        for number, regex in enumerate(regexes):
            starts = starts_of(regex)
            if starts.beginnings is None:
                self._anywhere.add(number)
            else:
                self._begun.setdefault(starts.where, {})[number] = starts.beginnings

    def matches(self, text: str) -> Iterator[tuple[int, Iterator[re.Match[str]]]]:
        """Yield the number of each expression that may match, in order, with what ``finditer``
        yields.
        """
        met = self._asked.met(text)
        is_short = len(text) < INDEXED_CHARS_MIN
        places = dict.fromkeys(met if is_short else self._anywhere & met, EVERYWHERE)
        for where, begun in () if is_short else self._begun.items():
            positions = _positions_in(where, text)
            keys = frozenset(positions)  # of two sets the smaller one is gone through
            for number in begun.keys() & met:
                if begins := keys & begun[number]:
                    places[number] = [positions[one] for one in begins]
        for number in sorted(places):
            regex, found_at = self._regexes[number], places[number]
            yield number, _tried(regex, text, found_at) if found_at else regex.finditer(text)


def _tried(
    regex: re.Pattern[str], text: str, places: Sequence[Sequence[int]]
) -> Iterator[re.Match[str]]:
    end = 0
    match_at = regex.match
    for at in sorted(set(chain.from_iterable(places))):
        if at < end:
            continue
        match = match_at(text, at)
        if match is not None:
            yield match
            end = max(match.end(), at + 1)
