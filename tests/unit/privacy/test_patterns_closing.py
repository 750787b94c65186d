"""Who closes a note, typed it or did what it tells goes; units, degrees and products stay."""

import pytest

from services.privacy.free_text import TextCleaner
from services.privacy.patterns import find_patterns
from services.privacy.patterns_closing import CLOSING_EN
from tests.support.timing import assert_works_within, timed

GOES = [
    ("Not listed yet.\nPungpapong-Ellis", "Pungpapong-Ellis"),
    ("Will follow. Quillfeather", "Quillfeather"),
    ("call if worse.\nTarrandson/kmb", "Tarrandson/kmb"),
    ("panel with them soon. MBz", "MBz"),
    ("not to drive till healed.\n\nMcG F2 #8120", "McG"),
    ("ward D10. Signed Anneke vdM", "Anneke vdM"),
    ("will follow. Karpinskaya/ds  D 11/08 T 11/09", "ds"),
    ("audit done. dict. DP, thanks", "DP"),
    ("rec end. transcr hk", "hk"),
    ("L shoulder marked AK. Chloraprep", "AK"),
    ("Anesthesia: GETA, Merriwether CRNA", "Merriwether"),
    ("PEG before FVC 50, Gulickson at Wesley today", "Gulickson"),
    ("lap salpingectomy Maguirre. bhcg fell", "Maguirre"),
    ("chosen by Factorow, Boulisse, Wichmannova", "Wichmannova"),
    ("OFFICERS TUTENOW AND KNIGHTLY AT BEDSIDE", "KNIGHTLY"),
]
STAYS = [
    "albumin 1.5 g/kg D1, 1 g/kg D3",
    "typed and crossed, dictated by phone, marked by pen",
    "Clexane RN to give. Rivaroxaban, MD to review",
    "PEG Ensure, CT Head, op Site clean",
    "Will follow. Home",
    "thank you. Discharged",
]


@pytest.mark.parametrize(("text", "goes"), GOES)
def test_who_wrote_or_did_it_goes(text: str, goes: str) -> None:
    cleaned = TextCleaner().clean(text)
    assert any(goes in text[span.start : span.end] for span in cleaned.spans)


@pytest.mark.parametrize("text", STAYS)
def test_units_products_and_headings_stay(text: str) -> None:
    assert list(find_patterns(text, CLOSING_EN)) == []


@pytest.mark.parametrize(
    "piece", ["Aa at ", "Aa, RN ", "\nAa/", "by Aa, Aa, ", "1/1 (Aa ", "typed aa "]
)
@timed
def test_time_grows_with_the_text_and_no_faster(piece: str) -> None:
    text = (piece * 30_000)[:30_000]

    assert_works_within(0.6, lambda: list(find_patterns(text, CLOSING_EN)))
