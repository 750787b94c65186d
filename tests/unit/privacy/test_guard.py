import pytest

from contracts.deidentified import DEIDENTIFIED, CleanNote, DeidentifiedEvent
from services.privacy.guard import GuardWatch, shows_identity
from services.privacy.known import KnownTerms
from services.privacy.known_terms import terms_of
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
