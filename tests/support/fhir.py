"""Synthetic FHIR R4 resources for tests."""

import json
from typing import Any

from contracts.identified import IdentifiedBody
from services.ingest.fhir import parse_fhir
from services.ingest.identity import Keys
from services.ingest.parse import Parsed, SourceProfile

KEYS = Keys(event=b"e" * 32, route=b"r" * 32)
SOURCE = SourceProfile("test", assigner="H")
RECEIVED_AT_MS = 1_714_600_000_000  # 2024-05-01T21:46:40Z
Node = dict[str, Any]


def parsed(resource: Node | bytes, source: SourceProfile = SOURCE) -> Parsed:
    """Parse a resource, or bytes as they are."""
    raw = resource if isinstance(resource, bytes) else json.dumps(resource).encode()
    return parse_fhir(raw, source, KEYS, RECEIVED_AT_MS)


def only(resource: Node, source: SourceProfile = SOURCE) -> IdentifiedBody:
    """Return the one event of a resource that is accepted."""
    found = parsed(resource, source)
    assert found.code == "AA"
    (event,) = found.events
    return event.body


def bundle(*resources: Node, kind: str = "collection", **more: Any) -> Node:
    """Return a bundle of resources, each under its temporary URL where it has an id."""
    entries = [
        {"fullUrl": f"urn:uuid:{one['id']}", "resource": one} if "id" in one else {"resource": one}
        for one in resources
    ]
    return {"resourceType": "Bundle", "type": kind, "entry": entries, **more}


def patient(name: str = "p1", number: str = "700123", /, **more: Any) -> Node:
    """Return a Patient with a record number."""
    kind = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]}
    return {
        "resourceType": "Patient",
        "id": name,
        "identifier": [{"type": kind, "system": "urn:oid:1.2.3", "value": number}],
        **more,
    }


def loinc(code: str, display: str = "") -> Node:
    """Return a concept with a LOINC code."""
    return {"coding": [{"system": "http://loinc.org", "code": code, "display": display}]}


def quantity(value: float, code: str, **more: Any) -> Node:
    """Return a Quantity in UCUM."""
    return {"value": value, "code": code, "system": "http://unitsofmeasure.org", **more}


def observation(code: str | Node = "8867-4", subject: str = "urn:uuid:p1", **more: Any) -> Node:
    """Return a final Observation at 11:00 UTC."""
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": loinc(code) if isinstance(code, str) else code,
        "subject": {"reference": subject},
        "effectiveDateTime": "2024-05-01T11:00:00Z",
        **more,
    }


def of_patient(kind: str, **more: Any) -> Node:
    """Return a bundle of one patient and one resource of theirs."""
    return bundle(
        patient(), {"resourceType": kind, "subject": {"reference": "urn:uuid:p1"}, **more}
    )
