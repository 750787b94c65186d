"""What a FHIR bundle has said so far of one patient: filled resource by resource."""

import re

import msgspec

from contracts.clinical import Allergy, Condition, Finding, Medication, Order
from contracts.identified import Encounter, IdentityLink, Image, Note, PatientId, PersonName
from contracts.observation import Observation
from services.ingest.draft import FINDINGS_MAX
from services.ingest.fhir_bundle import Bundle, Entry
from services.ingest.fhir_json import Node
from services.ingest.images import IMAGES_MAX, TOO_MANY_IMAGES, TOO_MANY_TEXT
from services.ingest.parse import SourceProfile
from services.ingest.results import LOCAL_CODE
from services.ingest.times import Moment, ReadTime

DAY_MS = 86_400_000
FHIR_TIME = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?)?)?",
    re.ASCII,
)


class Visit:
    """One Encounter as read, and when it was said."""

    __slots__ = ("encounter", "entry", "is_new", "since_ms")

    def __init__(self, entry: Entry, encounter: Encounter, *, since_ms: int, is_new: bool) -> None:
        """Keep what ``parse_fhir`` chooses the current visit by."""
        self.entry, self.encounter = entry, encounter
        self.since_ms, self.is_new = since_ms, is_new


class FhirDraft:
    """One patient of a bundle under construction."""

    __slots__ = (
        "allergies", "birth_date", "bundle", "conditions", "country", "deceased", "entries",
        "findings", "genomic", "has_local_code", "ids", "images", "images_left", "kinds",
        "latest_ms", "links", "medications", "moment", "names", "notes", "observations",
        "orders", "others", "postcode", "read_time", "server", "sex",
        "source", "staff_names", "updated", "visits", "warned",
    )  # fmt: skip

    def __init__(
        self, bundle: Bundle, read_time: ReadTime, source: SourceProfile, latest_ms: int
    ) -> None:
        """Start empty. ``latest_ms``: a later time is none at which this can have happened."""
        self.bundle, self.read_time, self.source = bundle, read_time, source
        # A server's own ids are a namespace of their own: its 7 is not the record number 7.
        self.server = f"fhir:{source.assigner or source.name}"
        self.latest_ms = latest_ms
        self.ids: tuple[PatientId, ...] = ()
        self.names: tuple[PersonName, ...] = ()
        self.birth_date = self.sex = self.postcode = self.country = ""
        self.deceased = False
        self.others: dict[str, list[str]] = {}
        self.staff_names: list[str] = []  # known to the scrub where there are words
        self.links: list[IdentityLink] = []
        self.visits: list[Visit] = []
        self.observations: list[Observation] = []
        self.conditions: list[Condition] = []
        self.medications: list[Medication] = []
        self.allergies: list[Allergy] = []
        self.orders: list[Order] = []
        self.notes: list[Note] = []
        self.images: list[Image] = []
        self.genomic: list[tuple[int, str]] = []  # as in ``Draft``: by index, with their group
        self.images_left = 0  # that were too many
        self.findings: list[Finding] = []
        self.warned = 0
        self.has_local_code = False
        self.moment: Moment | None = None  # the newest time of anything said
        self.updated: Moment | None = None  # when the Patient was, where nothing else has a time
        self.kinds: set[str] = set()  # resource types that became something
        self.entries: dict[int, None] = {}  # places of the entries that speak of this patient

    def follow(self, reference: Node, base: Entry) -> Entry | None:
        """Return what a reference points at; the entry then counts as used."""
        found = self.bundle.resolve(reference, base)
        if found is not None:
            self.entries[found.place] = None
        return found

    def find(self, where: str, code: str, text: str = "") -> None:
        """Keep a warning; ``text`` is a literal of the code, never of the message."""
        if self.warned < FINDINGS_MAX:
            self.warned += 1
            self.findings.append(Finding("warn", where, code, text))

    def take_images(self, found: list[Image], where: str) -> None:
        """Keep images, while there are not too many."""
        if found and len(self.images) >= IMAGES_MAX:
            if self.images_left == 0:
                self.findings.append(Finding("warn", where, TOO_MANY_IMAGES, TOO_MANY_TEXT))
            self.images_left += len(found)
        else:
            self.images += found

    def local_code(self, where: str) -> None:
        """Tell, once, that a result has a code of the site's own that nothing maps."""
        if not self.has_local_code:
            self.has_local_code = True
            self.findings.append(msgspec.structs.replace(LOCAL_CODE, where=f"{where}.code"))

    def left_out(self, entry: Entry, code: str, text: str) -> None:
        """Name an entry that became nothing. Never cut short: each entry is accounted for."""
        self.entries[entry.place] = None
        self.findings.append(Finding("info", entry.path, code, text))

    def time(self, raw: object, where: str, *, said: bool = True) -> Moment | None:
        """Return the moment of a date, dateTime or instant, None when absent or unreadable.

        ``said``: it tells when the event happened, which the newest of them decides that is no year
        or month alone.
        """
        if raw is None:
            return None
        moment = moment_of(raw, self.read_time) if isinstance(raw, str) else None
        if moment is None:
            self.find(where, "102", "not a time")
        elif said and not moment.coarse and self.newest_ms < moment.ms <= self.latest_ms:
            self.moment = moment
        return moment

    def first_time(self, entry: Entry, **fields: object) -> Moment | None:
        """Return the first time of an entry's fields that can be read."""
        for name, raw in fields.items():
            moment = self.time(raw, f"{entry.path}.{name}")
            if moment is not None:
                return moment
        return None

    @property
    def newest_ms(self) -> int:
        """Return the milliseconds of ``moment``, before any time where there is none."""
        return -(2**62) if self.moment is None else self.moment.ms

    def other(self, kind: str, value: str) -> None:
        """Keep one more string that identifies the patient or those around them."""
        value = value.strip()
        if len(value) > 1:
            self.others.setdefault(kind, []).append(value)


def moment_of(raw: str, read_time: ReadTime) -> Moment | None:
    """Return the moment of a FHIR time: HL7's reader, so the same zones and precisions."""
    match = FHIR_TIME.fullmatch(raw.strip())
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, offset = match.groups(default="")
    return read_time.read(f"{year}{month}{day}{hour}{minute}{second}{fraction}{offset}")
