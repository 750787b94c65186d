"""Keyed hashes: the id of an event, the key of its partition, the key of its answer."""

import hmac
from dataclasses import dataclass

from contracts.identified import PatientId

SEPARATOR = b"\x1f"


@dataclass(frozen=True)
class Keys:
    """``event`` keys the ids and answers, ``route`` the partition; 32 bytes each."""

    event: bytes
    route: bytes


def content_hash(keys: Keys, source: tuple[str, str, str], canonical: str) -> bytes:
    """Return the keyed hash of a message: application, facility, control id, canonical content."""
    said = SEPARATOR.join(part.encode() for part in (*source, canonical))
    return hmac.digest(keys.event, b"content" + said, "sha256")


def event_id(keys: Keys, content: bytes, ordinal: int) -> str:
    """Return the id of the ``ordinal``-th patient group of a message, in UUID form."""
    found = hmac.digest(keys.event, b"event%d" % ordinal + content, "sha256")[:16].hex()
    return f"{found[:8]}-{found[8:12]}-{found[12:16]}-{found[16:20]}-{found[20:]}"


def route_key(keys: Keys, ids: tuple[PatientId, ...], content: bytes) -> bytes:
    """Return the Kafka key: all events of one identifier share it.

    Without a patient there is nothing to keep in order: the content spreads the load.
    """
    said = f"{ids[0].assigner}|{ids[0].value}".encode() if ids else content
    return hmac.digest(keys.route, said, "sha256")[:16]


def sender(keys: Keys, listener: str, application: str, facility: str) -> str:
    """Return who sent a message, readable by nobody without the key: ``mllp/5f0c1a2b3c4d``.

    It stands in a header in the clear, and in a message whose fields are displaced MSH-3 and MSH-4
    may hold anything, so they go in as a keyed hash.
    """
    said = SEPARATOR.join((application.encode(), facility.encode()))
    return f"{listener}/{hmac.digest(keys.route, b'sender' + said, 'sha256')[:6].hex()}"


def answer_key(keys: Keys, source: tuple[str, str, str], content: bytes) -> bytes:
    """Return the key of the stored answer: source and control id, else the content alone."""
    if not source[2]:
        return content[:16]
    said = SEPARATOR.join(part.encode() for part in source)
    return hmac.digest(keys.event, b"answer" + said, "sha256")[:16]
