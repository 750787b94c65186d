"""Patient, RelatedPerson, Coverage, Account, Practitioner: who it is, and every string that tells
on them.
"""

from contracts.identified import IdentityLink, PatientId, PersonName
from services.ingest.fhir_bundle import Entry, identifier_of_query
from services.ingest.fhir_codes import SEX
from services.ingest.fhir_draft import FhirDraft
from services.ingest.fhir_json import Node, node, nodes, text, texts
from services.ingest.others import are_words, long_numbers
from services.ingest.parse import SourceProfile
from services.ingest.patients import rank_of, written
from services.ingest.times import birth_date_of

# What orders, specimens and documents are numbered by.
ORDERED = frozenset({
    "Composition", "DiagnosticReport", "DocumentReference", "ImagingStudy", "MedicationRequest",
    "ServiceRequest", "Specimen",
})  # fmt: skip
NUMBER_FIELDS = ("identifier", "masterIdentifier", "accessionIdentifier", "requisition")
LOGICAL = "RI"  # table 0203: an identifier that a server gave to its record
LINKS_MAX = 50
OLD_USES = frozenset({"old", "temp"})
REPLACING = frozenset({"replaces", "replaced-by"})
PHONES = frozenset({"phone", "fax", "pager", "sms"})
STAFF = frozenset({"Practitioner", "PractitionerRole"})
# Where resources name who did something, or was there; the reference itself may lie one deeper.
STAFF_FIELDS = (
    "asserter", "author", "careManager", "performer", "participant", "recorder", "requester",
)  # fmt: skip
STAFF_WITHIN = ("actor", "individual", "member")
NUMBERED = frozenset({"Device", "EpisodeOfCare"})  # not read, but their numbers are the patient's


def patient(draft: FhirDraft, entry: Entry) -> None:
    """Read Patient."""
    resource = entry.resource
    draft.ids = ids_of(resource, draft.source)
    _logical_id(draft, entry)
    names = [person_name(one) for one in nodes(resource.get("name"))]
    draft.names = tuple(dict.fromkeys(name for name in names if name is not None))
    _birth_date(draft, entry)
    draft.sex = SEX.get(text(resource.get("gender")).lower(), "")
    died = resource.get("deceasedDateTime")
    draft.deceased = resource.get("deceasedBoolean") is True or bool(died)
    _date(draft, died)
    _reach(draft, resource)
    home = node(resource.get("address"))
    draft.postcode, draft.country = text(home.get("postalCode")), text(home.get("country"))
    for contact in nodes(resource.get("contact")):
        _around(draft, contact)
    for extension in nodes(resource.get("extension")):
        draft.other("NAME", text(extension.get("valueString")) if _is_maiden(extension) else "")
        _address(draft, node(extension.get("valueAddress")))
    for doctor in nodes(resource.get("generalPractitioner")):
        practitioner_name(draft, doctor, entry)
    for linked in nodes(resource.get("link"))[:LINKS_MAX]:
        _link(draft, entry, linked)
    updated = node(resource.get("meta")).get("lastUpdated")
    draft.updated = draft.time(updated, f"{entry.path}.meta.lastUpdated", said=False)


def related_person(draft: FhirDraft, entry: Entry) -> None:
    """Read RelatedPerson: the next of kin."""
    _around(draft, entry.resource)
    for identifier in nodes(entry.resource.get("identifier")):
        draft.other("ID", text(identifier.get("value")))
    _date(draft, entry.resource.get("birthDate"))


def numbers(draft: FhirDraft, entry: Entry) -> None:
    """Read Account and Coverage: the numbers that stand for the patient elsewhere."""
    resource = entry.resource
    for identifier in nodes(resource.get("identifier")):
        draft.other("ID", text(identifier.get("value")))
    draft.other("ID", text(resource.get("subscriberId")))


def unmapped(draft: FhirDraft, entry: Entry, said: str) -> None:
    """Name an entry that nothing reads, and keep whom it names, and the numbers of a device or an
    episode: they may stand in the notes.
    """
    draft.left_out(entry, "not_mapped", said)
    if not draft.ids:
        return
    staff_around(draft, entry)
    if entry.kind in NUMBERED:
        numbers(draft, entry)
        draft.other("ID", text(entry.resource.get("serialNumber")))


def says_words(draft: FhirDraft) -> bool:
    """Return whether an event says anything in words, in which somebody may be named."""
    if draft.notes or draft.conditions or draft.medications or draft.allergies:
        return True
    return are_words(draft.observations, draft.orders)


def numbers_around(draft: FhirDraft) -> tuple[str, ...]:
    """Return the numbers of orders, specimens and documents that a text may quote."""
    if not says_words(draft):
        return ()
    told: list[str] = []
    for place in draft.entries:
        entry = draft.bundle.entries[place]
        if entry.kind in ORDERED:
            for field in NUMBER_FIELDS:
                found = nodes(entry.resource.get(field))
                told += [text(one.get("value")).strip() for one in found]
    return long_numbers(told)


def staff_around(draft: FhirDraft, entry: Entry) -> None:
    """Keep the names of the staff that a resource names: they may stand in the notes."""
    for field in STAFF_FIELDS:
        for one in nodes(entry.resource.get(field)):
            within = (node(one.get(name)) for name in STAFF_WITHIN)
            reference = next((deeper for deeper in within if deeper), one)
            found = draft.follow(reference, entry)
            if found is None or found.kind in STAFF:
                practitioner_name(draft, reference, entry)


def practitioner_name(draft: FhirDraft, reference: Node, base: Entry) -> tuple[str, PersonName]:
    """Return number and name of the member of staff that is meant, and keep the name for notes.

    A PractitionerRole leads to its Practitioner; one that is not in the bundle has its display.
    """
    found = draft.follow(reference, base)
    if found is not None and found.kind == "PractitionerRole":
        reference = node(found.resource.get("practitioner"))
        found = draft.follow(reference, found)
    if found is None or found.kind != "Practitioner":
        shown = text(reference.get("display"))
        draft.staff_names.append(shown)
        value = text(node(reference.get("identifier")).get("value"))
        return value or _number_in(reference), PersonName(family=shown)
    key = (found.place, found.path)
    if key not in draft.bundle.staff:
        values = [text(one.get("value")) for one in nodes(found.resource.get("identifier"))]
        number = next(filter(None, values), found.id)
        draft.bundle.staff[key] = number, person_name(found.resource.get("name")) or PersonName()
    number, name = draft.bundle.staff[key]
    draft.staff_names.append(written(name))
    return number, name


def ids_of(resource: Node, source: SourceProfile) -> tuple[PatientId, ...]:
    """Return the identifiers of a resource, preferred ones (MR, then PI) first, old ones last."""
    found: list[tuple[int, PatientId]] = []
    for one in nodes(resource.get("identifier")):
        identifier = identifier_of(one, source)
        if identifier is not None:
            rank = 3 if text(one.get("use")) in OLD_USES else rank_of(identifier)
            found.append((rank, identifier))
    found.sort(key=lambda pair: pair[0])
    return tuple(dict.fromkeys(identifier for _, identifier in found))


def identifier_of(identifier: Node, source: SourceProfile) -> PatientId | None:
    """Return an Identifier; its assigner is the one that the source's profile gives its system,
    else the system (the plain OID of ``urn:oid:``, which is CX-4.2 in v2), else the assigner
    named, else the source's.
    """
    value = text(identifier.get("value"))
    if not value:
        return None
    system = text(identifier.get("system"))
    system = source.assigners.get(system) or system.removeprefix("urn:oid:")
    named = text(node(identifier.get("assigner")).get("display"))
    kinds = [text(one.get("code")) for one in nodes(node(identifier.get("type")).get("coding"))]
    return PatientId(value, system or named or source.assigner, kinds[0] if kinds else "")


def ids_of_reference(draft: FhirDraft, reference: Node, base: Entry) -> tuple[PatientId, ...]:
    """Return whom a reference to a patient means who is not in the bundle, or ()."""
    found = []
    identifier = identifier_of(node(reference.get("identifier")), draft.source)
    if identifier is not None:
        found.append(identifier)
    target = text(reference.get("reference")).partition("/_history/")[0]
    kind, question, query = target.partition("?")
    if question:
        value = identifier_of_query(query)
        if kind == "Patient" and value:
            asked = identifier_of({"system": value[0], "value": value[1]}, draft.source)
            found += [asked] if asked else []
    elif "Patient/" in target:
        server, _, name = target.rpartition("Patient/")
        if name and "/" not in name:
            found.append(
                PatientId(name, server.rstrip("/") or base.server or draft.server, LOGICAL)
            )
    return tuple(found)


def link_logical(draft: FhirDraft) -> None:
    """Link a server's own id to the identifier the event belongs to: either may come alone."""
    for identifier in draft.ids[1:]:
        if identifier.type == LOGICAL:
            draft.links.append(IdentityLink(other=identifier, link=True, trigger=LOGICAL))


def person_name(value: object) -> PersonName | None:
    """Return a HumanName; one that has only its text is all family name."""
    name = node(value)
    given = texts(name.get("given"))
    family = text(name.get("family"))
    if not (family or given):
        whole = text(name.get("text"))
        return PersonName(family=whole) if whole else None
    return PersonName(
        family=family,
        given=given[0] if given else "",
        middle=" ".join(given[1:]),
        suffix=" ".join(texts(name.get("suffix"))),
        prefix=" ".join(texts(name.get("prefix"))),
    )


def _logical_id(draft: FhirDraft, entry: Entry) -> None:
    # An id in a POST, or beside a temporary URL, is not the one that the server will give.
    is_temporary = entry.method == "POST" or (
        entry.full_url.startswith("urn:") and entry.method != "PUT"
    )
    if entry.id and not is_temporary and entry.resource is entry.sent:
        logical = PatientId(entry.id, entry.server or draft.server, LOGICAL)
        draft.ids = (*draft.ids, logical)
        link_logical(draft)


def _link(draft: FhirDraft, entry: Entry, linked: Node) -> None:
    reference = node(linked.get("other"))
    found = draft.follow(reference, entry)
    if found is not None and found.kind == "Patient":
        others = ids_of(found.resource, draft.source)
    else:
        others = ids_of_reference(draft, reference, entry)
    known = {(one.value, one.assigner) for one in draft.ids}
    fresh = [one for one in others if (one.value, one.assigner) not in known]
    if not fresh or not draft.ids:
        draft.find(f"{entry.path}.link", "no_prior_id", "nothing to link to")
        return
    kind = text(linked.get("type"))
    draft.links.append(IdentityLink(other=fresh[0], link=True, trigger=kind))
    if kind in REPLACING:
        draft.kinds.add("link")
    for one in fresh:
        draft.other("ID", one.value)


def _birth_date(draft: FhirDraft, entry: Entry) -> None:
    raw = entry.resource.get("birthDate")
    if raw is None:
        return
    sent = text(raw)
    draft.birth_date, whole = birth_date_of(sent.replace("-", "")) if sent else ("", False)
    if not whole:
        draft.find(f"{entry.path}.birthDate", "102", "not a whole date")


def _around(draft: FhirDraft, person: Node) -> None:
    for one in nodes(person.get("name")):
        name = person_name(one)
        if name is not None:
            draft.other("NAME", written(name))
    _reach(draft, person)


def _reach(draft: FhirDraft, person: Node) -> None:
    for address in nodes(person.get("address")):
        _address(draft, address)
    for contact in nodes(person.get("telecom")):
        value, system = text(contact.get("value")), text(contact.get("system"))
        is_mail = system == "email" or (not system and "@" in value)
        is_phone = system in PHONES or not system
        draft.other("EMAIL" if is_mail else "PHONE" if is_phone else "ID", value)


def _address(draft: FhirDraft, address: Node) -> None:
    for line in texts(address.get("line")):
        draft.other("LOC", line)
    for part in ("city", "district", "postalCode", "text"):
        draft.other("LOC", text(address.get(part)))


def _date(draft: FhirDraft, raw: object) -> None:
    day = text(raw)[:10]
    if len(day) == 10:
        draft.other("DATE", day)


def _is_maiden(extension: Node) -> bool:
    return text(extension.get("url")).endswith("mothersMaidenName")


def _number_in(reference: Node) -> str:
    target = text(reference.get("reference"))
    return "" if target.startswith(("urn:", "#")) else target.rpartition("/")[2]
