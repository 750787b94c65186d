"""One FHIR R4 body to the events of its patients: ``parse_fhir(body, ...) -> Parsed``. Pure.

A bundle (transaction, batch, message, document, collection, search set, history) or one resource.
Each entry becomes part of an event, or is named with its place in a finding.
"""

from collections.abc import Callable
from typing import NamedTuple

from contracts.clinical import Finding, Precision, Zone
from contracts.identified import IdentifiedBody, Patient
from services.ingest import (
    fhir_json,
    fhir_notes,
    fhir_people,
    fhir_records,
    fhir_results,
    fhir_visits,
)
from services.ingest.cleaning import cleaned
from services.ingest.fhir_bundle import Bundle, Entry
from services.ingest.fhir_conflicts import conflicts_of
from services.ingest.fhir_draft import DAY_MS, FhirDraft
from services.ingest.fhir_events import event_type_of
from services.ingest.fhir_json import Node, node, text
from services.ingest.fhir_subjects import Subjects
from services.ingest.identity import Keys, answer_key, content_hash, event_id, route_key
from services.ingest.parse import Parsed, ParsedEvent, SourceProfile
from services.ingest.times import reader_of

VERSION = "R4"
NO_LATEST_MS = 2**62
KIND_CHARS = 40
NO_RESOURCE = ("no_resource", "an entry without a resource")
HL7_EVENTS = "http://terminology.hl7.org/CodeSystem/v2-0003"

Handler = Callable[[FhirDraft, Entry], None]
HANDLERS: dict[str, Handler] = {
    "Account": fhir_people.numbers,
    "AllergyIntolerance": fhir_records.allergy,
    "Composition": fhir_notes.composition,
    "Condition": fhir_records.condition,
    "Coverage": fhir_people.numbers,
    "DiagnosticReport": fhir_results.diagnostic_report,
    "DocumentReference": fhir_notes.document_reference,
    "Encounter": fhir_visits.encounter,
    "FamilyMemberHistory": fhir_results.family_history,
    "Immunization": fhir_records.immunization,
    "Media": fhir_notes.media,
    "MedicationAdministration": fhir_records.medication_administration,
    "MedicationDispense": fhir_records.medication_dispense,
    "MedicationRequest": fhir_records.medication_request,
    "MedicationStatement": fhir_records.medication_statement,
    "Observation": fhir_results.observation,
    "Procedure": fhir_records.procedure,
    "RelatedPerson": fhir_people.related_person,
    "ServiceRequest": fhir_records.service_request,
}
# Read when something points at them; then they are used, else they are named as not mapped.
POINTED_AT = frozenset(
    {"Binary", "Location", "Medication", "Organization", "Practitioner", "PractitionerRole"}
)


def parse_fhir(
    body: bytes,
    source: SourceProfile,
    keys: Keys,
    received_at_ms: int,
    received_order: int = 0,
) -> Parsed:
    """Return what one body says. Never raises on what a sender wrote.

    ``code`` is AA (to be stored first), AR, or AE (it contradicts itself); ``findings`` tell why,
    and what was left out.
    """
    document = fhir_json.read(body, source.charset)
    if document.root is None:
        return Parsed("AR", None, document.charset, document.findings)
    bundle = Bundle(document.root)
    if wrong := conflicts_of(bundle):
        return Parsed("AE", None, document.charset, wrong)
    message = _message(bundle)
    told = (message.application, message.facility, message.control_id)
    content = content_hash(keys, told, fhir_json.canonical(document.root))
    drafts, findings = _drafts(bundle, source, received_at_ms)
    events = []
    for ordinal, draft in enumerate(drafts):
        raw = body if len(drafts) == 1 else _part(bundle, draft)
        received = (received_at_ms, received_order)
        origin = _Origin(message, document.charset, received, raw, findings)
        said = _body(draft, origin, bundle)
        key = route_key(keys, said.patient.ids, content)
        events.append(ParsedEvent(event_id(keys, content, ordinal), key, said))
        findings = ()  # what concerns no patient is told once
    told_all = tuple(finding for event in events for finding in event.body.findings)
    return cleaned(
        Parsed(
            code="AA",
            header=None,
            charset=document.charset,
            findings=told_all,
            events=tuple(events),
            content=content,
            answer_key=answer_key(keys, told, content),
            is_once=bundle.type == "message" and bool(message.control_id),
        )
    )


def control_id_of(parsed: Parsed) -> str:
    """Return the id of the bundle, "" for a single resource or a refused body."""
    return parsed.events[0].body.control_id if parsed.events else ""


class _Message(NamedTuple):
    """What the bundle and its MessageHeader say of the sending."""

    application: str
    facility: str
    control_id: str
    trigger: str
    sent_at: object


class _Origin(NamedTuple):
    """What an event has from the body it came in."""

    message: _Message
    charset: str
    received: tuple[int, int]  # when, and its place among what came
    raw: bytes
    findings: tuple[Finding, ...]


def _message(bundle: Bundle) -> _Message:
    root = bundle.root
    first = bundle.entries[0] if bundle.entries else None
    header: Node = first.resource if first and first.kind == "MessageHeader" else {}
    sender = node(header.get("source"))
    coding = node(header.get("eventCoding"))
    trigger = text(coding.get("code")) if text(coding.get("system")) == HL7_EVENTS else ""
    return _Message(
        application=text(sender.get("name")) or text(sender.get("endpoint")),
        facility=text(node(header.get("sender")).get("display")),
        control_id=_control_id(bundle),
        trigger=trigger.upper(),
        sent_at=root.get("timestamp") if bundle.is_bundle else None,
    )


def _control_id(bundle: Bundle) -> str:
    """Return the bundle's id, of a message the identifier that is new with each message."""
    if not bundle.is_bundle:
        return ""
    identifier = node(bundle.root.get("identifier")) if bundle.type == "message" else {}
    return text(identifier.get("value")) or text(bundle.root.get("id"))


def _drafts(
    bundle: Bundle, source: SourceProfile, received_at_ms: int
) -> tuple[list[FhirDraft], tuple[Finding, ...]]:
    """Return a draft for each patient, at least one, and findings that concern none of them.

    With several patients, entries that are nobody's are an event of their own: all are stored.
    """
    read_time = reader_of(source.zone)
    latest_ms = received_at_ms + DAY_MS if received_at_ms else NO_LATEST_MS

    def make() -> FhirDraft:
        return FhirDraft(bundle, read_time, source, latest_ms)

    subjects = Subjects(bundle, make)
    nobody = make()
    seen: set[tuple[str, str]] = set()
    for entry in bundle.entries:
        if bundle.type == "history" and entry.id and (entry.kind, entry.id) in seen:
            nobody.left_out(entry, "older_version", "a newer version stands before it")
        elif entry.kind not in POINTED_AT:
            seen.add((entry.kind, entry.id))
            _take(subjects, nobody, entry)
    drafts = subjects.drafts
    used = {place for draft in drafts for place in draft.entries}
    for entry in bundle.entries:
        if entry.kind in POINTED_AT and entry.place not in used:
            nobody.left_out(entry, "not_mapped", f"{entry.kind}: nothing here uses it")
    if len(drafts) == 1:
        return drafts, tuple(nobody.findings)
    return [*drafts, nobody] if nobody.entries or not drafts else drafts, ()


def _take(subjects: Subjects, nobody: FhirDraft, entry: Entry) -> None:
    """Hand one entry to its handler, or name it."""
    if not entry.kind:
        is_deletion = entry.method == "DELETE"
        code, said = ("not_mapped", "a deletion") if is_deletion else NO_RESOURCE
        nobody.left_out(entry, code, said)
        return
    if entry.kind == "MessageHeader" and entry.place == 0:
        return
    if entry.kind == "Patient":
        subjects.of(entry)  # which reads it, unless something before it named them
        return
    handler = HANDLERS.get(entry.kind)
    if handler is None:
        fhir_people.unmapped(subjects.named(entry) or nobody, entry, _kind_text(entry.kind))
        return
    draft = subjects.of(entry)
    if isinstance(draft, str):
        nobody.left_out(entry, draft, "whose it is cannot be told")
        return
    before = len(draft.findings)
    handler(draft, entry)
    draft.entries[entry.place] = None
    if not any(one.where == entry.path and one.level == "info" for one in draft.findings[before:]):
        draft.kinds.add(entry.kind)


def _kind_text(kind: str) -> str:
    # Any string may stand in resourceType: only what looks like a type is repeated.
    is_name = kind.isascii() and kind.isalpha() and len(kind) <= KIND_CHARS
    return kind if is_name else "no resource type of FHIR"


def _body(draft: FhirDraft, origin: _Origin, bundle: Bundle) -> IdentifiedBody:
    visit = fhir_visits.current(draft.visits)
    for other in draft.visits:
        if other is not visit:
            draft.left_out(other.entry, "earlier_visit", "another visit is the current one")
    event_type = event_type_of(draft, origin.message.trigger, visit)
    occurred_at_ms, precision, zone = _occurred(draft, origin)
    genotypes, variants = fhir_results.genomics(draft)
    if fhir_people.says_words(draft):
        for name in draft.staff_names:
            draft.other("STAFF", name)
    return IdentifiedBody(
        event_type=event_type,
        message_type=_message_type(bundle),
        version=VERSION,
        application=origin.message.application,
        facility=origin.message.facility,
        control_id=origin.message.control_id,
        charset=origin.charset,
        received_at_ms=origin.received[0],
        received_order=origin.received[1],
        occurred_at_ms=occurred_at_ms,
        occurred_precision=precision,
        occurred_zone=zone,
        patient=Patient(
            ids=draft.ids,
            names=draft.names,
            birth_date=draft.birth_date,
            sex=draft.sex,
            deceased=draft.deceased,
            others={kind: tuple(dict.fromkeys(said)) for kind, said in draft.others.items()},
            postcode=draft.postcode,
            country=draft.country,
        ),
        encounter=visit.encounter if visit is not None else None,
        observations=tuple(draft.observations),
        conditions=tuple(draft.conditions),
        medications=tuple(draft.medications),
        allergies=tuple(draft.allergies),
        orders=tuple(draft.orders),
        notes=tuple(draft.notes),
        images=tuple(draft.images),
        genotypes=genotypes,
        variants=variants,
        numbers=fhir_people.numbers_around(draft),
        links=tuple(dict.fromkeys(draft.links)),
        findings=origin.findings + tuple(draft.findings),
        raw=origin.raw,
    )


def _message_type(bundle: Bundle) -> str:
    if bundle.is_bundle:
        return f"Bundle/{bundle.type}" if bundle.type.isascii() else "Bundle"
    return _kind_text(bundle.entries[0].kind).replace(" ", "-")


def _occurred(draft: FhirDraft, origin: _Origin) -> tuple[int, Precision, Zone]:
    """Return the newest time said, else the bundle's timestamp, else its receipt."""
    moment = draft.moment or draft.updated
    moment = moment or draft.time(origin.message.sent_at, "Bundle.timestamp")
    if moment is None or moment.coarse or moment.ms > draft.latest_ms:
        return origin.received[0], "unknown", "assumed"
    return moment.ms, moment.precision, moment.zone


def _part(bundle: Bundle, draft: FhirDraft) -> bytes:
    """Return the bundle with the entries of one patient: no event holds another's.

    A message's header, which says who sent it, stands in each.
    """
    sent = fhir_json.nodes(bundle.root.get("entry"))
    header = {0} if bundle.entries[0].kind == "MessageHeader" else set()
    mine = [sent[place] for place in sorted(header | draft.entries.keys())]
    return fhir_json.encoded({**bundle.root, "entry": mine})
