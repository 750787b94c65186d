"""The entries of a FHIR bundle, and what their references point at."""

from collections.abc import Iterator
from typing import NamedTuple

from contracts.identified import PersonName
from services.ingest.fhir_json import Node, node, nodes, text

REST = ("http://", "https://")


class Entry(NamedTuple):
    """One resource: ``path`` is its FHIRPath in what was sent, ``place`` its number (from 0).

    ``sent`` is the resource of the entry that contains it, itself where it is not contained;
    ``method`` and ``url`` are those of the request in a batch, transaction or history.
    """

    place: int
    path: str
    full_url: str
    method: str
    url: str
    kind: str
    resource: Node
    sent: Node

    @property
    def id(self) -> str:
        """Return the logical id."""
        return text(self.resource.get("id"))

    @property
    def server(self) -> str:
        """Return the base address of the server the resource lives on, or ""."""
        if not self.full_url.startswith(REST):
            return ""
        return self.full_url.rsplit("/", 2)[0] if self.full_url.count("/") > 4 else ""


class Bundle:
    """What was sent: a bundle, or a single resource as its only entry."""

    def __init__(self, root: Node) -> None:
        """Index the entries of ``root`` by full URL, type and id, and identifier."""
        self.root = root
        self.is_bundle = root.get("resourceType") == "Bundle"
        self.type = text(root.get("type")) if self.is_bundle else ""
        self.entries = tuple(_entries(root) if self.is_bundle else (_alone(root),))
        self._by_url: dict[str, Entry] = {}
        self._by_id: dict[str, Entry] = {}
        self._by_identifier: dict[tuple[str, str, str], Entry] = {}
        self._within: dict[int, dict[str, Entry]] = {}
        # Staff as read, by where they stand: (place, path) -> number, name.
        self.staff: dict[tuple[int, str], tuple[str, PersonName]] = {}
        for entry in self.entries:
            self._index(entry)

    def resolve(self, reference: Node, base: Entry) -> Entry | None:
        """Return what a reference inside ``base`` points at, or None when it is not here."""
        found = self._at(text(reference.get("reference")), base)
        identifier = node(reference.get("identifier"))
        if found is None and identifier:
            value = (text(identifier.get("system")), text(identifier.get("value")))
            found = self._by_identifier.get((text(reference.get("type")), *value))
            found = found or self._by_identifier.get(("", *value))
        return found

    def _at(self, target: str, base: Entry) -> Entry | None:
        if not target:
            return None
        if target.startswith("#"):
            return self._contained(base, target[1:])
        kind, question, query = target.partition("?")
        if question:
            return self._by_query(kind, query)
        target = target.partition("/_history/")[0]
        if base.server and not target.startswith((*REST, "urn:")):
            found = self._by_url.get(f"{base.server}/{target}")
            if found is not None:
                return found
        return self._by_url.get(target) or self._by_id.get(target.removeprefix("urn:uuid:"))

    def _contained(self, base: Entry, name: str) -> Entry | None:
        """Return the resource with that id in ``base``, or in what contains ``base``."""
        if base.place not in self._within:
            self._within[base.place] = {one.id: one for one in _held_by(base)}
        return self._within[base.place].get(name)

    def _by_query(self, kind: str, query: str) -> Entry | None:
        value = identifier_of_query(query)
        return self._by_identifier.get((kind, *value)) if value else None

    def _index(self, entry: Entry) -> None:
        if entry.full_url:
            self._by_url.setdefault(entry.full_url, entry)
        if entry.id:
            self._by_id.setdefault(f"{entry.kind}/{entry.id}", entry)
            self._by_id.setdefault(entry.id, entry)
        for identifier in nodes(entry.resource.get("identifier")):
            value = text(identifier.get("value"))
            if value:
                system = text(identifier.get("system"))
                self._by_identifier.setdefault((entry.kind, system, value), entry)
                self._by_identifier.setdefault(("", system, value), entry)


def identifier_of_query(query: str) -> tuple[str, str] | None:
    """Return system and value of a conditional reference (``identifier=system|value``)."""
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        if name == "identifier" and value:
            system, bar, plain = value.partition("|")
            return (system, plain) if bar else ("", value)
    return None


def _held_by(base: Entry) -> Iterator[Entry]:
    root_path = base.path.partition(".contained[")[0]
    for number, resource in enumerate(nodes(base.sent.get("contained"))):
        yield Entry(
            place=base.place,
            path=f"{root_path}.contained[{number}]",
            full_url="",
            method="",
            url="",
            kind=text(resource.get("resourceType")),
            resource=resource,
            sent=base.sent,
        )


def _alone(root: Node) -> Entry:
    kind = text(root.get("resourceType"))
    return Entry(0, kind, "", "", "", kind, root, root)


def _entries(root: Node) -> Iterator[Entry]:
    for place, sent in enumerate(nodes(root.get("entry"))):
        resource, request = node(sent.get("resource")), node(sent.get("request"))
        kind = text(resource.get("resourceType"))
        yield Entry(
            place=place,
            path=f"Bundle.entry[{place}].resource" if resource else f"Bundle.entry[{place}]",
            full_url=text(sent.get("fullUrl")),
            method=text(request.get("method")).upper(),
            url=text(request.get("url")),
            kind=kind,
            resource=resource,
            sent=resource,
        )
