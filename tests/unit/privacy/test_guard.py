import pytest

from contracts.clinical import Medication
from contracts.deidentified import DEIDENTIFIED, CleanNote, DeidentifiedEvent
from contracts.identified import PatientId
from contracts.observation import Code, Observation
from services.privacy.guard import GuardWatch, shows_identity
from services.privacy.identity import KnownIdentity
from services.privacy.known import KnownTerms
from services.privacy.known_terms import Term, terms_of
from tests.unit.privacy.builders import ANNA, MING, known_of

KNOWN = KnownTerms([*terms_of(known_of(ANNA)), *terms_of(known_of(MING))])


def record(text: str, **changes: object) -> bytes:
    fields = {"event_id": "1f0045678-10045678", "token": "t10045678t", "occurred_at_ms": 0}
    event = DeidentifiedEvent(
        event_type="document",
        notes=(CleanNote(text=text),),
        **(fields | changes),  # type: ignore[arg-type]  # a builder's freedom
    )
    return DEIDENTIFIED.encode(event)


@pytest.mark.parametrize(
    "text",
    [
        "10045678",
        "id=10045678.",
        "在10045678号",
        "Anna Vickers",
        "VICKERS,ANNA",
        "欧阳晓明",
        "歐陽曉明",
        "zy0098231",
    ],
)
def test_a_validated_identifier_is_seen(text: str) -> None:
    assert shows_identity(record(text), KNOWN)


def test_a_number_with_chinese_in_it_is_seen_in_either_script() -> None:
    officer = PatientId("军字第2001988号", "ARMY", "MI")
    known = KnownTerms(terms_of(KnownIdentity(ids=(officer,))))
    assert shows_identity(record("證件軍字第2001988號,"), known)
    assert shows_identity(record("证件 军字第2001988号。"), known)


@pytest.mark.parametrize("text", ["", "Anna", "910045678", "10045678a", "88", "1-0-0-4-5-6-7-8"])
def test_a_coincidence_is_not(text: str) -> None:
    assert not shows_identity(record(text), KNOWN)


def test_what_privacy_made_itself_is_not_looked_at() -> None:
    assert not shows_identity(record("", occurred_at_ms=10_045_678), KNOWN)
    assert not shows_identity(record("x"), KnownTerms(()))


def test_one_patient_who_hits_for_ever_says_nothing_against_the_source() -> None:
    watch = GuardWatch()
    assert not any(watch.hit("mllp/a", "patient") for _ in range(1_000))
    assert not watch.hit("mllp/a", "second")
    assert watch.hit("mllp/a", "third")
    assert watch.hit("mllp/a", "patient")
    assert not watch.hit("mllp/b", "patient")  # another source has nothing to do with it


def test_a_sender_of_many_names_fills_no_memory() -> None:
    watch = GuardWatch()
    for number in range(5_000):
        watch.hit(f"mllp/{number}", "patient")
        watch.hit("mllp/flood", f"patient {number}")
    assert len(watch._patients) <= 1_000
    assert all(len(patients) <= 3 for patients in watch._patients.values())


@pytest.mark.parametrize(
    "text",
    [
        "id 11010519491231002X",
        "13998765432",
        "+86 139 9876 5432",
        "219-09-9999",
        "SSN: 219099999",
        "p.grantham@example.org",
        "4111111111111111",
        "4111 1111 1111 1111",
        "378282246310005",
    ],
)
def test_anybodys_valid_number_is_seen_though_nothing_is_known(text: str) -> None:
    assert shows_identity(record(text), KnownTerms(()))
    assert shows_identity(record(f"said {text}, then"), KNOWN)


@pytest.mark.parametrize(
    "text",
    [
        "110105194912310022",  # a wrong check digit
        "4111111111111112",
        "428191000124101",  # SNOMED CT
        "10811161000119107",
        "000-12-3456",
        "57698-3",
        "12345678901",
        "1.3998765432",
        "2.16.840.1.113883.6.96",
        "@",
    ],
)
def test_other_numbers_are_nobodys(text: str) -> None:
    assert not shows_identity(record(text), KnownTerms(()))


def test_names_of_fields_and_numbers_are_no_texts() -> None:
    known = KnownTerms(
        [Term("notestext", "NAME", is_strong=True), Term("202403", "ID", is_strong=True)]
    )
    assert not shows_identity(record("x", occurred_at_ms=202403), known)
    found = (Observation(index=0, code=Code("L", "X"), kind="quantity", value=202403.0),)
    assert not shows_identity(record("x", observations=found), known)
    assert shows_identity(record("202403"), known)


def test_a_drugs_number_is_no_telephone() -> None:
    drug = (Medication(code=Code("NDC", "13107000101", "Codeine")),)
    assert not shows_identity(record("x", medications=drug), KnownTerms(()))
