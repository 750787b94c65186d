"""Pure: the bytes of images out of the message that brought them, found by their hash."""

import binascii
from collections.abc import Collection, Iterator
from hashlib import sha256

import msgspec

from contracts.encapsulated import contents_of, is_attachment, lines_of, readable, signs_of

NODES_MAX = 1_000_000


def images_in(raw: bytes, hashes: Collection[str], charset: str) -> dict[str, bytes]:
    """Return the contents whose SHA-256 (hex) is among ``hashes``, as far as they are there.

    ``raw``: an HL7 message (OBX-5 of ED) that the codec ``charset`` reads, or FHIR resources as
    JSON (``data`` of any attachment).
    """
    found: dict[str, bytes] = {}
    is_json = raw.lstrip()[:1] in {b"{", b"["}
    for content in _attachments(raw) if is_json else _encapsulated(raw, charset):
        name = sha256(content).hexdigest()
        if name in hashes:
            found[name] = content
            if len(found) == len(set(hashes)):
                break
    return found


def _encapsulated(raw: bytes, charset: str) -> Iterator[bytes]:
    lines = lines_of(readable(raw, charset))
    signs = signs_of(lines)
    for line in lines:
        if is_attachment(line):
            yield from (one for one in contents_of(line, signs) if one)


def _attachments(raw: bytes) -> Iterator[bytes]:
    try:
        waiting: list[object] = [msgspec.json.decode(raw)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return
    for _ in range(NODES_MAX):
        if not waiting:
            return
        here = waiting.pop()
        if isinstance(here, list):
            waiting += here
        elif isinstance(here, dict):
            waiting += here.values()
            data = here.get("data")
            if isinstance(data, str):
                try:
                    yield binascii.a2b_base64(data)
                except ValueError:
                    continue
