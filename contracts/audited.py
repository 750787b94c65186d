"""audit.v1: who looked at whom and why, in one hash chain per writer and start."""

import msgspec

from contracts.topic import DAY_MS, Topic


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One look or decision. ``entry_hash`` is SHA-256 over this entry's canonical JSON with
    ``entry_hash`` and ``signature`` empty, ``previous_hash`` included; ``signature`` is the
    writer's (Ed25519, hex) over those 32 bytes. Patients are tokens, viewers are staff tokens.
    """

    schema_version: str = "1.0"
    writer: str
    start: str
    sequence: int
    at_ms: int
    action: str
    viewer: str = ""
    token: str = ""
    purpose: str = ""
    outcome: str = ""
    detail: dict[str, str] = {}
    previous_hash: str
    entry_hash: str = ""
    signature: str = ""


AUDIT = Topic(
    name="audit.v1",
    event=AuditEntry,
    key="writer",
    producer="privacy, gateway",
    consumers=("privacy officer",),
    retention_ms=2190 * DAY_MS,
)
