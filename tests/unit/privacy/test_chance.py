"""A short name within ordinary words is nobody's; however else it is written it is somebody's."""

import pytest

from contracts.deidentified import DEIDENTIFIED, CleanNote, DeidentifiedEvent
from contracts.identified import Patient, PatientId, PersonName
from services.privacy.free_text import TextCleaner
from services.privacy.guard import shows_identity
from services.privacy.known import KnownTerms
from services.privacy.known_terms import Term, terms_of
from tests.support.timing import assert_works_within, timed
from tests.unit.privacy.bad_inputs import EN_PID, message, sent
from tests.unit.privacy.builders import known_of


def known(family: str, given: str) -> KnownTerms:
    patient = Patient(ids=(PatientId("7"),), names=(PersonName(family, given),))
    return KnownTerms(terms_of(known_of(patient)))


def guarded(text: str, terms: KnownTerms) -> bool:
    event = DeidentifiedEvent(
        event_id="e", token="t", event_type="document", occurred_at_ms=0,
        notes=(CleanNote(text=text),),
    )  # fmt: skip
    return shows_identity(DEIDENTIFIED.encode(event), terms)


CHANCE = [
    ("Li", "Ting", "Tingling of hand"),
    ("Li", "Ting", "NO TINGLING"),
    ("Li", "Ting", "Starting lisinopril"),
    ("Li", "Ting", "well\nTingling gone"),
    ("An", "Ding", "Systolic blood pressure--standing"),
    ("Ann", "Ward", "plan: Annual forward view, wardrobe"),
]


@pytest.mark.parametrize(("family", "given", "text"), CHANCE)
def test_a_name_within_ordinary_words_costs_nothing(family: str, given: str, text: str) -> None:
    terms = known(family, given)
    cleaner = TextCleaner(terms)
    assert cleaner.clean(text).text == text
    assert cleaner.label(text) == text
    assert not guarded(text, terms)


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("Li^Ting", "OBX|1|CWE|CC^Complaint^L||R20.2^Tingling of hand^I10||||||F"),
        ("Li^Ting", "OBX|1|TX|CC^Note^L||Starting lisinopril||||||F"),
        ("An^Ding", "OBX|1|NM|8460-8^Systolic blood pressure--standing^LN||120|mm[Hg]|||||F"),
    ],
)
def test_a_name_within_a_word_holds_no_event(name: str, row: str) -> None:
    left = sent(message(pid=EN_PID.replace("Vickers^Anna^Louise", name), more=[row]))
    assert left.fate == "cleaned"
    assert left.events[0].observations[-1].finding == ""


@pytest.mark.parametrize(
    "written",
    ["Li Ting", "TING LI", "ting,li", "liting", "TingLi", "Li-Ting", "l.i.t.i.n.g", "L I T I N G",
     "ＬｉＴｉｎｇ", "xlitingx", "wangtingli", "StarTingLi", "tingli2", "2tingli", "ting Lisa",
     "starTing lisinopril", "Sterting lisinopril", "li\u200bting", "Starting Li"],
)  # fmt: skip
def test_a_short_name_written_in_whatever_way_does_not_leave(written: str) -> None:
    terms = known("Li", "Ting")
    cleaner = TextCleaner(terms)
    text = f"today {written} was well"
    assert cleaner.clean(text).text != text
    assert cleaner.label(text) != text
    assert not cleaner.passes(text)


@pytest.mark.parametrize(
    "written",
    ["Li Ting", "TING LI", "liting", "TingLi", "l.i.t.i.n.g", "xlitingx", "tingli2"],
)
def test_the_guard_stops_a_short_name_as_before(written: str) -> None:
    assert guarded(f"today {written} was well", known("Li", "Ting"))


@pytest.mark.parametrize("text", ["transportation", "Her transportation", "nontransportation"])
def test_a_name_of_ten_letters_is_found_within_whatever_word(text: str) -> None:
    terms = known("Ansporta", "Tr")
    assert TextCleaner(terms).clean(text).text is None
    assert TextCleaner(terms).label(text) == ""
    assert guarded(text, terms)


@timed
def test_names_made_up_of_parts_of_words_take_no_time() -> None:
    word = "understanding"
    parts = {word[a:b] for a in range(13) for b in range(a + 6, min(a + 9, 13) + 1)}
    terms = KnownTerms([Term(part, "NAME", is_strong=True) for part in parts])
    text = f"{word} " * 7_000
    assert TextCleaner(terms).clean(text[:140]).text == text[:140]
    assert_works_within(2.0, lambda: TextCleaner(terms).clean(text))
    assert TextCleaner(terms).clean(text).held == "residual_identifier"
    assert guarded(text, terms)
