"""FHIR codes to ours: code systems by their short names, statuses by those of HL7 v2 tables."""

import re
from typing import Any

from contracts.clinical import EncounterStatus
from contracts.observation import Code
from plumbing.remembering import remembered
from services.ingest.fhir_json import Node, node, nodes, text

LOINC = "LN"
# Code system URI -> its name in HL7 table 0396, under which v2 feeds send it.
SYSTEMS: dict[str, str] = {
    "http://loinc.org": LOINC,
    "http://snomed.info/sct": "SCT",
    "http://hl7.org/fhir/sid/icd-10": "I10",
    "http://hl7.org/fhir/sid/icd-10-cm": "I10C",
    "http://hl7.org/fhir/sid/icd-9": "I9",
    "http://hl7.org/fhir/sid/icd-9-cm": "I9C",
    "http://www.nlm.nih.gov/research/umls/rxnorm": "RXNORM",
    "http://hl7.org/fhir/sid/ndc": "NDC",
    "http://hl7.org/fhir/sid/cvx": "CVX",
    "http://www.whocc.no/atc": "ATC",
    "http://www.ama-assn.org/go/cpt": "C4",
    "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets": "HCPCS",
    "urn:oid:2.16.840.1.113883.6.1": LOINC,
    "urn:oid:2.16.840.1.113883.6.96": "SCT",
    "urn:oid:2.16.840.1.113883.6.90": "I10C",
    "urn:oid:2.16.840.1.113883.6.103": "I9C",
    "urn:oid:2.16.840.1.113883.6.88": "RXNORM",
}
SYSTEM_CHARS = 64
PUBLIC = frozenset(SYSTEMS.values())
# Of the many that standard bodies publish, by the name at their end; ICD-11 has its own in the
# middle. These are the names that privacy passes: it drops an address, of a site as of a server.
PUBLISHED = re.compile(
    r"https?://(?:(?:terminology\.)?hl7\.org/(?:fhir/)?(?:sid/|CodeSystem/)?"
    r"|fhir\.de/CodeSystem/(?:[a-z0-9-]{1,20}/){0,2})([A-Za-z0-9][A-Za-z0-9.-]{0,60})",
    re.ASCII,
)
ICD11 = re.compile(r"https?://id\.who\.int/icd/?(?:release/)?11/mms", re.ASCII)
SNOMED_EDITION = re.compile(r"http://snomed\.info/sct/\d{6,18}(?:/version/\d{8})?", re.ASCII)
# With the short arcs of a registry: a longer one may be the number of somebody.
OID = re.compile(r"urn:oid:([0-2](?:\.(?:0|[1-9]\d{0,6})){2,15})", re.ASCII)

# Observation.status -> OBX-11 (table 0085). Unknown: not verified, so preliminary.
RESULT_STATUS: dict[str, str] = {
    "registered": "I",
    "preliminary": "P",
    "final": "F",
    "amended": "C",
    "corrected": "C",
    "appended": "C",
    "cancelled": "X",
    "entered-in-error": "W",
    "unknown": "R",
    "partial": "P",
}
# Status of a request or of what was done -> ORC-5 (table 0038).
ORDER_STATUS: dict[str, str] = {
    "draft": "SC",
    "preparation": "SC",
    "active": "IP",
    "in-progress": "IP",
    "on-hold": "HD",
    "revoked": "CA",
    "cancelled": "CA",
    "stopped": "DC",
    "completed": "CM",
}
# The same as an order control code (ORC-1, table 0119), which the medications of v2 carry.
ORDER_CONTROL: dict[str, str] = {
    "active": "NW",
    "on-hold": "HD",
    "revoked": "CA",
    "cancelled": "CA",
    "stopped": "DC",
}
ENCOUNTER_STATUS: dict[str, EncounterStatus] = {
    "planned": "planned",
    "arrived": "open",
    "triaged": "open",
    "in-progress": "open",
    "onleave": "open",
    "on-hold": "open",
    "finished": "closed",
    "discharged": "closed",
    "completed": "closed",
    "cancelled": "cancelled",
    "discontinued": "cancelled",
    "entered-in-error": "cancelled",
}
# ActCode -> PV1-2 (table 0004).
ENCOUNTER_CLASS: dict[str, str] = {
    "IMP": "I",
    "ACUTE": "I",
    "NONAC": "I",
    "EMER": "E",
    "AMB": "O",
    "OBSENC": "O",
    "SS": "O",
    "HH": "O",
    "FLD": "O",
    "VR": "O",
    "PRENC": "P",
}
STAFF_ROLE: dict[str, str] = {
    "ATND": "attending",
    "REF": "referring",
    "CON": "consulting",
    "ADM": "admitting",
}
SEX: dict[str, str] = {"male": "M", "female": "F", "other": "O", "unknown": "U"}


@remembered(1024)
def system_of(uri: str) -> str:
    """Return the short name of a code system, the plain OID of one that has that alone; else its
    URI, of a long one the end. A site's own address leaves privacy as nothing.
    """
    plain = uri.rstrip("/")
    found = SYSTEMS.get(plain)
    if found is not None:
        return found
    if ICD11.fullmatch(plain):
        return "icd-11-mms"
    if SNOMED_EDITION.fullmatch(plain):
        return "SCT"
    named = PUBLISHED.fullmatch(plain) or OID.fullmatch(plain)
    plain = named[1] if named else plain
    return plain if len(plain) <= SYSTEM_CHARS else plain.rpartition("/")[2][:SYSTEM_CHARS]


def code_of(concept: Any) -> Code:
    """Return the code of a CodeableConcept (or Coding): LOINC, else a public system, else the
    first. ``text`` is the coding's own name, else the concept's.
    """
    found = node(concept)
    codings = nodes(found.get("coding")) or ([found] if "code" in found else [])
    chosen = min(codings, key=_rank) if codings else {}
    return Code(
        system=system_of(text(chosen.get("system"))),
        code=text(chosen.get("code")),
        text=text(chosen.get("display")) or text(found.get("text")),
    )


def plain_code(concept: Any) -> str:
    """Return the first code of a concept, coding or plain code; its text where it has none."""
    if isinstance(concept, str):
        return concept.strip()
    found = node(concept)
    if "coding" in found:
        code = text(node(found["coding"]).get("code"))
        return code or text(found.get("text"))
    return text(found.get("code")) or text(found.get("text"))


def words_of(concept: Any) -> str:
    """Return how a concept is called."""
    code = code_of(concept)
    return code.text or text(node(concept).get("text")) or code.code


def status_of(resource: Node) -> str:
    """Return the status as sent, in lower case."""
    return text(resource.get("status")).lower()


def _rank(coding: Node) -> int:
    if not text(coding.get("code")):
        return 3
    system = system_of(text(coding.get("system")))
    if system == LOINC:
        return 0
    return 1 if system in PUBLIC else 2
