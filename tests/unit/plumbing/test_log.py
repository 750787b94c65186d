"""What of a library's log line passes: never text that could name somebody."""

import enum
import logging

import pytest

from plumbing.log import _TemplateOnly

NAME = "Zhang Wei"


class Kind(enum.StrEnum):
    NAMED = NAME


class Heard:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def log(self, _level: int, sentence: str, **_fields: object) -> None:
        self.said.append(sentence)


@pytest.mark.parametrize(
    ("template", "arguments", "said"),
    [
        ("Request failed: %s", (ConnectionError(NAME),), "Request failed: ConnectionError"),
        ("Request failed: %r", (ConnectionError,), "Request failed: 'ConnectionError'"),
        ("waits %.1f s for %d of %s", (0.25, 3, NAME), "waits 0.2 s for 3 of …"),
        ("%s at %s", (NAME.encode(), [NAME]), "… at …"),
        ("%s", (Kind.NAMED,), "…"),
        ("of %(name)s, %(count)d", ({"name": NAME, "count": 2},), "of …, 2"),
        ("number %d", (NAME,), "number %d"),
        ("too few: %s %s", (1,), "too few: %s %s"),
    ],
)
def test_a_library_s_line_is_formatted_without_text(
    template: str, arguments: tuple[object, ...], said: str
) -> None:
    heard = Heard()
    record = logging.LogRecord("kafka", logging.ERROR, "a.py", 7, template, arguments, None)
    _TemplateOnly(heard).emit(record)
    assert heard.said == [said]


def test_a_line_without_arguments_is_named_by_its_place() -> None:
    heard = Heard()
    _TemplateOnly(heard).emit(logging.LogRecord("x", 40, "a.py", 7, f"of {NAME}", (), None))
    assert heard.said == ["a:7"]
