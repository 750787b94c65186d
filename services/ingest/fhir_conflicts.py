"""What makes a FHIR body contradict itself, or ask for what cannot be checked here. Pure.

FHIR R4: a full URL stands once in a bundle, or with other versions (bdl-7; a history is exempt);
a transaction fails where the resources that it changes overlap; a request may depend on the version
that the server holds (``ifMatch``), and ingest holds none.
"""

from contracts.clinical import Finding
from services.ingest.fhir_bundle import Bundle, Entry
from services.ingest.fhir_json import canonical, node, nodes, text

CONFLICT, PRECONDITION = "conflict", "precondition"
CHANGES = frozenset({"PUT", "PATCH", "DELETE"})
NO_VERSIONS = "no versions are kept here: send it without If-Match"


def conflicts_of(bundle: Bundle) -> tuple[Finding, ...]:
    """Return an error for each entry that speaks against one before it or asks for a version."""
    if not bundle.is_bundle or bundle.type == "history":
        return ()
    seen: dict[tuple[str, str], Entry] = {}
    found = []
    for entry, sent in zip(bundle.entries, nodes(bundle.root.get("entry")), strict=True):
        where = f"Bundle.entry[{entry.place}]"
        if text(node(sent.get("request")).get("ifMatch")):
            found.append(Finding("error", where, PRECONDITION, NO_VERSIONS))
        for key, reason in _names(bundle, entry):
            before = seen.setdefault(key, entry)
            if before is not entry and not _same(before, entry):
                found.append(Finding("error", where, CONFLICT, reason))
                break
    return tuple(found)


def _names(bundle: Bundle, entry: Entry) -> list[tuple[tuple[str, str], str]]:
    """Return under which names an entry may stand but once, and what a second one is told."""
    names = []
    if entry.full_url:
        version = text(node(entry.resource.get("meta")).get("versionId"))
        key = (entry.full_url, f"version {version}")
        names.append((key, "this full URL stands before with other content"))
    if bundle.type == "transaction" and entry.method in CHANGES and entry.url:
        names.append(((entry.url, "change"), "the same resource is changed by an entry before"))
    return names


def _same(one: Entry, other: Entry) -> bool:
    return one.method == other.method and canonical(one.resource) == canonical(other.resource)
