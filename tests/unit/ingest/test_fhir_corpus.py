"""Published FHIR R4 bundles: each accepted, each entry mapped or named with its place."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from contracts.identified import IdentifiedBody
from services.ingest.fhir import parse_fhir
from services.ingest.identity import Keys
from services.ingest.parse import Parsed, SourceProfile
from services.privacy.care import relation_of
from services.privacy.deidentify import deidentify
from services.privacy.free_text import TextCleaner
from services.privacy.identity import NOBODY, grow
from services.privacy.known import KnownTerms
from services.privacy.known_terms import terms_of
from tests.support.golden import KEY, STAFF_KEY
from tests.support.shared import DATA

pytestmark = pytest.mark.shared_data

FOLDER = DATA / "hl7" / "fhir"
FILES = sorted(FOLDER.rglob("*.json"))
KEYS = Keys(event=b"e" * 32, route=b"r" * 32)
# Where each type must show in the envelope: a number of things for each entry that is not named.
SHOWN: dict[str, str] = {
    "Condition": "conditions",
    "AllergyIntolerance": "allergies",
    "MedicationRequest": "medications",
    "Immunization": "medications",
    "DiagnosticReport": "orders",
    "Procedure": "orders",
}
# Not one thing each: people and places that others point at, and what only identifies.
WITHIN = frozenset(
    {
        "Patient", "Encounter", "Observation", "MessageHeader", "Account", "Coverage",
        "RelatedPerson", "Practitioner", "PractitionerRole", "Location", "Organization",
    }
)  # fmt: skip


def sent(path: Path) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8-sig"))["entry"]
    return [entry.get("resource", {}) for entry in entries]


def parsed(path: Path) -> Parsed:
    return parse_fhir(path.read_bytes(), SourceProfile("corpus"), KEYS, 0)


def only(path: Path) -> IdentifiedBody:
    found = parsed(path)
    assert found.code == "AA"
    (event,) = found.events
    return event.body


def named(found: IdentifiedBody) -> set[int]:
    """Return the places of the entries that a finding says became nothing."""
    places = set()
    for finding in found.findings:
        head, _, rest = finding.where.removeprefix("Bundle.entry[").partition("]")
        if finding.level == "info" and rest in {"", ".resource"}:
            places.add(int(head))
    return places


def said_by(observation: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the parts of an Observation that have a value, itself among them."""
    own = [observation] if any(name.startswith("value") for name in observation) else []
    components: list[dict[str, Any]] = observation.get("component", [])
    return own + components


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_entry_is_mapped_or_named(path: Path) -> None:
    body = only(path)
    resources = sent(path)
    left = [
        resource
        for place, resource in enumerate(resources)
        if place not in named(body) and resource.get("resourceType") not in WITHIN
    ]
    expected = Counter(SHOWN[resource["resourceType"]] for resource in left)
    assert {name: len(getattr(body, name)) for name in expected} == dict(expected)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_who_where_and_what_was_measured(path: Path) -> None:
    body = only(path)
    resources = sent(path)
    (patient,) = (one for one in resources if one.get("resourceType") == "Patient")
    assert {one["value"] for one in patient["identifier"]} <= {
        one.value for one in body.patient.ids
    }
    assert body.patient.birth_date == patient["birthDate"]
    assert body.patient.names[0].family == patient["name"][0]["family"]
    encounters = [one for one in resources if one.get("resourceType") == "Encounter"]
    assert (body.encounter is not None) == bool(encounters)
    observations = [one for one in resources if one.get("resourceType") == "Observation"]
    parts = [part for one in observations for part in said_by(one)]
    assert len(body.observations) == len(parts)
    values = [part["valueQuantity"]["value"] for part in parts if "valueQuantity" in part]
    read = [one for one in body.observations if one.kind == "quantity"]
    assert len(read) == len(values)
    unchanged = [one.value for one in read if one.unit == one.unit_sent]
    assert set(unchanged) <= {float(value) for value in values}
    assert all(one.at_ms is not None for one in body.observations)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_id_does_not_depend_on_how_it_is_written(path: Path) -> None:
    again = json.dumps(json.loads(path.read_text(encoding="utf-8-sig")), indent=2).encode()
    other = parse_fhir(again, SourceProfile("other listener"), KEYS, 99)
    assert other.events[0].event_id == parsed(path).events[0].event_id


def test_there_are_bundles() -> None:
    assert len(FILES) >= 16


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_nothing_that_identifies_passes_privacy_and_no_code_is_lost_there(path: Path) -> None:
    body = only(path)
    known = grow(NOBODY, body.patient)
    staff = body.encounter.staff if body.encounter else ()
    cleaner = TextCleaner(KnownTerms(terms_of(known, staff)))
    event = deidentify(body, event_id="e", key=KEY, known=known, cleaner=cleaner, now_ms=0)
    relation = relation_of(body, event_id="e", key=KEY, staff_key=STAFF_KEY, cleaner=cleaner)
    passed = msgspec.json.encode((event, relation)).decode()
    names = [part for name in body.patient.names for part in (name.family, name.given)]
    telling = [one.value for one in body.patient.ids] + names + [one.id for one in staff]
    telling += [value for values in body.patient.others.values() for value in values]
    assert [one for one in telling if len(one) > 3 and one in passed] == []
    assert [one.code for one in event.observations] == [one.code for one in body.observations]
    assert [one.where for one in event.findings] == [one.where for one in body.findings]
