"""Pure: the bytes of images out of the message that brought them, found by their hash."""

import binascii
from collections.abc import Callable, Collection, Iterator
from hashlib import sha256

import msgspec

ENCODINGS: dict[bytes, Callable[[bytes], bytes]] = {
    b"BASE64": binascii.a2b_base64,
    b"HEX": binascii.unhexlify,
}
LINE_BREAKS = (b".br", b"X0D0A", b"X0D", b"X0A")  # as escapes inside base64
NODES_MAX = 1_000_000


def images_in(raw: bytes, hashes: Collection[str]) -> dict[str, bytes]:
    """Return the contents whose SHA-256 (hex) is among ``hashes``, as far as they are there.

    ``raw``: an HL7 message (OBX-5 of ED) or FHIR resources as JSON (``data`` of any attachment).
    """
    found: dict[str, bytes] = {}
    is_json = raw.lstrip()[:1] in {b"{", b"["}
    for content in _attachments(raw) if is_json else _encapsulated(raw):
        name = sha256(content).hexdigest()
        if name in hashes:
            found[name] = content
            if len(found) == len(set(hashes)):
                break
    return found


def _encapsulated(raw: bytes) -> Iterator[bytes]:
    if b"\0" in raw[:8]:
        raw = raw.replace(b"\0", b"")  # UTF-16, -32: what is base64 is ASCII in them
    lines = raw.replace(b"\n", b"\r").split(b"\r")
    header = next((line[line.index(b"MSH") :] for line in lines if b"MSH" in line[:8]), b"")
    encoding = header[4:8] if len(header) > 7 else b"^~\\&"
    component, repeat, escape = (encoding[at : at + 1] for at in range(3))
    for line in lines:
        if line[:3] != b"OBX" or len(line) < 4:
            continue
        fields = line.split(line[3:4], 6)
        for one in fields[5].split(repeat) if len(fields) > 5 else ():
            parts = one.split(component, 4)
            decode = ENCODINGS.get(parts[3].strip().upper()) if len(parts) == 5 else None
            if decode is None:
                continue
            sent = parts[4]
            for sign in LINE_BREAKS:
                sent = sent.replace(escape + sign + escape, b"")
            try:
                yield decode(sent)
            except ValueError:
                continue


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
