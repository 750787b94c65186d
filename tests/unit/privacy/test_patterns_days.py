"""Days written by hand: two days of a month, months of other languages, feasts, ordinals."""

import pytest

from services.privacy.free_text import TextCleaner
from services.privacy.patterns import find_patterns
from services.privacy.patterns_days import DAYS_EN
from tests.support.timing import assert_works_within, timed

GOES = [
    ("missed doses 30 & 31 Mar", "30"),
    ("sessions in February and March", "February"),
    ("presented 6 février with chest pain", "6 février"),
    ("ingreso el 4 de marzo de 2023", "4 de marzo de 2023"),
    ("theatre, TCI the 4th with the registrar", "the 4th"),
    ("the show, first Sat in Sept", "first Sat in Sept"),
    ("date of service four slash nine", "four slash nine"),
    ("PSV/cah  D 3/4 T 3/6  Conf", "3/4"),
    ("PSV/cah  D 3/4 T 3/6  Conf", "3/6"),
    ("depot is due Martinmas", "Martinmas"),
    ("on the feast of St Anthony he fell", "feast of St Anthony"),
    ("erev Sukkot, at home", "erev Sukkot"),
    ("reunion dinner, CNY Day 2", "2"),
]
STAYS = [
    "on the 4th floor, on the 9th centile, by the 3rd dose, from the 5th rib",
    "take 2 or 3 tablets, 10 to 14 days, 3 and 4 mm",
    "le mari est venu, mai jamais; maintain mars bars",
    "one slash mark, either or",
]


@pytest.mark.parametrize(("text", "goes"), GOES)
def test_a_day_goes_as_it_is_said(text: str, goes: str) -> None:
    cleaned = TextCleaner().clean(text)
    assert any(goes in text[span.start : span.end] for span in cleaned.spans)


@pytest.mark.parametrize("text", STAYS)
def test_counts_and_parts_stay(text: str) -> None:
    assert TextCleaner().clean(text).text == text


@pytest.mark.parametrize("piece", ["1 & ", "one slash ", "the 4th ", "May and ", "2 de "])
@timed
def test_time_grows_with_the_text_and_no_faster(piece: str) -> None:
    text = (piece * 30_000)[:30_000]

    assert_works_within(0.6, lambda: list(find_patterns(text, DAYS_EN)))
