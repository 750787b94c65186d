"""Synthetic people and events for the tests of privacy."""

from contracts.identified import (
    Encounter,
    IdentifiedBody,
    Note,
    Patient,
    PatientId,
    PersonName,
    Staff,
)
from contracts.observation import Code, Observation
from services.privacy.free_text import TextCleaner
from services.privacy.identity import NOBODY, KnownIdentity, grow
from services.privacy.known import KnownTerms
from services.privacy.known_terms import terms_of
from services.privacy.patient_keys import PatientKey

DAY_MS = 86_400_000
NOON_MS = 1_709_640_000_000  # 2024-03-05 12:00 UTC
KEY = PatientKey(bytes(range(32)))

ANNA = Patient(
    ids=(PatientId("10045678", "GENERAL", "MR"),),
    names=(PersonName("Vickers", "Anna", "Louise"),),
    birth_date="1950-03-07",
    sex="F",
    others={
        "NAME": ("Robert Vickers",),
        "ID": ("943-47-6582", "ACC778812"),
        "PHONE": ("(555) 123-4567",),
        "LOC": ("12 Elm Road", "Springfield"),
        "EMAIL": ("anna.vickers@example.org",),
        "DATE": ("1950-03-07",),
    },
)
MING = Patient(
    ids=(PatientId("ZY0098231", "HOSP", "MR"),),
    names=(PersonName("欧阳", "晓明"),),
    birth_date="1962-05-03",
    sex="M",
    others={
        "NAME": ("李桂芳",),
        "ID": ("110101196205031234",),
        "PHONE": ("13812345678",),
        "LOC": ("北京市朝阳区建国路88号",),
    },
)


def a_body(patient: Patient = ANNA, **changes: object) -> IdentifiedBody:
    """One vitals result of a stay, with a note when asked for."""
    fields: dict[str, object] = {
        "event_type": "observation.result",
        "message_type": "ORU^R01",
        "application": "MONITOR",
        "facility": "GENERAL HOSPITAL",
        "control_id": "MSG-0001-XYZ",
        "received_at_ms": NOON_MS + 5_000,
        "occurred_at_ms": NOON_MS,
        "occurred_precision": "second",
        "patient": patient,
        "encounter": Encounter(
            number="V-2024-991",
            class_="I",
            unit="MICU",
            room="12",
            bed="B",
            admitted_at_ms=NOON_MS - 2 * DAY_MS,
            staff=(Staff("D4411", "attending", PersonName("Okonkwo", "Chidi")),),
        ),
        "observations": (
            Observation(
                index=0,
                code=Code("LN", "8867-4", "Heart rate"),
                kind="quantity",
                value=88.0,
                text="88",
                unit="/min",
                unit_sent="bpm",
                reference_range="60-100",
                at_ms=NOON_MS,
                series="F-77123|8867-4",
            ),
        ),
        "raw": b"MSH|^~\\&|MONITOR",
    }
    return IdentifiedBody(**(fields | changes))  # type: ignore[arg-type]  # a builder's freedom


def a_note(text: str) -> tuple[Note, ...]:
    """One note of an event."""
    return (Note(text=text, kind="progress", lang="en"),)


def known_of(patient: Patient) -> KnownIdentity:
    """What privacy knows after the patient's first event."""
    return grow(NOBODY, patient)


def cleaner_of(body: IdentifiedBody) -> TextCleaner:
    """The scrub as the service primes it for an event."""
    staff = body.encounter.staff if body.encounter else ()
    return TextCleaner(KnownTerms(terms_of(known_of(body.patient), staff)))
