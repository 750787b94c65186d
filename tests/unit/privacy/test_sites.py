"""Hospitals by name and by letters go; persons, scores and chart words of the same letters stay."""

import pytest

from services.privacy.free_text import TextCleaner
from services.privacy.sites import find_sites
from tests.support.timing import assert_works_within, timed

GOES = [
    ("Outreach clinic, Ninewells, Tuesday list", "Ninewells"),
    ("TRANSFERRED FROM GROOTE SCHUUR ON AIR AMBULANCE", "GROOTE SCHUUR"),
    ("seen at RVI with a cough", "RVI"),
    ("films sent to the Western for review", "Western"),
    ("accepted at Regions burn unit", "Regions"),
    ("images pushed to NGH overnight", "NGH"),
    ("slides requested by the VA last week", "VA"),
    ("Mercy ED gave fluids", "Mercy"),
    ("stented twice (Trident, 2017)", "Trident"),
]
STAYS = [
    "VA 6/9 right, VA 6/12 left with glasses",
    "mercy killing was discussed; he has mercy on us",
    "Vanderbilt 44 and Ashworth 1+ today",
    "western blot, general anaesthesia, royal jelly",
    "R-CHOP six cycles, then R-DHAP",
    "infiltrate in RA and RV, RAH on scan",
]


@pytest.mark.parametrize(("text", "goes"), GOES)
def test_a_site_of_care_goes(text: str, goes: str) -> None:
    cleaned = TextCleaner().clean(text)
    assert any(goes in text[span.start : span.end] for span in cleaned.spans)


@pytest.mark.parametrize("text", STAYS)
def test_what_only_looks_like_a_site_stays(text: str) -> None:
    assert list(find_sites(text)) == []


@timed
def test_time_grows_with_the_text_and_no_faster() -> None:
    text = ("at the Royal Mercy " * 2_000)[:30_000]

    assert_works_within(0.6, lambda: list(find_sites(text)))
