"""What a message has said so far of one patient: filled segment by segment, then made an event."""

from contracts.clinical import Allergy, Condition, Finding, Medication, Order, Precision, Zone
from contracts.identified import Encounter, Note, PatientId, PersonName
from contracts.observation import Observation
from services.ingest.codes import LocalCodes
from services.ingest.dialect import Dialect
from services.ingest.hl7 import Header
from services.ingest.times import Moment, ReadTime

FINDINGS_MAX = 50


class Draft:
    """One patient group under construction. The handlers of ``patients``, ``visits``,
    ``results`` and ``orders`` fill it, one segment each.
    """

    __slots__ = (
        "allergies", "birth_date", "conditions", "country", "cx", "dates", "deceased", "dialect",
        "document_kind", "encounter", "findings", "full_dialect", "genomic", "has_attachment",
        "has_local_code", "has_patient", "header", "ids", "is_cancelled", "is_document",
        "local_codes", "medications", "moment", "names", "near_dialect", "note_about",
        "note_first", "note_kind", "note_last", "note_lines", "note_status", "notes", "numbers",
        "observations", "observed_at", "order_at", "order_control", "order_status", "orders",
        "postcode", "prior_ids", "read_time", "requested", "sent_at", "series_prefix", "sex",
        "staff_names", "towns", "withdrawn", "xad", "xon", "xpn", "xtn",
    )  # fmt: skip

    def __init__(
        self, header: Header, dialect: Dialect, read_time: ReadTime, local_codes: LocalCodes
    ) -> None:
        """Start a patient group of the message with ``header``.

        ``dialect`` reads the message. ``self.dialect`` reads the segment in hand, and
        ``self.near_dialect`` all that name the patient and those near: the plain one where it does.
        """
        self.header = header
        self.local_codes = local_codes
        self.has_local_code = False  # one that is not mapped
        self.full_dialect = dialect
        self.dialect = self.near_dialect = dialect.plain
        self.read_time = read_time
        self.sent_at = read_time.read(header.sent_at)
        self.has_patient = False  # a PID came
        self.has_attachment = False  # an OBX holds a file or points to one
        self.ids: tuple[PatientId, ...] = ()
        self.prior_ids: tuple[PatientId, ...] = ()
        self.names: tuple[PersonName, ...] = ()
        self.birth_date = self.sex = self.postcode = self.country = ""
        self.deceased = False
        # Fields with further strings that tell on the patient or those around them, by data type.
        self.xpn: list[str] = []
        self.cx: list[str] = []
        self.xad: list[str] = []
        self.xtn: list[str] = []
        self.dates: list[str] = []
        self.towns: list[str] = []
        self.xon: list[str] = []
        self.staff_names: list[str] = []
        self.numbers: list[str] = []  # of orders, specimens, documents, as sent: notes quote them
        self.encounter: Encounter | None = None
        self.observations: list[Observation] = []
        self.conditions: list[Condition] = []
        self.medications: list[Medication] = []
        self.allergies: list[Allergy] = []
        self.genomic: list[tuple[int, str]] = []  # genomic results, by index, with their group
        self.orders: list[Order] = []
        self.notes: list[Note] = []
        self.findings: list[Finding] = []
        # Where the reading stands: the order that the next OBX belongs to, what an NTE is about.
        self.is_document = header.kind == "MDM"
        self.is_cancelled = self.is_document and header.trigger == "T11"
        self.document_kind = self.note_kind = self.note_status = ""
        self.note_about = self.note_first = self.note_last = -1
        self.note_lines: list[str] = []
        self.withdrawn = ""  # D, W or X: the result in hand, or the document, is taken back
        self.requested = -1  # where the RXO of this order stands among the medications
        self.series_prefix = self.order_control = self.order_status = ""
        self.order_at: Moment | None = None
        self.observed_at: Moment | None = None
        # EVN-6, EVN-2 or the first OBR-7, in that order; a year or a month is no time of an event.
        self.moment: Moment | None = None

    def find(self, where: str, code: str, text: str = "") -> None:
        """Keep a warning; ``text`` is a literal of the code, never of the message."""
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append(Finding("warn", where, code, text))

    def tell(self, where: str, code: str, text: str) -> None:
        """Keep what is worth knowing and nothing wrong, as ``find`` does."""
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append(Finding("info", where, code, text))

    def time(self, raw: str, where: str) -> Moment | None:
        """Return the moment of a time field, None when absent; unreadable ones are noted."""
        if not raw:
            return None
        moment = self.read_time.read(raw)
        if moment is None and raw != '""':
            self.find(where, "102", "not a time")
        return moment

    @property
    def has_results(self) -> bool:
        """Whether something clinical is said of a patient."""
        if not self.ids:
            return False
        said = self.observations or self.notes or self.medications or self.conditions
        return bool(said or self.allergies)

    def occurred(self, received_at_ms: int) -> tuple[int, Precision, Zone]:
        """Return when the event happened: EVN-6, EVN-2, OBR-7, else MSH-7, else its receipt."""
        moment = self.moment or self.sent_at
        if moment is None or moment.coarse:
            return received_at_ms, "unknown", "assumed"
        return moment.ms, moment.precision, moment.zone
