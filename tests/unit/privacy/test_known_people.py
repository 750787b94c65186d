"""Who is known of a patient over many events: staff in a list of their own."""

import pytest

from contracts.identified import Encounter, Note, Patient, PatientId, PersonName, Staff
from services.privacy.guard import shows_identity
from services.privacy.identity import NOBODY, KnownIdentity, grow, join, not_kept, with_staff
from services.privacy.primed import Primed, beyond, primed_for
from tests.unit.privacy.builders import ANNA, MING, a_body

MANY = 200  # staff who see somebody in a long stay
KIN = Patient(ids=ANNA.ids, names=ANNA.names, others={"NAME": ("Percy Dulwich",)})


def primed(known: KnownIdentity, patient: Patient = ANNA) -> Primed:
    body = a_body(patient, encounter=Encounter())
    return primed_for(known, body, beyond(known, body), None)


@pytest.mark.parametrize(
    ("staff", "note", "cleaned"),
    [
        (("Will", "Rose"), "with will, rose happy", "with [NAME-1] happy"),
        (("方", "圆"), "与方圆讨论后", "与[NAME-1]讨论后"),
        (("Okonkwo", "Chidi"), "okonkwo agrees; ref D4411", "[NAME-1] agrees; ref [ID-1]"),
    ],
)
def test_staff_of_an_earlier_event_are_known_to_later_notes(
    staff: tuple[str, str], note: str, cleaned: str
) -> None:
    visit = (Staff("D4411", "attending", PersonName(*staff)),)
    known = grow(NOBODY, with_staff(ANNA, visit))
    later = grow(known, ANNA)
    assert later is known
    assert primed(later).cleaner.clean(note).text == cleaned
    assert primed(grow(NOBODY, ANNA)).cleaner.clean(note).text != cleaned


def test_staff_take_no_place_of_kin_former_or_merged_names() -> None:
    former = Patient(ids=ANNA.ids, names=(PersonName("Larkspur", "Anna"),))
    known = join(grow(grow(NOBODY, former), KIN), grow(NOBODY, MING))
    for number in range(MANY):
        named = Patient(ids=ANNA.ids, others={"STAFF": (f"Nurse{number} Tech",)})
        visit = (Staff(f"N{number}", "nurse", PersonName(f"Ward{number}", "Tech")),)
        known = grow(known, with_staff(named, visit))
    assert len(known.others["STAFF"]) == 64
    text = primed(known).cleaner.clean("percy dulwich called; ms larkspur; 欧阳晓明好转").text
    assert text is not None
    assert not {"percy", "dulwich", "larkspur", "欧阳晓明"} & set(text.replace(";", " ").split())
    assert text == "[NAME-1] called; ms [NAME-2]; [NAME-3]好转"


def test_a_full_list_of_staff_does_not_build_the_scrub_anew_for_each_event() -> None:
    told = Patient(ids=ANNA.ids, others={"STAFF": tuple(f"Nurse{n} Tech" for n in range(64))})
    known = grow(NOBODY, told)
    assert not_kept(known, told) is NOBODY
    one_more = Patient(ids=ANNA.ids, others={"STAFF": (*told.others["STAFF"], "Nurse99 Tech")})
    assert not_kept(known, one_more).others == {"STAFF": ("Nurse99 Tech",)}


def test_the_number_of_staff_of_earlier_events_stops_no_event() -> None:
    visit = (Staff("10045", "attending", PersonName("Okonkwo", "Chidi")),)
    known = grow(NOBODY, with_staff(Patient(ids=(PatientId("ZY99"),)), visit))
    scrub = primed(known)
    assert scrub.cleaner.clean("seen by 10045 today").text == "seen by [ID-1] today"
    assert not shows_identity(b'{"value":10045}', scrub.known)
    assert shows_identity(b'{"text":"Chidi Okonkwo"}', scrub.known)


@pytest.mark.parametrize(
    ("address", "note", "cleaned"),
    [
        ("12 Elm Road", "back to 12 elm rd tomorrow", "back to [LOC-1] tomorrow"),
        ("12 Elm Rd", "at elm road still", "at [LOC-1] still"),
        ("Elm Road 12", "at elm road still", "at [LOC-1] still"),
        ("12 High St", "high ST elevation", "high ST elevation"),
        ("12 Head Ct", "head CT was normal", "head CT was normal"),
        ("One Way", "one wy or another", "one wy or another"),
        ("北京市朝阳区建国路88号", "在建国路摔倒", "在[LOC-1]摔倒"),
    ],
)
def test_a_known_street_is_found_short_long_and_without_its_house(
    address: str, note: str, cleaned: str
) -> None:
    patient = Patient(ids=(PatientId("10045678"),), others={"LOC": (address,)})
    assert primed(grow(NOBODY, patient), patient).cleaner.clean(note).text == cleaned


@pytest.mark.parametrize(
    ("note", "cleaned"),
    [
        ("born 50-03-07, seen", "born [DATE-1], seen"),
        ("born in 1950, seen since 1950", "[DATE-1], seen since 1950"),
        ("1950年出生，1950年起", "[DATE-1]，1950年起"),
    ],
)
def test_a_birth_date_is_found_with_two_digits_of_its_year_and_its_year_where_it_is_one(
    note: str, cleaned: str
) -> None:
    assert primed(grow(NOBODY, ANNA)).cleaner.clean(note).text == cleaned


def ordered(note: str, *numbers: str) -> Primed:
    body = a_body(ANNA, encounter=Encounter(), notes=(Note(text=note),), numbers=numbers)
    known = grow(NOBODY, ANNA)
    return primed_for(known, body, beyond(known, body), None)


@pytest.mark.parametrize(
    ("note", "numbers", "cleaned"),
    [
        ("sample PL-88231 haemolysed", ("PL-88231",), "sample [ID-1] haemolysed"),
        ("re pl 88231", ("PL-88231",), "re [ID-1]"),
        ("repeat of 88231 sent", ("00088231",), "repeat of [ID-1] sent"),
        ("标本88231溶血", ("88231",), "标本[ID-1]溶血"),
        ("sodium 1402 units", ("1402", "14-02"), "sodium 1402 units"),
    ],
)
def test_the_numbers_of_its_orders_are_known_to_the_notes_of_an_event(
    note: str, numbers: tuple[str, ...], cleaned: str
) -> None:
    assert ordered(note, *numbers).cleaner.clean(note).text == cleaned


def test_a_number_of_an_order_that_no_text_quotes_builds_no_scrub_anew() -> None:
    assert ordered("sample haemolysed", "PL-88231").is_whole
    assert not ordered("sample PL-88231 haemolysed", "PL-88231").is_whole


def test_a_number_of_an_order_holds_no_note_back_and_is_kept_nowhere() -> None:
    many = tuple(f"PL-{number}" for number in range(88_000, 88_200))
    found = ordered("platelets 1880010 and PL-88001", *many)
    assert found.cleaner.clean("lot A1PL88001B, PL-88001").held == ""
    assert "NUMBER" not in found.identity.others
    assert not shows_identity(b'{"order":"PL88001"}', found.known)
    fresh = Patient(ids=ANNA.ids, others={"NUMBER": ("PL-88001",)})
    assert grow(NOBODY, fresh).others == {}
