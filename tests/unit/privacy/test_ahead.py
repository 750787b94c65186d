from collections.abc import Sequence

from contracts.identified import Note
from contracts.observation import Code, Observation
from services.privacy.ahead import (
    ALONE_CHARS,
    EVENT_CHARS,
    GROUP_CHARS,
    ReadAhead,
    grouped,
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
    reader.ahead(["one", "ｔｗｏ", "one"])
    assert reader.find("one") == reader.find("two") == [Span(0, 1, "NAME")]
    assert tagger.asked == [["one", "two"]]


def test_what_was_not_given_is_read_when_it_comes() -> None:
    tagger = Tagger()
    reader = ReadAhead(tagger)
    long, undecodable = "a" * (ALONE_CHARS + 1), "a\x00"
    reader.ahead(["one", "", long, undecodable])  # one that is short gains nothing
    reader.ahead([])
    assert tagger.asked == [[], []]
    assert reader.find("one") == reader.find(long) == [Span(0, 1, "NAME")]
    assert tagger.asked[2:] == [["one"], [long]]


def test_what_was_read_before_is_forgotten() -> None:
    tagger = Tagger()
    reader = ReadAhead(tagger)
    reader.ahead(["one", "two"])
    reader.ahead(["three", "four"])
    reader.find("one")
    assert tagger.asked[2:] == [["one"]]


def line(index: int, text: str) -> Observation:
    return Observation(index=index, code=Code("LN", "11502-2", "report"), kind="text", text=text)


def test_the_texts_of_an_event_are_as_they_are_cleaned() -> None:
    coded = Observation(index=1, code=Code("LN", "11502-2", "report"), kind="coded", text="4.1")
    lines = (line(0, "Seen by"), coded, line(2, ""), line(3, "Lee"))
    body = a_body(observations=lines, notes=(*a_note("one"), Note(text="two", apart_chars=9)))
    assert list(texts_in(body)) == ["Seen by\nLee", "one"]


def test_events_are_taken_so_many_as_have_little_text() -> None:
    def opened(text: str) -> Opened:
        return Opened(0, "e", a_body(notes=a_note(text)), "link", (), "ward")

    sizes = [GROUP_CHARS // 2] * 3 + [3 * GROUP_CHARS] + [0] * (1 + GROUP_CHARS // EVENT_CHARS)
    groups = list(grouped([opened("a" * size) for size in sizes]))
    assert [len(group) for group in groups] == [1, 1, 1, 1, GROUP_CHARS // EVENT_CHARS, 1]
    assert list(grouped([])) == []
