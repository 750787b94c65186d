"""Operators ask privacy what was refused: ``POST /v1/rejected/{list,show,replay}``, audited.

Each call carries ``Authorization: Bearer <operators' token>``, a secret that the gateway does not
have, and the viewer's ``role``. A list names no patient; ``show`` and ``replay`` open the seal, are
on the audit log before they are answered, and give so many messages away in an hour.
"""

from typing import Literal

import msgspec

from contracts.clinical import Finding

Purpose = Literal["HOPERAT"]  # HL7 v3 PurposeOfUse: health care operations
ENTRIES_MAX = 500
OPERATING_ROLES = frozenset({"sre", "privacy-officer"})


class RefusedQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was refused from ``since_ms`` up to ``until_ms``, with one of ``codes`` (empty: any)."""

    viewer: str
    purpose: Purpose
    since_ms: int
    until_ms: int
    codes: tuple[str, ...] = ()
    role: str = ""


class RefusedEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One refused record: where it stands, when it was refused and by which stage, and why."""

    partition: int
    offset: int
    at_ms: int
    code: str
    stage: str
    source: str
    event_id: str


class RefusedList(msgspec.Struct, frozen=True, kw_only=True):
    """The oldest ``ENTRIES_MAX`` that were asked for; ``more`` when there are others."""

    entries: tuple[RefusedEntry, ...]
    more: bool


class RefusedPlace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One record of the rejected topic, and for whom."""

    viewer: str
    purpose: Purpose
    partition: int
    offset: int
    role: str = ""


class RefusedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """What one of them says: the bytes as they came, and all that was found odd."""

    entry: RefusedEntry
    message_type: str
    control_id: str
    findings: tuple[Finding, ...]
    raw: bytes


class RefusedReplay(msgspec.Struct, frozen=True, kw_only=True):
    """``stream``: its event stands on the topic again. ``front_door``: it never was an event, and
    ``raw`` is to be sent to ingest again, by the listener of ``source``.
    """

    to: Literal["stream", "front_door"]
    raw: bytes = b""
    source: str = ""
