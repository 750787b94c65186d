"""FHIR JSON as it comes: bytes to objects, and getters that take whatever stands there.

Nothing raises on what a sender wrote: a value of another type than the field's reads as absent.
"""

import codecs
from math import isfinite
from typing import Any, NamedTuple

import msgspec

from contracts.clinical import Finding

Node = dict[str, Any]
DEPTH_MAX = 64  # resources of the specification stay below 20
ENTRIES_MAX = 10_000
UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# What of a bundle is new each time it is sent: no part of its identity, as MSH-7 is none.
SENDING_FIELDS = frozenset({"timestamp", "signature"})

_decoder = msgspec.json.Decoder()
_encoder = msgspec.json.Encoder(order="sorted")


class Document(NamedTuple):
    """A body as read: ``root`` is None when it cannot be worked with, and ``findings`` say why."""

    root: Node | None
    charset: str
    findings: tuple[Finding, ...] = ()


def read(body: bytes, default_charset: str) -> Document:
    """Return the resource in ``body``; ``default_charset`` is tried where it is not UTF-8."""
    raw, charset = _utf8(body, default_charset)
    if raw is None:
        return _refused(charset, "structure", "not UTF-8")
    if raw.lstrip().startswith(b"<"):
        return _refused(charset, "not_supported", "FHIR XML is not read, send JSON")
    try:
        root = _decoder.decode(raw)
    except RecursionError:
        return _refused(charset, "too_deep", "nested too deeply")
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _refused(charset, "structure", "not JSON")
    code, reason = _fault(root)
    return _refused(charset, code, reason) if code else Document(root, charset)


def _fault(root: object) -> tuple[str, str]:
    if not isinstance(root, dict) or not text(root.get("resourceType")):
        return "no_resource_type", "no resourceType"
    if not _is_shallow(root):
        return "too_deep", "nested too deeply"
    if len(nodes(root.get("entry"))) > ENTRIES_MAX:
        return "too_many_entries", "more entries than one bundle may have"
    return "", ""


def canonical(root: Node) -> str:
    """Return the content of a resource: sorted keys, no blanks, without when it was sent."""
    kept = {name: value for name, value in root.items() if name not in SENDING_FIELDS}
    meta = kept.get("meta")
    if root.get("resourceType") == "Bundle" and isinstance(meta, dict):
        kept["meta"] = {name: value for name, value in meta.items() if name != "lastUpdated"}
    return _encoder.encode(kept).decode()


def encoded(root: Node) -> bytes:
    """Return a resource as JSON."""
    return _encoder.encode(root)


def node(value: Any) -> Node:
    """Return an object, the first one of a list, or an empty one."""
    if isinstance(value, dict):
        return value
    found = nodes(value)
    return found[0] if found else {}


def nodes(value: Any) -> list[Node]:
    """Return the objects of a list; one object alone is a list of it."""
    if isinstance(value, dict):
        return [value]
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def text(value: Any) -> str:
    """Return a string without blanks around it; empty for anything else."""
    return value.strip() if isinstance(value, str) else ""


def texts(value: Any) -> list[str]:
    """Return the strings of a list, or of one string alone, that are not empty."""
    items = value if isinstance(value, list) else [value]
    return [found for one in items if (found := text(one))]


def number(value: Any) -> float | None:
    """Return a finite number, also one written as a string, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if isfinite(found) and "_" not in str(value) else None


def _refused(charset: str, code: str, reason: str) -> Document:
    return Document(None, charset, (Finding("error", "", code, reason),))


def _utf8(body: bytes, default_charset: str) -> tuple[bytes | None, str]:
    """Return the body as UTF-8 and the charset it was in; None when no charset reads it."""
    body = body.removeprefix(codecs.BOM_UTF8)
    for charset in ("utf-16",) if body.startswith(UTF16_MARKS) else ("utf-8", default_charset):
        if charset:
            try:
                read_text = body.decode(charset)
            except (UnicodeDecodeError, LookupError):
                continue
            return (body if charset == "utf-8" else read_text.encode()), charset
    return None, "utf-8"


def _is_shallow(root: Node) -> bool:
    level: list[Any] = [root]
    for _ in range(DEPTH_MAX):
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, dict | list)
        ]
        if not level:
            return True
    return False
