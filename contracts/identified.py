"""clinical.identified.v1: what ingest writes, sealed, and only privacy opens (PHI)."""

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


class PatientId(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One entry of PID-3: the value, its assigning authority, its type (MR, PI, SS, ..)."""

    value: str
    assigner: str = ""
    type: str = ""


class PersonName(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One XPN or XCN name, parts as sent."""

    family: str = ""
    given: str = ""
    middle: str = ""
    suffix: str = ""
    prefix: str = ""


class Staff(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A member of staff in PV1-7, 8, 9, 17: their number, name and role."""

    id: str
    role: str
    name: PersonName = PersonName()


class Patient(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who the patient is. ``birth_date`` is ``YYYY[-MM[-DD]]``; HL7 null arrives as ``""``.

    ``ids`` are in order of preference (MR, PI, then as sent); the first is the identifier that
    the event belongs to. ``others`` holds every further identifying string of the message
    (addresses, telephone numbers, next of kin, accounts, insurance), by kind
    NAME, STAFF (names of those who ordered, observed, wrote), ID, PHONE, DATE, LOC, EMAIL: known
    to the scrub of notes, passed to nobody. ``postcode`` and ``country`` are of the home (PID-11.5,
    11.6), as sent.
    """

    ids: tuple[PatientId, ...]
    names: tuple[PersonName, ...] = ()
    birth_date: str = ""
    sex: str = ""
    deceased: bool = False
    others: dict[str, tuple[str, ...]] = {}
    postcode: str = ""
    country: str = ""


class Encounter(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """The visit (PV1): number (PV1-19), class (PV1-2), point of care, room, bed, staff, times."""

    number: str = ""
    class_: str = msgspec.field(default="", name="class")
    unit: str = ""
    room: str = ""
    bed: str = ""
    status: EncounterStatus = "open"
    admitted_at_ms: int | None = None
    discharged_at_ms: int | None = None
    staff: tuple[Staff, ...] = ()


class Note(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """Free text (NTE-3, OBX-5 of TX and FT): ``index`` of the observation it belongs to, or -1.

    ``status`` is D, W or X where what it comments on was taken back.
    ``apart_chars`` above 0: so long that it stays in the raw message alone, and ``text`` is empty.
    """

    text: str
    about: int = -1
    kind: str = ""
    lang: str = ""
    apart_chars: int = 0
    status: str = ""


class Image(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """An image (OBX-5 of ED, a FHIR attachment) that stays in the raw message.

    ``about``: ``index`` of its observation, or -1. ``media_type`` by its first bytes (DICOM, PNG,
    JPEG); size and SHA-256 are of the image itself. ``kind``: what it is called where it is no
    observation's.
    """

    about: int
    media_type: str
    bytes: int
    sha256: str
    kind: str = ""


class IdentityLink(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A merge, move, link (``link`` true) or unlink (false) of this patient with another id."""

    other: PatientId
    link: bool
    trigger: str


class BlobRef(msgspec.Struct, frozen=True, kw_only=True):
    """Where a blob stands on ``clinical.blobs.v1``: in one partition, from ``offset`` on."""

    blob_id: str
    parts: int
    bytes: int
    partition: int
    offset: int


class IdentifiedBody(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything a message says of one patient. Lives sealed; never in a log or an error.

    ``received_at_ms`` is the clock of ingest; ``received_order`` grows with each message that one
    ingest process receives, within a batch too. ``raw`` is the message as it came (decrypted only
    by privacy, for replay of a rejected message). Where it is large it is empty, and ``raw_blob``
    says where it lies. ``numbers`` are those of its orders, specimens and document (ORC-2, ORC-3,
    OBR-2, OBR-3, SPM-2, TXA-12 to 15; identifiers of FHIR), of 5 characters and
    more, where it says anything in words: known to the scrub of these alone, kept nowhere.
    """

    event_type: EventType
    message_type: str
    version: str = ""
    application: str = ""
    facility: str = ""
    control_id: str = ""
    charset: str = ""
    charset_declared: str = ""
    received_at_ms: int
    received_order: int = 0
    occurred_at_ms: int
    occurred_precision: Precision = "unknown"
    occurred_zone: Zone = "assumed"
    patient: Patient
    encounter: Encounter | None = None
    observations: tuple[Observation, ...] = ()
    conditions: tuple[Condition, ...] = ()
    medications: tuple[Medication, ...] = ()
    allergies: tuple[Allergy, ...] = ()
    orders: tuple[Order, ...] = ()
    notes: tuple[Note, ...] = ()
    images: tuple[Image, ...] = ()
    links: tuple[IdentityLink, ...] = ()
    findings: tuple[Finding, ...] = ()
    raw: bytes = b""
    raw_blob: BlobRef | None = None
    genotypes: tuple[Genotype, ...] = ()
    variants: tuple[Variant, ...] = ()
    numbers: tuple[str, ...] = ()


class IdentifiedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What is on the topic: nothing readable but what routing and counting need.

    ``sealed`` is AES-256-GCM over the JSON of ``IdentifiedBody`` under the data key ``key_id``;
    ``wrapped_key`` is that key for privacy's public key of ``key_day``. Associated data:
    topic name, event id, key id. ``event_id`` is a keyed hash (design, guarantee 2). ``packed``:
    the JSON was compressed (zlib, RFC 1950) before it was sealed, as one of many values is.
    """

    schema_version: str = "1.0"
    event_id: str
    event_type: EventType
    source: str
    key_id: str
    key_day: str
    wrapped_key: bytes
    nonce: bytes
    sealed: bytes
    packed: bool = False


IDENTIFIED = Topic(
    name="clinical.identified.v1",
    event=IdentifiedEvent,
    key="HMAC(route, assigner + id)",
    producer="ingest, privacy",  # privacy what it refused, when an operator has it taken again
    consumers=("privacy",),
    retention_ms=7 * DAY_MS,
    identified=True,
)
