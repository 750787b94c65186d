"""One HL7 v2 message to the events of its patients: ``parse(frame, ...) -> Parsed``. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import sleep
from typing import Final

import msgspec

from contracts.clinical import Finding
from contracts.identified import IdentifiedBody
from services.ingest import hl7, orders, patients, results, staff, visits
from services.ingest.charset import Decoded, ascii_text, charset_of, decode_wide
from services.ingest.codes import LocalCodes
from services.ingest.dialect import EMPTY, NULL
from services.ingest.draft import Draft
from services.ingest.envelope import Origin, body_of
from services.ingest.event_types import PAIRS, unknown_kind
from services.ingest.hl7 import BREATH_SEGMENTS, Header, Message
from services.ingest.identity import Keys, answer_key, content_hash, event_id, route_key
from services.ingest.times import reader_of

Handler = Callable[[Draft, list[str]], None]


class Reader:
    """Who reads a segment, how many of its fields (name at 0), whether it names the patient or
    those near, and which fields name staff: other words of the same message may name them.
    """

    __slots__ = ("fields", "handle", "near", "staff")

    def __init__(
        self,
        handle: Handler | None,
        fields: int,
        staff: tuple[int, ...] = (),
        *,
        near: bool = False,
    ) -> None:
        """``handle`` is None where the segment only names staff."""
        self.handle, self.fields, self.staff, self.near = handle, fields, staff, near


READERS: Final[dict[str, Reader]] = {
    "EVN": Reader(visits.evn, 7, (5,)),
    "PID": Reader(patients.pid, 31, near=True),
    "PD1": Reader(patients.pd1, 5),
    "NK1": Reader(patients.nk1, 41, near=True),
    "GT1": Reader(patients.gt1, 52, near=True),
    "IN1": Reader(patients.in1, 50, near=True),
    "IN2": Reader(patients.in2, 65, near=True),
    "MRG": Reader(patients.mrg, 8, near=True),
    "PV1": Reader(visits.pv1, 51, (52,), near=True),
    "ORC": Reader(results.orc, 10, (10, 11, 12, 19)),
    "OBR": Reader(results.obr, 26, (10, 16, 28, 32, 33, 34, 35)),
    "OBX": Reader(results.obx, 15, (16, 25)),
    "SPM": Reader(results.spm, 3),
    "NTE": Reader(results.nte, 4, (5,)),
    "TXA": Reader(results.txa, 23),
    "RXO": Reader(orders.rxo, 5, (14, 15)),
    "RXE": Reader(orders.rxe, 6, (13, 14)),
    "RXD": Reader(orders.rxd, 6, (10,)),
    "RXA": Reader(orders.rxa, 21, (10,)),
    "RXR": Reader(orders.rxr, 2),
    "RXC": Reader(orders.rxc, 5),
    "DG1": Reader(orders.dg1, 22, (16,)),
    "PRB": Reader(orders.prb, 17),
    "AL1": Reader(orders.al1, 6),
    "IAM": Reader(orders.iam, 15),
    "PRD": Reader(patients.prd, 3),
    "CTD": Reader(patients.prd, 3),
    "CON": Reader(patients.con, 25, near=True),
    "AIP": Reader(None, 0, (3,)),
    "FT1": Reader(None, 0, (20, 21, 24)),
    "PDA": Reader(None, 0, (5, 8)),
    "PV2": Reader(None, 0, (13,)),
    "SCH": Reader(None, 0, (12, 16, 20)),
    "ROL": Reader(None, 0, (4,)),
    "PR1": Reader(None, 0, (8, 11, 12)),
    "PRT": Reader(None, 0, (5,)),
}
PID: Final = READERS["PID"]
PATIENTS_MAX: Final = 2_000  # of one message, some 25 ms; more come as a batch of messages
TOO_MANY_PATIENTS: Final = Finding(
    "error", "PID", "too_many_patients", "more patients than a message may have: send a batch"
)


@dataclass(frozen=True, slots=True)
class SourceProfile:
    """What is assumed of one sender: ``charset`` (a Python codec), ``zone`` (IANA name) of times
    without an offset, ``assigner`` of identifiers that name none; ``strict`` as in ``hl7.read``.
    ``assigners`` says by which assigner (CX-4) v2 feeds know a FHIR identifier system,
    ``local_codes`` what a code that is not LOINC means.
    """

    name: str
    charset: str = ""
    zone: str = "UTC"
    assigner: str = ""
    strict: bool = True
    assigners: Mapping[str, str] = field(default_factory=dict)
    local_codes: LocalCodes = field(default_factory=dict)


class ParsedEvent(msgspec.Struct, frozen=True, gc=False):
    """One patient's event with its id and the key of its partition."""

    event_id: str
    route_key: bytes
    body: IdentifiedBody


class Parsed(msgspec.Struct, frozen=True, gc=False):
    """What became of one message.

    ``code`` is AA (to be stored first), AE or AR; ``findings`` has the reasons. ``content`` and
    ``answer_key`` (both keyed hashes) tell a resend; they are empty when there is no header.
    ``has_more``: there may be what no handler reads (an image, an HL7 null, a Z segment).
    ``is_alone`` as in ``hl7.Message``, False where that is not known. ``is_once``: its control id
    may not come again with other content.
    """

    code: str
    header: Header | None
    charset: str
    findings: tuple[Finding, ...]
    events: tuple[ParsedEvent, ...] = ()
    content: bytes = b""
    answer_key: bytes = b""
    has_more: bool = True
    is_alone: bool = False
    is_once: bool = False


def parse(
    frame: bytes,
    source: SourceProfile,
    keys: Keys,
    received_at_ms: int,
    received_order: int = 0,
) -> Parsed:
    """Return what one message says. Never raises on what a sender wrote."""
    text = ascii_text(frame)
    decoded = decode_wide(frame, source.charset) if text is None else Decoded(text, "ascii", "")
    message = hl7.read(decoded.text, decoded.used, strict=source.strict, default=source.charset)
    header = message.header
    findings = decoded.findings + message.findings
    if header is None or message.refusal:
        return Parsed(message.refusal, header, decoded.used, findings)
    drafts = _drafts(message, source)
    if len(drafts) > PATIENTS_MAX:
        return Parsed("AE", header, decoded.used, (*findings, TOO_MANY_PATIENTS))
    if source.strict:
        has_results = any(draft.has_results for draft in drafts)
        unknown = unknown_kind(header.kind, header.trigger, has_results=has_results)
        if unknown is not None:
            return Parsed("AR", header, decoded.used, (*findings, unknown))
    told = (header.application, header.facility, header.control_id)
    content = content_hash(keys, told, message.canonical)
    declared = decoded.declared if text is None else charset_of(header.charset)
    origin = Origin(
        frame,
        source.assigner,
        (decoded.used, declared),
        (received_at_ms, received_order),
        findings,
    )
    events = []
    found = list(findings)
    has_more = message.has_null or message.has_z
    for ordinal, draft in enumerate(drafts):
        body = body_of(draft, origin)
        key = route_key(keys, body.patient.ids, content)
        events.append(ParsedEvent(event_id(keys, content, ordinal), key, body))
        if draft.findings:
            found += draft.findings
        has_more = has_more or draft.has_attachment
    answer = answer_key(keys, told, content)
    return Parsed(
        "AA",
        header,
        decoded.used,
        tuple(found),
        tuple(events),
        content,
        answer,
        has_more,
        message.is_alone,
    )


def _drafts(message: Message, source: SourceProfile) -> list[Draft]:
    header = message.header
    assert header is not None  # noqa: S101 - the caller has looked
    field, escape = header.dialect.field, header.dialect.escape
    has_escape, has_null = message.has_escape, message.has_null
    draft = Draft(header, header.dialect, reader_of(source.zone), source.local_codes)
    groups = [draft]
    with_staff: list[staff.Named] = []
    names = message.names
    for number, segment in enumerate(message.segments):
        reader = READERS.get(names[number])
        if reader is None:
            continue
        handle, count = reader.handle, reader.fields
        if handle is None:
            with_staff.append((draft, [segment], reader.staff))
            continue
        f = _fields(segment, field, count, number)
        # A field more than were asked for is all the rest.
        if reader.staff and (len(f) > count or reader.staff[0] < count):
            with_staff.append((draft, f, reader.staff))
        if reader is PID:
            draft = _patient_begins(draft, groups, message, f)
            if draft.has_patient or len(groups) > PATIENTS_MAX:
                break  # the second of a pair: what follows is said of that patient
            draft.has_patient = True
        if (has_escape and escape in segment) or (has_null and '"' in segment and NULL in segment):
            _handle_full(draft, f, reader)
        else:
            handle(draft, f)
    _finish(groups, with_staff)
    return groups


def _fields(segment: str, field: str, count: int, number: int) -> list[str]:
    if number % BREATH_SEGMENTS == BREATH_SEGMENTS - 1:
        sleep(0)
    found = segment.split(field, count)
    if len(found) < count:
        found.extend(EMPTY[count - len(found)])
    return found


def _handle_full(draft: Draft, f: list[str], reader: Reader) -> None:
    """Read a segment in which an escape or an HL7 null stands."""
    draft.dialect = dialect = draft.full_dialect
    if reader.near:
        draft.near_dialect = dialect
    if reader.handle is not None:
        reader.handle(draft, f)
    draft.dialect = dialect.plain


def _patient_begins(draft: Draft, groups: list[Draft], message: Message, f: list[str]) -> Draft:
    """Return the draft that a PID belongs to: the first one, a further one, or that of a pair."""
    if not draft.has_patient:
        return draft
    header = draft.header
    if header.kind == "ADT" and header.trigger in PAIRS and not draft.prior_ids:
        draft.prior_ids = patients.ids_of(draft.full_dialect, f[3])
        return draft
    further = Draft(header, draft.full_dialect, draft.read_time, draft.local_codes)
    further.moment = groups[0].moment if message.names[0] == "EVN" else None
    groups.append(further)
    return further


def _finish(groups: list[Draft], with_staff: list[staff.Named]) -> None:
    for draft in groups:
        results.close_note(draft)
        draft.dialect = draft.full_dialect
    staff.tell(groups, with_staff)
