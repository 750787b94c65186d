"""Free text of FHIR: annotations, attachments, documents; base64 and XHTML to plain text."""

import binascii
import re
from base64 import b64decode
from collections.abc import Iterator, Sequence
from html import unescape

from contracts.identified import Note
from services.ingest.fhir_bundle import Entry
from services.ingest.fhir_codes import status_of, words_of
from services.ingest.fhir_draft import FhirDraft
from services.ingest.fhir_json import Node, node, nodes, text
from services.ingest.fhir_people import STAFF, practitioner_name, staff_around
from services.ingest.images import named
from services.ingest.results import language_of

HTML = frozenset({"text/html", "application/xhtml+xml"})
LINE_TAGS = re.compile(r"</?(?:p|br|div|li|tr|h[1-6]|table|ul|ol)\b[^<>]*>", re.IGNORECASE)
CELL_TAGS = re.compile(r"</?(?:td|th)\b[^<>]*>", re.IGNORECASE)
ANY_TAG = re.compile(r"<[^<>]*>")
SILENT_TAGS = ("script", "style")
RETRACTED = frozenset({"entered-in-error", "superseded"})
SECTIONS_MAX = 1_000
SHOWN_BY = ("bodySite", "modality", "view", "type")  # of a picture: what, and how


def note(draft: FhirDraft, said: str, kind: str, about: int = -1) -> None:
    """Keep free text; ``about`` is the index of the observation it belongs to."""
    if said.strip():
        draft.notes.append(Note(text=said, about=about, kind=kind, lang=language_of(said)))


def annotations(draft: FhirDraft, entry: Entry, about: int) -> None:
    """Read the ``note`` of a resource, and who it names."""
    staff_around(draft, entry)
    for annotation in nodes(entry.resource.get("note")):
        note(draft, text(annotation.get("text")), "NTE", about)
        draft.staff_names.append(text(annotation.get("authorString")))


def author_names(draft: FhirDraft, entry: Entry, references: Sequence[Node]) -> None:
    """Keep the names of who wrote or did something: they may stand in the notes."""
    for reference in references:
        found = draft.follow(reference, entry)
        if found is None or found.kind in STAFF:
            practitioner_name(draft, reference, entry)


def document_reference(draft: FhirDraft, entry: Entry) -> None:
    """Read DocumentReference: the text of its attachments."""
    resource = entry.resource
    if status_of(resource) in RETRACTED:
        draft.left_out(entry, "entered_in_error", "a document taken back")
        return
    draft.time(resource.get("date"), f"{entry.path}.date")
    kind = words_of(resource.get("type")) or "DocumentReference"
    author_names(draft, entry, nodes(resource.get("author")))
    for place, content in enumerate(nodes(resource.get("content"))):
        path = f"{entry.path}.content[{place}].attachment"
        note(draft, attachment(draft, node(content.get("attachment")), (entry, path, kind)), kind)
    note(draft, text(resource.get("description")), kind)


def composition(draft: FhirDraft, entry: Entry) -> None:
    """Read Composition: the text of its sections, each under its title."""
    resource = entry.resource
    if status_of(resource) in RETRACTED:
        draft.left_out(entry, "entered_in_error", "a document taken back")
        return
    draft.time(resource.get("date"), f"{entry.path}.date")
    author_names(draft, entry, nodes(resource.get("author")))
    parts = list(_sections(resource))
    note(draft, "\n".join(parts), words_of(resource.get("type")) or "Composition")


def media(draft: FhirDraft, entry: Entry) -> None:
    """Read Media: an image, or a text in one."""
    resource = entry.resource
    if status_of(resource) in RETRACTED:
        draft.left_out(entry, "entered_in_error", "a picture taken back")
        return
    draft.time(resource.get("createdDateTime"), f"{entry.path}.createdDateTime")
    kind = " ".join(filter(None, (words_of(resource.get(field)) for field in SHOWN_BY)))
    found = node(resource.get("content"))
    note(draft, attachment(draft, found, (entry, f"{entry.path}.content", kind)), kind)
    annotations(draft, entry, -1)


def attachment(
    draft: FhirDraft, found: Node, place: tuple[Entry, str, str], about: int = -1
) -> str:
    """Return the text of an attachment; one that is no text, or not here, is named and empty.

    ``place``: its resource, its path and what it is called; an image keeps that name.
    """
    entry, path, called = place
    data, kind = found.get("data"), text(found.get("contentType"))
    if data is None:
        pointed = draft.follow({"reference": found.get("url")}, entry)
        if pointed is None or pointed.kind != "Binary":
            draft.find(path, "attachment_not_here", "its content is not in what was sent")
            return ""
        data, kind = pointed.resource.get("data"), text(pointed.resource.get("contentType")) or kind
    form, _, parameters = kind.lower().partition(";")
    if not form.strip().startswith("text/") and form.strip() not in HTML:
        images = named(decoded(data) or b"", about, called)
        draft.take_images(images, path)
        if not images:
            draft.find(path, "attachment_not_read", "its content is not text")
        return ""
    raw = decoded(data)
    if raw is None:
        draft.find(path, "102", "not base64")
        return ""
    said = _text(raw, parameters.partition("charset=")[2].strip(' "'))
    return plain(said) if form.strip() in HTML else said


def plain(markup: str) -> str:
    """Return the text of HTML or XHTML, a line for each block. Linear in its length."""
    for tag in SILENT_TAGS:
        markup = _without(markup, f"<{tag}", f"</{tag}")
    # Line breaks of the source mean nothing in markup.
    broken = LINE_TAGS.sub("\n", markup.replace("\n", " "))
    # A tag inside a word does not part it: a name must stay whole to be found.
    said = unescape(ANY_TAG.sub("", CELL_TAGS.sub(" ", broken)))
    lines = (" ".join(line.split()) for line in said.split("\n"))
    return "\n".join(line for line in lines if line)


def _without(markup: str, start: str, end: str) -> str:
    lower, kept, at = markup.lower(), [], 0
    while (begin := lower.find(start, at)) >= 0:
        kept.append(markup[at:begin])
        at = lower.find(end, begin)
        if at < 0:
            return "".join(kept)
    return "".join((*kept, markup[at:]))


def _sections(resource: Node) -> Iterator[str]:
    waiting = list(reversed(nodes(resource.get("section"))))
    for _ in range(SECTIONS_MAX):
        if not waiting:
            return
        section = waiting.pop()
        body = plain(text(node(section.get("text")).get("div")))
        if body:
            title = text(section.get("title"))
            yield f"{title}\n{body}" if title else body
        waiting += reversed(nodes(section.get("section")))


def decoded(data: object) -> bytes | None:
    """Return what stands in base64, None when it does not."""
    if not isinstance(data, str):
        return None
    try:
        return b64decode("".join(data.split()), validate=True)
    except (binascii.Error, ValueError):
        return None


def _text(raw: bytes, charset: str) -> str:
    for name in ("utf-8", charset, "cp1252"):
        try:
            return raw.decode(name) if name else raw.decode("cp1252")
        except (UnicodeDecodeError, LookupError):
            continue
    return raw.decode("latin-1")
