"""Erasing a person: ``POST /v1/erasures/{request,confirm,withdraw,show,hold}``, and the proof.

``request`` carries the bearer token ``erasure/request.token``, ``confirm`` that of
``erasure/confirm.token``, which another person holds; the others take either. All but ``show`` are
audited before they are done, and before they are refused. A ``number`` is whose record number it
is, and only where it is nobody's, of whom a message gave it beside their own. Of several persons,
the answer is 409 ``{"status": "several_persons", "tokens": [..]}``: ask by one of the tokens.

Where other entries share an identifier with the person (a message gave two numbers, another one of
them alone), the answer is 409 ``{"status": "shares_an_identifier", "tokens": [..]}`` with theirs,
200 at most: look who they are, and ask again with ``others``. More than 200 are not erased at once.

Merges and unlinks go on. Whoever it is about by then is looked up again at ``confirm`` and before
the first tombstone: are they others than at the request, it is refused, ``changed_meanwhile``, and
to be asked for again.
"""

from typing import Literal

import msgspec

from contracts.topic import DAY_MS

COMPACTED_WITHIN_MS = 7 * DAY_MS  # max.compaction.lag.ms of compacted topics
TOMBSTONE_MS = 9 * DAY_MS  # delete.retention.ms: longer than any event that it holds back
Basis = Literal["PATRQT", "LEGAL"]  # HL7 v3 ActReason: the patient's request, a legal duty
State = Literal["requested", "confirmed", "done", "withdrawn", "refused"]
# unreadable: whom it is about does not open any more; nothing was written yet, so ask again.
Refusal = Literal["", "legal_hold", "open_encounter", "changed_meanwhile", "unreadable"]
Others = Literal["", "erase", "keep"]
"""What becomes of other entries that share an identifier with the person; "": that is not said."""


class ErasureRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Erase the person of a ``token`` or of a record ``number`` (whole); one of the two."""

    viewer: str
    purpose: Basis
    token: str = ""
    number: str = ""
    others: Others = ""


class ErasureStep(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Confirm, withdraw or look at one erasure."""

    viewer: str
    erasure: str


class HoldRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Put a person under legal hold, or end that (``hold`` false)."""

    viewer: str
    hold: bool
    token: str = ""
    number: str = ""


class HoldAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """How many identifiers it is about."""

    identifiers: int
    hold: bool


class KeyChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Change the key-encryption key: ``POST /v1/keys/rewrap``, by the holder of either token."""

    viewer: str


class KeyChanged(msgspec.Struct, frozen=True, kw_only=True):
    """The key that wraps now, those that were destroyed, and how many entries were wrapped anew."""

    kek_id: str
    destroyed: tuple[str, ...]
    rewrapped: int


class Place(msgspec.Struct, frozen=True):
    """Where a tombstone stands: who reads the topic has dropped the person once past it."""

    topic: str
    partition: int
    offset: int


class ErasureAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """How far an erasure is; ``proof`` (``SignedProof`` as JSON) when it is done.

    ``others_kept``: entries that share an identifier with the person and stay, when last looked at.
    """

    erasure: str
    state: State
    refusal: Refusal = ""
    identifiers: int = 0
    others_kept: int = 0
    proof: bytes = b""


class DestroyedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key-encryption key that is gone; ``recoverable_until_ms`` 0: its store cannot bring it
    back. Backups of it are the site's to destroy.
    """

    kek_id: str
    at_ms: int
    recoverable_until_ms: int = 0


class Expiry(msgspec.Struct, frozen=True, kw_only=True):
    """What a topic still holds. ``identifies``: with the keys that exist, until ``until_ms``."""

    topic: str
    holds: str
    identifies: bool
    until_ms: int
    by: Literal["retention", "compaction", "key"]


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What is gone and what expires when, against who has every byte on disk at ``finished_at_ms``
    and every key that exists then. Names no patient: keep it apart from the request.
    ``others_kept`` entries share an identifier with the person and stay, as was asked for.
    """

    schema: Literal["auscult-erasure-proof/1"] = "auscult-erasure-proof/1"
    erasure: str
    basis: Basis
    requested_by: str
    requested_at_ms: int
    confirmed_by: str
    confirmed_at_ms: int
    erased_at_ms: int
    finished_at_ms: int
    identifiers: int
    others_kept: int = 0
    keys_destroyed: tuple[DestroyedKey, ...]
    entries_verified: int
    gone: tuple[str, ...]
    tombstones: tuple[Place, ...]
    expires: tuple[Expiry, ...]


class SignedProof(msgspec.Struct, frozen=True, kw_only=True):
    """A proof and the Ed25519 signature (hex) of privacy's audit key over its JSON."""

    proof: msgspec.Raw
    signature: str


GONE = (
    "the patient key: wrapped only under key-encryption keys that are destroyed",
    "the identity, the search index and the way from a name or number to the token",
    "care relation and identity links, and what linked persons' entries knew of this one",
    "patient state, snapshots and read model, once inference and gateway are past the tombstones",
)
_SEALED = "sealed events: they open with the day's sealing key until that is destroyed"
_PSEUDONYM = "records under a token that nothing leads to any more; their content may still remind "
_PSEUDONYM += "who knew the person"
_REFUSED = "coordinates, a code and an event id"
_VAULT = (
    "entries that nothing opens, under a keyed hash of the number: who has the link key can tell "
)
_VAULT += "that it was erased, and may guess the token from the times of records on several topics"
COMPACTED = 0

# Topic, what it holds of somebody who was erased, days kept. A test compares it with all topics.
KEPT: tuple[tuple[str, str, int], ...] = (
    ("clinical.identified.v1", _SEALED, 7),
    ("clinical.identified.v1.rejected", _SEALED, 7),
    ("ingest.answers.v1", "keyed hashes and event ids, no content", 30),
    ("clinical.blobs.v1", _SEALED, 7),
    ("privacy.vault.v1", _VAULT, COMPACTED),
    ("clinical.deidentified.v1", _PSEUDONYM, 30),
    ("clinical.deidentified.v1.rejected", _REFUSED, 30),
    ("care.relations.v1", _PSEUDONYM, COMPACTED),
    ("care.relations.v1.rejected", _REFUSED, 30),
    ("identity.merged.v1", _PSEUDONYM, COMPACTED),
    ("identity.merged.v1.rejected", _REFUSED, 30),
    ("clinical.state.v1", _PSEUDONYM, COMPACTED),
    ("clinical.assessed.v1", _PSEUDONYM, 30),
    ("clinical.assessed.v1.rejected", _REFUSED, 30),
    ("clinical.current.v1", _PSEUDONYM, COMPACTED),
    ("clinical.current.v1.rejected", _REFUSED, 30),
    ("clinical.reviewed.v1", "decisions with a coded reason, under the token", 3650),
    ("clinical.reviewed.v1.rejected", _REFUSED, 3650),
    ("audit.v1", "who looked, when and why, under the token", 2190),
)


def expiries(finished_at_ms: int, sealed_until_ms: int) -> tuple[Expiry, ...]:
    """Return what every topic still holds of a person and until when.

    ``sealed_until_ms``: when the last sealing key is destroyed that opens an event of theirs.
    """
    return tuple(_expiry(*kept, finished_at_ms, sealed_until_ms) for kept in KEPT)


def _expiry(topic: str, holds: str, days: int, finished_at_ms: int, sealed_until_ms: int) -> Expiry:
    if holds is _SEALED:
        return Expiry(topic=topic, holds=holds, identifies=True, until_ms=sealed_until_ms, by="key")
    kept_ms = days * DAY_MS if days else COMPACTED_WITHIN_MS + TOMBSTONE_MS
    return Expiry(
        topic=topic,
        holds=holds,
        identifies=holds is _VAULT,
        until_ms=finished_at_ms + kept_ms + DAY_MS,  # the segment is a day old before it is closed
        by="retention" if days else "compaction",
    )
