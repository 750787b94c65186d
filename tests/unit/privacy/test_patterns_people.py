"""People go by their service, post, bed, age or nickname; signs, drugs and organisms there stay."""

import pytest

from services.privacy.free_text import TextCleaner
from services.privacy.patterns import find_patterns
from services.privacy.patterns_people import PEOPLE_EN
from tests.support.timing import assert_works_within, timed

GOES = [
    ("stridor, scoped by ENT Quillfeather at once", "Quillfeather"),
    ("RIPE held until aspirate per ID Obermaier.", "Obermaier"),
    ("case manager Joy is on leave", "Joy"),
    ("wife and deckhand Buck manage the boat", "Buck"),
    ("her kids Zev and Rivkele visit", "Rivkele"),
    ("Bed A2 Cledwyn, cord compression", "Cledwyn"),
    ("cefazolin given. Manthopoulos sent the summary", "Manthopoulos"),
    ("goes by Bunny at school", "Bunny"),
    ('kiddo: Beckett "Bug" Halloran, four', "Bug"),
    ("admitted as Trauma, Zulu by the ambulance", "Trauma, Zulu"),
    ("support volunteer Mo spoke with her", "Mo"),
    ("EVD (Schroeder, NSGY) stays open", "Schroeder"),
    ("thanks, Wiebelhaus", "Wiebelhaus"),
]
STAYS = [
    "ENT Weber to the left, neuro Romberg, ortho Colles, GI Barrett",
    "micro Candida, ID Pseudomonas and Mycoplasma sent",
    "cardiology Clinic, renal Ultrasound, surgery Today, psych Review",
    "TIPS (Viatorr) in place, BPH (Avodart), score 24 (Gleason), wife Hx",
    "known as Asthmatic, called Ambulance at home",
    "treated by Rifaximin, told Nothing, per Protocol",
]


@pytest.mark.parametrize(("text", "goes"), GOES)
def test_who_somebody_is_tells_the_name(text: str, goes: str) -> None:
    cleaned = TextCleaner().clean(text)
    assert any(goes in text[span.start : span.end] for span in cleaned.spans)


@pytest.mark.parametrize("text", STAYS)
def test_signs_drugs_and_organisms_stay(text: str) -> None:
    assert list(find_patterns(text, PEOPLE_EN)) == []


@pytest.mark.parametrize("piece", ["ENT Aa ", "Aa said ", "kids Aa, Aa and ", "bed 1 ", 'Aa "Aa" '])
@timed
def test_time_grows_with_the_text_and_no_faster(piece: str) -> None:
    text = (piece * 30_000)[:30_000]

    assert_works_within(0.6, lambda: list(find_patterns(text, PEOPLE_EN)))
