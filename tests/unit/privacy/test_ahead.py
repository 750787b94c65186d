from collections.abc import Sequence

import pytest

from contracts.identified import Note
from contracts.observation import Code, Observation
from services.privacy.ahead import (
    ALONE_CHARS,
    EVENT_CHARS,
    GROUP_CHARS,
    Following,
    ReadAhead,
    texts_in,
)
from services.privacy.opening import Opened
from services.privacy.spans import Span
from tests.unit.privacy.builders import a_body, a_note


class Tagger:
    """Finds the first letter, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def find_all(self, texts: Sequence[str]) -> list[list[Span]]:
        self.asked.append(list(texts))
        return [[Span(0, 1, "NAME")] for _ in texts]

    def find(self, folded: str) -> list[Span]:
        return self.find_all([folded])[0]


def test_what_was_given_is_read_once_and_together() -> None:
    tagger = Tagger()
    reader = ReadAhead(tagger)
    reader.found = reader.read(["one", "ｔｗｏ", "one"])
    assert reader.find("one") == reader.find("two") == [Span(0, 1, "NAME")]
    assert tagger.asked == [["one", "two"]]
    reader.found = {}
    reader.find("one")
    assert tagger.asked[1:] == [["one"]]


def test_what_was_not_given_is_read_when_it_comes() -> None:
    tagger = Tagger()
    reader = ReadAhead(tagger)
    long, undecodable = "a" * (ALONE_CHARS + 1), "a\x00"
    assert reader.read(["one", "", long, undecodable]) == {}  # one that is short gains nothing
    assert reader.read([]) == {}
    assert tagger.asked == []
    assert reader.find("one") == reader.find(long) == [Span(0, 1, "NAME")]
    assert tagger.asked == [["one"], [long]]


def line(index: int, text: str) -> Observation:
    return Observation(index=index, code=Code("LN", "11502-2", "report"), kind="text", text=text)


def test_the_texts_of_an_event_are_as_they_are_cleaned() -> None:
    coded = Observation(index=1, code=Code("LN", "11502-2", "report"), kind="coded", text="4.1")
    lines = (line(0, "Seen by"), coded, line(2, ""), line(3, "Lee"))
    body = a_body(observations=lines, notes=(*a_note("one"), Note(text="two", apart_chars=9)))
    assert list(texts_in(body)) == ["Seen by\nLee", "one"]


def opened(*notes: str) -> Opened:
    return Opened(0, "e", a_body(notes=tuple(Note(text=note) for note in notes)), "link", (), "")


def test_events_are_read_so_many_at_a_time_as_have_little_text() -> None:
    tagger = Tagger()
    reader = ReadAhead(tagger)
    sizes = [*range(900, 906), 3 * GROUP_CHARS, 20, 21, *[0] * (GROUP_CHARS // EVENT_CHARS)]
    events = [opened("a" * size) for size in sizes]
    left, seen = Following(events, reader), []
    while left:
        with left.next() as item:
            seen.append(item)
            for note in item.body.notes:
                reader.find(note.text)
        assert reader.found == {}
    assert seen == events
    asked = [[len(text) for text in texts] for texts in tagger.asked if texts[0]]
    assert asked == [[900, 901], [902, 903], [904, 905], [3 * GROUP_CHARS], [20, 21]]


def test_what_was_read_is_forgotten_when_an_event_fails() -> None:
    reader = ReadAhead(Tagger())
    left = Following([opened("one"), opened("two")], reader)
    seen: set[str] = set()

    def fail() -> None:
        with left.next():
            seen.update(reader.found)
            raise ValueError("here")

    with pytest.raises(ValueError, match="here"):
        fail()
    assert seen == {"one", "two"}
    assert reader.found == {}


def test_without_a_tagger_nothing_is_read() -> None:
    events = [opened("one"), opened("two")]
    left = Following(events, None)
    with left.next() as first, left.next() as second:
        assert [first, second] == events
    assert not left
