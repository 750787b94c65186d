"""Animals, ``a/l`` and names in small letters before an initial; plans, lines and bites stay."""

import pytest

from services.privacy.free_text import TextCleaner
from services.privacy.patterns import find_patterns
from services.privacy.patterns_named import NAMED_EN
from tests.support.timing import assert_works_within, timed

GOES = [
    ("lives alone with her dog Biscuit, well kept", "Biscuit"),
    ('worried for the cat ("Tunnock") at home', "Tunnock"),
    ("PULLED OVER BY HIS DOG PRINCE IN THE LANE", "PRINCE"),
    ("a horse called Bramble threw her", "Bramble"),
    ("consent of his uncle, muthusamy a/l perumal, by phone", "muthusamy a/l perumal"),
    ("Kavitha a/p Rajendran is her mother", "Kavitha a/p Rajendran"),
    ("Mr Lim a/l Tan came", "Lim a/l Tan"),
    ("Ravi a/l Sundaram Seen in clinic", "Ravi a/l Sundaram"),
    ("MOTHER KAVITHA A/P RAJENDRAN", "KAVITHA A/P RAJENDRAN"),
    ("seen: SIVAKUMAR A/L PERUMAL 44M", "SIVAKUMAR A/L PERUMAL"),
    ("R2 nkosi z G2P1, unsure of dates", "nkosi z"),
    ("to see tomorrow: patel r.\nthen bloods", "patel r"),
    ("bay 4: kowalski, c, chest drain", "kowalski, c"),
]
STAYS = [
    "dog bite to the hand, cat scratch; Cat Scratch test; DOG BITE, CAT SCAN",
    "bitten by a cat, Pasteurella covered; the dog (Husky) was vaccinated; dog Tuesday, pets: None",
    "radial a/l placed, CT a/p with contrast, A/P as above",
    "dampened a/l trace, Good a/l waveform, a/l flush, abdo a/p pelv, dev clinic A/P Desflurane",
    "Allergies: cats, Grass, Pollen; kicked by horse, Pain in chest; dog Ear drops, cat: Normal",
    "stanford b, for medical mx; los angeles c, biopsied; okuda b; levo d, neo d.",
    "vit d low, hep b neg, protein c normal, staph a. grown, app w/ pictures, sickle thal n/a",
]


@pytest.mark.parametrize(("text", "goes"), GOES)
def test_a_name_in_ways_of_its_own_goes(text: str, goes: str) -> None:
    found = [text[span.start : span.end] for span in TextCleaner().clean(text).spans]
    assert any(goes in one for one in found), found


@pytest.mark.parametrize("text", STAYS)
def test_what_looks_like_it_stays(text: str) -> None:
    found = [text[span.start : span.end] for span in find_patterns(text, NAMED_EN)]
    assert found == []


@pytest.mark.parametrize("piece", ["dog Aa ", "aa a/l ", "aaaa a ", "Aa Aa A/L "])
@timed
def test_time_grows_with_the_text_and_no_faster(piece: str) -> None:
    text = (piece * 30_000)[:30_000]

    assert_works_within(0.6, lambda: list(find_patterns(text, NAMED_EN)))
