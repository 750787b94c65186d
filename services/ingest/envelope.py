"""What was read of one patient to the event that is stored: ``body_of(draft, origin)``. Pure."""

from functools import partial

import msgspec

from contracts.clinical import EventType, Finding, Genotype, Variant
from contracts.identified import IdentifiedBody, IdentityLink, Patient, PatientId
from services.ingest import patients
from services.ingest.draft import Draft
from services.ingest.event_types import KNOWN, LINKING, event_type_of
from services.ingest.genomics import genomics_of
from services.ingest.hl7 import Header
from services.ingest.others import numbers_of, others_of


class Origin:
    """What all events of a message share beside its header."""

    __slots__ = ("assigner", "charset", "declared", "findings", "raw", "received")

    def __init__(
        self,
        raw: bytes,
        assigner: str,
        decoded: tuple[str, str],
        received: tuple[int, int],
        findings: tuple[Finding, ...],
    ) -> None:
        """``decoded``: the charset used, the one declared; ``received``: when, in which order."""
        self.raw, self.assigner, self.findings = raw, assigner, findings
        self.charset, self.declared = decoded
        self.received = received


def body_of(draft: Draft, origin: Origin) -> IdentifiedBody:
    """Return the event that a draft makes, which gets its last findings by it."""
    header = draft.header
    findings, assigner = origin.findings, origin.assigner
    received_at_ms, received_order = origin.received
    ids = _assigned(draft.ids, assigner)
    event_type = _event_type(draft, header)
    occurred_at_ms, precision, zone = draft.occurred(received_at_ms)
    dialect = header.dialect
    links = _links(draft, ids, assigner) if event_type in LINKING else ()
    genotypes: tuple[Genotype, ...] = ()
    variants: tuple[Variant, ...] = ()
    if draft.genomic:
        tell = partial(draft.tell, "OBX-5")
        genotypes, variants = genomics_of(draft.observations, draft.genomic, tell)
    body = IdentifiedBody(
        event_type=event_type,
        message_type=header.message_type,
        version=dialect.first(header.version),
        application=dialect.first(header.application),
        facility=dialect.first(header.facility),
        control_id=header.control_id,
        charset=origin.charset,
        charset_declared=origin.declared,
        received_at_ms=received_at_ms,
        received_order=received_order,
        occurred_at_ms=occurred_at_ms,
        occurred_precision=precision,
        occurred_zone=zone,
        patient=_patient(draft, ids),
        encounter=draft.encounter,
        observations=tuple(draft.observations),
        conditions=tuple(draft.conditions),
        medications=tuple(draft.medications),
        allergies=tuple(draft.allergies),
        orders=tuple(draft.orders),
        notes=tuple(draft.notes),
        links=links,
        findings=findings + tuple(draft.findings) if draft.findings else findings,
        raw=origin.raw,
        numbers=numbers_of(draft),
    )
    if genotypes or variants:
        body = msgspec.structs.replace(body, genotypes=genotypes, variants=variants)
    return body


def _event_type(draft: Draft, header: Header) -> EventType:
    event_type = event_type_of(header.kind, header.trigger)
    if header.kind not in KNOWN and draft.has_results:
        draft.find("MSH-9", "200", "no message type of HL7: taken by what it says")
        event_type = "observation.result"
    if not draft.ids and event_type != "non_clinical":
        draft.find("PID-3", "no_patient", "a clinical message without a patient identifier")
        return "non_clinical"
    return event_type


def _patient(draft: Draft, ids: tuple[PatientId, ...]) -> Patient:
    return Patient(
        ids=ids,
        names=draft.names,
        birth_date=draft.birth_date,
        sex=draft.sex,
        deceased=draft.deceased,
        others=others_of(draft),
        postcode=draft.postcode,
        country=draft.country,
    )


def _assigned(ids: tuple[PatientId, ...], assigner: str) -> tuple[PatientId, ...]:
    if not assigner or all(one.assigner for one in ids):
        return ids
    return tuple(PatientId(one.value, one.assigner or assigner, one.type) for one in ids)


def _links(draft: Draft, ids: tuple[PatientId, ...], assigner: str) -> tuple[IdentityLink, ...]:
    header = draft.header
    if not ids:
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
