"""Keyed hashes: the id of an event, the key of its partition, the key of its answer."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from contracts.identified import PatientId

SEPARATOR = "\x1f"
BLOCK_BYTES = 64
INNER, OUTER = bytes(sign ^ 0x36 for sign in range(256)), bytes(sign ^ 0x5C for sign in range(256))


@dataclass(frozen=True)
class Keys:
    """``event`` keys the ids and answers, ``route`` the partition; 32 bytes each."""

    event: bytes
    route: bytes


@lru_cache(maxsize=16)
def keyed(key: bytes) -> Callable[[bytes], bytes]:
    """Return HMAC-SHA256 (RFC 2104) under ``key``, at most 64 bytes.

    The key's two blocks are hashed once: of short texts that is half the work of ``hmac.digest``.
    """
    padded = key.ljust(BLOCK_BYTES, b"\0")
    inner = hashlib.sha256(padded.translate(INNER)).copy
    outer = hashlib.sha256(padded.translate(OUTER)).copy

    def digest(said: bytes) -> bytes:
        first, second = inner(), outer()
        first.update(said)
        second.update(first.digest())
        return second.digest()

    return digest


def content_hash(keys: Keys, source: tuple[str, str, str], canonical: str) -> bytes:
    """Return the keyed hash of a message: application, facility, control id, canonical content."""
    said = SEPARATOR.join(("content" + source[0], source[1], source[2], canonical))
    return keyed(keys.event)(said.encode())


def event_id(keys: Keys, content: bytes, ordinal: int) -> str:
    """Return the id of the ``ordinal``-th patient group of a message, in UUID form."""
    found = keyed(keys.event)(b"event%d" % ordinal + content)[:16].hex()
    return f"{found[:8]}-{found[8:12]}-{found[12:16]}-{found[16:20]}-{found[20:]}"


def route_key(keys: Keys, ids: tuple[PatientId, ...], content: bytes) -> bytes:
    """Return the Kafka key: all events of one identifier share it.

    Without a patient there is nothing to keep in order: the content spreads the load.
    """
    said = f"{ids[0].assigner}{SEPARATOR}{ids[0].value}".encode() if ids else content
    return keyed(keys.route)(said)[:16]


def sender(keys: Keys, listener: str, application: str, facility: str) -> str:
    """Return who sent a message, readable by nobody without the key: ``mllp/5f0c1a2b3c4d``.

    It stands in a header in the clear, and in a message whose fields are displaced MSH-3 and MSH-4
    may hold anything, so they go in as a keyed hash.
    """
    said = SEPARATOR.join(("sender", application, facility)).encode()
    return f"{listener}/{keyed(keys.route)(said)[:6].hex()}"


def answer_key(keys: Keys, source: tuple[str, str, str], content: bytes) -> bytes:
    """Return the key of the stored answer: source and control id, else the content alone."""
    if not source[2]:
        return content[:16]
    return keyed(keys.event)(("answer" + SEPARATOR.join(source)).encode())[:16]
