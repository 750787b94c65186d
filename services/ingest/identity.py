"""Keyed hashes: the id of an event, the key of its partition, the key of its answer."""

import hashlib
from typing import Final

from contracts.identified import PatientId

SEPARATOR: Final = "\x1f"
BLOCK_BYTES: Final = 64
INNER: Final = bytes([sign ^ 0x36 for sign in range(256)])
OUTER: Final = bytes([sign ^ 0x5C for sign in range(256)])


class Keyed:
    """HMAC-SHA256 (RFC 2104) under ``key``, at most 64 bytes.

    The key's two blocks are hashed once: of short texts that is half the work of ``hmac.digest``.
    """

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        """Hash the blocks of the key."""
        padded = key.ljust(BLOCK_BYTES, b"\0")
        self._inner = hashlib.sha256(padded.translate(INNER)).copy
        self._outer = hashlib.sha256(padded.translate(OUTER)).copy

    def digest(self, said: bytes) -> bytes:
        """Return the keyed hash of ``said``, 32 bytes."""
        first, second = self._inner(), self._outer()
        first.update(said)
        second.update(first.digest())
        return second.digest()


class Keys:
    """``event`` keys the ids and answers, ``route`` the partition; 32 bytes each."""

    __slots__ = ("event", "route")

    def __init__(self, event: bytes, route: bytes) -> None:
        """Take the keys."""
        self.event, self.route = Keyed(event), Keyed(route)


def content_hash(keys: Keys, source: tuple[str, str, str], canonical: str) -> bytes:
    """Return the keyed hash of a message: application, facility, control id, canonical content."""
    said = SEPARATOR.join(("content" + source[0], source[1], source[2], canonical))
    return keys.event.digest(said.encode())


def event_id(keys: Keys, content: bytes, ordinal: int) -> str:
    """Return the id of the ``ordinal``-th patient group of a message, in UUID form."""
    found = keys.event.digest(b"event%d" % ordinal + content)[:16].hex()
    return f"{found[:8]}-{found[8:12]}-{found[12:16]}-{found[16:20]}-{found[20:]}"


def route_key(keys: Keys, ids: tuple[PatientId, ...], content: bytes) -> bytes:
    """Return the Kafka key: all events of one identifier share it.

    Without a patient there is nothing to keep in order: the content spreads the load.
    """
    said = f"{ids[0].assigner}{SEPARATOR}{ids[0].value}".encode() if ids else content
    return keys.route.digest(said)[:16]


def sender(keys: Keys, listener: str, application: str, facility: str) -> str:
    """Return who sent a message, readable by nobody without the key: ``mllp/5f0c1a2b3c4d``.

    It stands in a header in the clear, and in a message whose fields are displaced MSH-3 and MSH-4
    may hold anything, so they go in as a keyed hash.
    """
    said = SEPARATOR.join(("sender", application, facility)).encode()
    return f"{listener}/{keys.route.digest(said)[:6].hex()}"


def answer_key(keys: Keys, source: tuple[str, str, str], content: bytes) -> bytes:
    """Return the key of the stored answer: source and control id, else the content alone."""
    if not source[2]:
        return content[:16]
    return keys.event.digest(("answer" + SEPARATOR.join(source)).encode())[:16]
