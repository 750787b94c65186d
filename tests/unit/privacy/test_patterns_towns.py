"""Towns, streets and homes that no list has go by the word beside them; drugs and signs stay."""

import pytest

from services.privacy.free_text import TextCleaner
from services.privacy.patterns import find_patterns
from services.privacy.patterns_towns import TOWNS_EN
from tests.support.timing import assert_works_within, timed

GOES = [
    ("drove up from Quendlebury with his dog", "Quendlebury"),
    ("fell at Thornwick on the ice", "Thornwick"),
    ("he is a native of Aberwystle", "Aberwystle"),
    ("moved to Skarholt last spring", "Skarholt"),
    ("BROUGHT IN FROM MCTEVERSVILLE BY AIR", "MCTEVERSVILLE"),
    ("baptised at St Hildegund, buried there", "St Hildegund"),
    ("hit a pothole on Garth Street today", "Garth Street"),
    ("lives at Fernwick House, ground floor", "Fernwick House"),
    ("year 4 at Larkwell Primary", "Larkwell Primary"),
    ("stays in Motel 8 with a friend", "Motel 8"),
    ("seen at the U of A last year", "U of A"),
    ("weekly at Daughters of Mercia, by bus", "Daughters of Mercia"),
    ("lives at Fernwick House, Lochmaddie. Well", "Lochmaddie"),
    ("rolled his truck on I-84 last night", "I-84"),
]
STAYS = [
    "switched to Toprol, allergic to Septra, exposed to Asbestos",
    "spoken to in Spanish, letter in French, from Arabic",
    "lying in Trendelenburg, then at Rest",
    "St John's wort stopped; St Jude valve seen",
    "General Medical, Acute Medical, Outpatient Centre",
    "Referred to Cardiology, transferred to Theatre, from Home",
]


@pytest.mark.parametrize(("text", "goes"), GOES)
def test_a_place_goes_by_what_stands_beside_it(text: str, goes: str) -> None:
    cleaned = TextCleaner().clean(text)
    assert any(goes in text[span.start : span.end] for span in cleaned.spans)


@pytest.mark.parametrize("text", STAYS)
def test_drugs_languages_and_departments_stay(text: str) -> None:
    assert TextCleaner().clean(text).text == text


@pytest.mark.parametrize("piece", ["from Aa ", "Aa Aa House ", "at ", "St Aaaa ", "on Aa Street "])
@timed
def test_time_grows_with_the_text_and_no_faster(piece: str) -> None:
    text = (piece * 30_000)[:30_000]

    assert_works_within(0.6, lambda: list(find_patterns(text, TOWNS_EN)))
