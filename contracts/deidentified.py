"""clinical.deidentified.v1: what is left when who the patient is has been removed."""

import msgspec

from contracts.clinical import (
    Allergy,
    Condition,
    EncounterStatus,
    EventType,
    Finding,
    Genotype,
    Medication,
    Order,
    Precision,
    Variant,
    Zone,
)
from contracts.observation import Observation
from contracts.topic import DAY_MS, Topic


class Age(msgspec.Struct, frozen=True, omit_defaults=True):
    """Age at the event, made before shifting: ``days`` under 2 years, else ``years``; 90 is 90+."""

    years: int
    days: int | None = None


class Stay(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The visit as far as it identifies nobody: a token, the class, the unit, shifted times."""

    encounter: str
    class_: str = msgspec.field(default="", name="class")
    unit: str = ""
    status: EncounterStatus = "open"
    admitted_at_ms: int | None = None
    discharged_at_ms: int | None = None


class CleanNote(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A note with typed marks (``[NAME-1]``) for what was removed; ``text`` None when held back.

    ``held`` is the reason code why a note was held back, empty when it passed. ``status`` is D, W
    or X where what it comments on was taken back.
    """

    text: str | None
    about: int = -1
    kind: str = ""
    lang: str = ""
    held: str = ""
    status: str = ""


class CleanImage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An image as far as it identifies nobody: pixels of 8-bit grey, at most 512 an edge.

    ``png`` is a PNG without metadata (base64 in JSON), None when ``held``, a reason code, says why
    not. ``about``: index of its observation, or -1. ``modality``, ``body_part``, ``view`` and
    ``laterality`` are defined terms of DICOM, "" when not known; ``acquired_at_ms`` is shifted as
    all times; ``study`` and ``series`` are UIDs under the patient key.
    """

    about: int = -1
    png: bytes | None = None
    width: int = 0
    height: int = 0
    modality: str = ""
    body_part: str = ""
    view: str = ""
    laterality: str = ""
    acquired_at_ms: int | None = None
    study: str = ""
    series: str = ""
    held: str = ""


class DeidentifiedEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One clinical event of one identifier, pseudonymised.

    Times are milliseconds since 1970 UTC moved back by the patient's shift (whole days).
    ``elapsed_ms`` is the time from ingest's receipt to privacy's hand-over (record timestamps are
    processing time, so each later stage adds its own share). ``area``: the first three digits of a
    postcode of the United States, 000 where few people live; "" for any other. ``genotypes`` and
    ``variants`` are of the pharmacogenetic panel alone (decision 0035); the observations that they
    are ``about`` say the same in words. No service reads the two yet.
    """

    schema_version: str = "1.0"
    event_id: str
    token: str
    event_type: EventType
    message_type: str = ""
    occurred_at_ms: int
    occurred_precision: Precision = "unknown"
    occurred_zone: Zone = "assumed"
    elapsed_ms: int = 0
    age: Age | None = None
    sex: str = ""
    deceased: bool = False
    area: str = ""
    stay: Stay | None = None
    observations: tuple[Observation, ...] = ()
    conditions: tuple[Condition, ...] = ()
    medications: tuple[Medication, ...] = ()
    allergies: tuple[Allergy, ...] = ()
    orders: tuple[Order, ...] = ()
    notes: tuple[CleanNote, ...] = ()
    images: tuple[CleanImage, ...] = ()
    findings: tuple[Finding, ...] = ()
    genotypes: tuple[Genotype, ...] = ()
    variants: tuple[Variant, ...] = ()


DEIDENTIFIED = Topic(
    name="clinical.deidentified.v1",
    event=DeidentifiedEvent,
    key="token",
    producer="privacy",
    consumers=("inference",),
    retention_ms=30 * DAY_MS,
)
