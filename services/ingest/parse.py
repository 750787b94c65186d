"""One HL7 v2 message to the events of its patients: ``parse(frame, ...) -> Parsed``. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from contracts.clinical import EventType, Finding
from contracts.identified import IdentifiedBody, IdentityLink, Patient, PatientId
from services.ingest import hl7, orders, patients, results, visits
from services.ingest.charset import Decoded, decode
from services.ingest.draft import Draft
from services.ingest.event_types import MERGES, PAIRS, event_type_of
from services.ingest.hl7 import Header, Message
from services.ingest.identity import Keys, answer_key, content_hash, event_id, route_key
from services.ingest.times import ReadTime, reader_of

Handler = Callable[[Draft, list[str]], None]
HANDLERS: dict[str, Handler] = {
    "EVN": visits.evn,
    "PID": patients.pid,
    "PD1": patients.pd1,
    "NK1": patients.nk1,
    "GT1": patients.gt1,
    "IN1": patients.in1,
    "IN2": patients.in2,
    "MRG": patients.mrg,
    "PV1": visits.pv1,
    "ORC": results.orc,
    "OBR": results.obr,
    "OBX": results.obx,
    "NTE": results.nte,
    "TXA": results.txa,
    "RXO": orders.rxo,
    "RXE": orders.rxe,
    "RXD": orders.rxd,
    "RXA": orders.rxa,
    "RXR": orders.rxr,
    "DG1": orders.dg1,
    "PRB": orders.prb,
    "AL1": orders.al1,
    "IAM": orders.iam,
}
# Staff who are only named: their names may stand in the notes of the same message.
NAMED_STAFF: dict[str, tuple[int, ...]] = {
    "EVN": (5,),
    "ORC": (10, 11, 12, 19),
    "OBR": (10, 16, 28),
    "OBX": (16,),
    "ROL": (4,),
    "PRT": (5,),
    "NTE": (5,),
}


@dataclass(frozen=True, slots=True)
class SourceProfile:
    """What is assumed of one sender: ``charset`` (a Python codec), ``zone`` (IANA name) of times
    without an offset, ``assigner`` of identifiers that name none; ``strict`` as in ``hl7.read``.
    ``assigners`` says by which assigner (CX-4) v2 feeds know a FHIR identifier system.
    """

    name: str
    charset: str = ""
    zone: str = "UTC"
    assigner: str = ""
    strict: bool = True
    assigners: Mapping[str, str] = field(default_factory=dict)


class ParsedEvent(NamedTuple):
    """One patient's event with its id and the key of its partition."""

    event_id: str
    route_key: bytes
    body: IdentifiedBody


class Parsed(NamedTuple):
    """What became of one message.

    ``code`` is AA (to be stored first), AE or AR; ``findings`` has the reasons. ``content`` and
    ``answer_key`` (both keyed hashes) tell a resend; they are empty when there is no header.
    """

    code: str
    header: Header | None
    charset: str
    findings: tuple[Finding, ...]
    events: tuple[ParsedEvent, ...] = ()
    content: bytes = b""
    answer_key: bytes = b""


def parse(
    frame: bytes,
    source: SourceProfile,
    keys: Keys,
    received_at_ms: int,
    received_order: int = 0,
) -> Parsed:
    """Return what one message says. Never raises on what a sender wrote."""
    decoded = decode(frame, source.charset)
    message = hl7.read(decoded.text, decoded.used, strict=source.strict)
    header = message.header
    findings = (*decoded.findings, *message.findings)
    if header is None or message.refusal:
        return Parsed(message.refusal, header, decoded.used, findings)
    told = (header.application, header.facility, header.control_id)
    content = content_hash(keys, told, message.canonical)
    drafts = list(_drafts(message, source))
    origin = _Origin(frame, source, decoded, received_at_ms, received_order, findings)
    events = []
    for ordinal, draft in enumerate(drafts):
        body = _body(draft, origin)
        key = route_key(keys, body.patient.ids, content)
        events.append(ParsedEvent(event_id(keys, content, ordinal), key, body))
    of_drafts = tuple(finding for draft in drafts for finding in draft.findings)
    return Parsed(
        code="AA",
        header=header,
        charset=decoded.used,
        findings=findings + of_drafts,
        events=tuple(events),
        content=content,
        answer_key=answer_key(keys, told, content),
    )


def _drafts(message: Message, source: SourceProfile) -> Iterator[Draft]:
    header = message.header
    assert header is not None  # noqa: S101 - the caller has looked
    read_time: ReadTime = reader_of(source.zone)
    dialect = header.dialect
    draft = Draft(header, read_time)
    groups = [draft]
    has_patient = False
    is_pair = header.kind == "ADT" and header.trigger in PAIRS
    for segment in message.segments:
        name = segment[:3]
        handler = HANDLERS.get(name)
        if handler is None:
            continue
        if name == "PID":
            if has_patient and is_pair:
                draft.prior_ids = patients.ids_of(dialect, dialect.fields(segment)[3])
                is_pair = False
                continue
            if has_patient:
                draft = Draft(header, read_time)
                draft.moment = groups[0].moment if message.segments[0][:3] == "EVN" else None
                groups.append(draft)
            has_patient = True
        handler(draft, dialect.fields(segment))
    for draft in groups:
        results.close_note(draft)
    _staff_names(groups, message.segments)
    return iter(groups)


def _staff_names(groups: Sequence[Draft], segments: Sequence[str]) -> None:
    if not any(draft.notes for draft in groups):
        return
    dialect = groups[0].dialect
    for segment in segments:
        numbers = NAMED_STAFF.get(segment[:3])
        if numbers:
            f = dialect.fields(segment)
            for draft in groups:
                for number in numbers:
                    if f[number]:
                        patients.put_staff_name(draft, f[number])


class _Origin(NamedTuple):
    """What all events of a message share beside its header."""

    raw: bytes
    source: SourceProfile
    decoded: Decoded
    received_at_ms: int
    received_order: int
    findings: tuple[Finding, ...]


def _body(draft: Draft, origin: _Origin) -> IdentifiedBody:
    header = draft.header
    ids = _assigned(draft.ids, origin.source.assigner)
    event_type = _event_type(draft, header)
    occurred_at_ms, precision, zone = draft.occurred(origin.received_at_ms)
    dialect = header.dialect
    return IdentifiedBody(
        event_type=event_type,
        message_type=header.message_type,
        version=dialect.first(header.version),
        application=dialect.first(header.application),
        facility=dialect.first(header.facility),
        control_id=header.control_id,
        charset=origin.decoded.used,
        charset_declared=origin.decoded.declared,
        received_at_ms=origin.received_at_ms,
        received_order=origin.received_order,
        occurred_at_ms=occurred_at_ms,
        occurred_precision=precision,
        occurred_zone=zone,
        patient=_patient(draft, ids),
        encounter=visits.encounter_of(draft),
        observations=tuple(draft.observations),
        conditions=tuple(draft.conditions),
        medications=tuple(draft.medications),
        allergies=tuple(draft.allergies),
        orders=tuple(draft.orders),
        notes=tuple(draft.notes),
        links=_links(draft, ids, origin.source.assigner),
        findings=origin.findings + tuple(draft.findings),
        raw=origin.raw,
    )


def _event_type(draft: Draft, header: Header) -> EventType:
    event_type = event_type_of(header.kind, header.trigger)
    if event_type != "non_clinical" and not draft.ids:
        draft.find("PID-3", "no_patient", "a clinical message without a patient identifier")
        return "non_clinical"
    return event_type


def _patient(draft: Draft, ids: tuple[PatientId, ...]) -> Patient:
    for prior in draft.prior_ids:
        draft.other("ID", prior.value)
    others = {kind: tuple(dict.fromkeys(values)) for kind, values in draft.others.items()}
    return Patient(
        ids=ids,
        names=draft.names,
        birth_date=draft.birth_date,
        sex=draft.sex,
        deceased=draft.deceased,
        others=others,
    )


def _assigned(ids: tuple[PatientId, ...], assigner: str) -> tuple[PatientId, ...]:
    if not assigner or all(one.assigner for one in ids):
        return ids
    return tuple(PatientId(one.value, one.assigner or assigner, one.type) for one in ids)


def _links(draft: Draft, ids: tuple[PatientId, ...], assigner: str) -> tuple[IdentityLink, ...]:
    header = draft.header
    if header.kind != "ADT" or header.trigger not in MERGES | PAIRS or not ids:
        return ()
    prior = _assigned(draft.prior_ids, assigner)
    known = {(one.value, one.assigner) for one in ids}
    others = [one for one in prior if (one.value, one.assigner) not in known]
    if not others:
        draft.find("MRG-1", "no_prior_id", "nothing to link to")
        return ()
    rank = patients.rank_of(others[0])
    linked = [one for one in others if patients.rank_of(one) == rank] if rank < 2 else others[:1]
    return tuple(
        IdentityLink(other=one, link=header.trigger != "A37", trigger=header.trigger)
        for one in linked
    )
