"""Genomic results as a laboratory sends them: lines of an ORU, and Observations of FHIR."""

from typing import Any

from contracts.identified import IdentifiedBody
from services.ingest.frames import parse_frame
from tests.support.fhir import KEYS, RECEIVED_AT_MS, SOURCE, Node, loinc

HEAD = (
    "MSH|^~\\&|LAB|H|||20240501120000+0000||ORU^R01|C1|P|2.5.1",
    "PID|1||7^^^H^MR||Doe^Jane||19600101|F",
    "OBR|1||G1|51969-4^Report^LN|||20240501",
)


def obx(place: int, kind: str, code: str, group: str, value: str, status: str = "F") -> str:
    """Return an OBX of a LOINC code; ``group`` is its OBX-4."""
    return f"OBX|{place}|{kind}|{code}^x^LN|{group}|{value}||||||{status}"


def genomic(*lines: str) -> IdentifiedBody:
    """Return the event of a report with these lines."""
    raw = "\r".join((*HEAD, *lines)).encode()
    (message,) = parse_frame(raw, SOURCE, KEYS, RECEIVED_AT_MS).messages
    (event,) = message.events
    return event.body


def concept(words: str, code: str = "", system: str = "http://loinc.org") -> Node:
    """Return a CodeableConcept."""
    coded = {"coding": [{"system": system, "code": code, "display": words}]} if code else {}
    return {"text": words, **coded}


def component(code: str, value: Node) -> Node:
    """Return a component of an Observation by its LOINC code."""
    return {"code": loinc(code), "valueCodeableConcept": value}


def gene(name: str) -> Node:
    """Return the component that names the gene."""
    return component("48018-6", concept(name, "HGNC:1", "http://www.genenames.org/geneId"))


def observed(name: str, code: str, value: Node | None, *parts: Node, **more: Any) -> Node:
    """Return an Observation by its LOINC code, of ``fhir.patient()``."""
    said = {"valueCodeableConcept": value} if value else {}
    return {
        "resourceType": "Observation",
        "id": name,
        "status": "final",
        "code": loinc(code),
        "subject": {"reference": "urn:uuid:p1"},
        "component": list(parts),
        **said,
        **more,
    }
