"""Invented values for exports: consistent, of the same shape, never what stood there."""

from datetime import date

import pytest

from services.privacy.spans import Span
from services.privacy.surrogates import Surrogates

KEY = bytes(range(32))


def spans_of(text: str, **values: str) -> list[Span]:
    found = [
        Span(at, at + len(value), label.rstrip("_"))
        for label, value in values.items()
        for at in range(len(text))
        if text.startswith(value, at)
    ]
    return sorted(found, key=lambda one: one.start)


def test_one_value_is_one_surrogate_in_every_text() -> None:
    first = "李梅与李梅之母"
    second = "患者李梅来诊"
    invented = Surrogates(KEY)
    one = invented.put(first, spans_of(first, NAME="李梅"), "a")
    other = invented.put(second, spans_of(second, NAME="李梅"), "b")
    name = one[:2]
    assert one == f"{name}与{name}之母"
    assert other == f"患者{name}来诊"
    assert name != "李梅"
    assert Surrogates(bytes(32)).put(first, spans_of(first, NAME="李梅"), "a") != one


@pytest.mark.parametrize("value", ["ZY0098231", "138-1234-5678", "a1B2"])
def test_numbers_keep_their_shape(value: str) -> None:
    found = Surrogates(KEY).put(value, [Span(0, len(value), "ID")], "a")
    assert found != value
    shapes = ["".join("9" if c.isdecimal() else "A" if c.isupper() else "a" if c.isalpha() else c
                      for c in text) for text in (found, value)]  # fmt: skip
    assert shapes[0] == shapes[1]


def test_intervals_of_one_subject_stay() -> None:
    text = "2024-03-05 2024年3月9日 5月6日"
    spans = [Span(0, 10, "DATE"), Span(11, 20, "DATE"), Span(21, 25, "DATE")]
    one, other, rest = Surrogates(KEY).put(text, spans, "a").split(" ")
    moved = date.fromisoformat(one)
    year, month, day = other.removesuffix("日").replace("年", "月").split("月")
    assert date(int(year), int(month), int(day)) - moved == date(2024, 3, 9) - date(2024, 3, 5)
    assert 1 <= (date(2024, 3, 5) - moved).days <= 365
    assert rest == "[DATE]"  # no year to move it by


def test_no_surrogate_is_a_value_of_the_same_text() -> None:
    invented = Surrogates(KEY)
    name = invented.put("Anna Vickers", [Span(0, 12, "NAME")], "a")
    text = f"Anna Vickers and {name}"
    found = invented.put(text, [Span(0, 12, "NAME"), Span(17, len(text), "NAME")], "a")
    assert name not in found
    assert "Anna" not in found


def test_the_style_of_a_name_stays() -> None:
    upper = Surrogates(KEY).put("VICKERS, ANNA", [Span(0, 13, "NAME")], "a")
    assert upper.isupper()
    assert ", " in upper


@pytest.mark.parametrize(
    ("value", "known"),
    [
        ("Anna Vickers", ("Anna Vickers", "Morgan Harris", "Rogers, Kim")),
        ("Anna Harris", ("Anna Harris",)),
        ("Mr Harris", ("Kim Harris",)),
        ("李桂芳", ("李桂芳", "王伟芳", "张伟")),
        ("欧阳伟", ("欧阳伟", "何丽")),
    ],
)
def test_no_surrogate_has_a_name_that_is_known(value: str, known: tuple[str, ...]) -> None:
    """Of 1,000 keys, so that each of the invented names comes up many times."""
    real = {part for name in known for part in names_of(name)} | names_of(value)
    drawn = set()
    for number in range(1_000):
        invented = Surrogates(number.to_bytes(32, "big"))
        found = invented.put(value, [Span(0, len(value), "NAME")], "a", known)
        assert names_of(found).isdisjoint(real), found
        drawn.add(found)
    assert len(drawn) > 100


def names_of(name: str) -> set[str]:
    if name.isascii():
        return set(name.lower().replace(",", "").split()) - {"mr"}
    size = 2 if name.startswith("欧阳") else 1
    return {name[:size], name[size:]}


def test_no_surrogate_is_a_known_number_place_or_day() -> None:
    known = ("7", "Ashford", "12 Mill Lane", "Riverside", "1950年3月7日", "19490101")
    days = {date(1950, 3, 7), date(1949, 1, 1)}
    marked = 0
    for number in range(800):
        invented = Surrogates(number.to_bytes(32, "big"))
        assert invented.put("3", [Span(0, 1, "ID")], "a", known) != "7"
        place = invented.put("Elm Road", [Span(0, 8, "LOC")], "a", known)
        assert place in {"Springfield", "Lakeview", "[LOC]"}
        day = invented.put("1950-05-01", [Span(0, 10, "DATE")], "a", known)
        marked += day == "[DATE]"
        assert day == "[DATE]" or date.fromisoformat(day) not in days
    assert 0 < marked < 20


def test_a_date_that_tells_an_age_over_89_is_marked() -> None:
    text = "Born 1920-03-05, seen 2024-03-05"
    spans = spans_of(text, DATE="1920-03-05", DATE_="2024-03-05")
    written = Surrogates(KEY, now_year=2024).put(text, spans, "a")
    assert written.startswith("Born [DATE], seen 202")
