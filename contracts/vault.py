"""privacy.vault.v1: the patient keys, wrapped; only privacy reads it."""

import msgspec

from contracts.topic import FOREVER_MS, Topic


class VaultEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A wrapped patient key and the sealed identity of one identifier.

    ``wrapped_key`` holds 32 random bytes, which never change, under the key-encryption key
    ``kek_id``; ``identity`` (sealed under both keys; in 1.0 under the patient key alone) is
    replaced as names and addresses change. Both are sealed anew when the key-encryption key is
    changed. ``token`` is empty since 1.1: it follows from the key. What ingest received of the
    identifier up to ``since_ms`` belongs to a person who was erased. Under ``legal_hold`` nobody is
    erased. A tombstone says that the person was erased (header ``erased_at``, Unix ms). An entry
    with the header ``again`` was there already and is written once more: it overrules another
    patient key wherever the two stand.

    An entry whose ``link`` begins with ``@`` is no patient but what privacy has to remember of
    erasures, sealed under the key-encryption key (docs/decisions/0026-erasure.md).
    """

    schema_version: str = "1.0"
    link: str
    token: str
    kek_id: str
    wrapped_key: bytes
    identity: bytes = b""
    version: int = 1
    since_ms: int = 0
    legal_hold: bool = False


VAULT = Topic(
    name="privacy.vault.v1",
    event=VaultEntry,
    key="HMAC(link, assigner + id)",
    producer="privacy",
    consumers=("privacy",),
    retention_ms=FOREVER_MS,
    cleanup="compact",
    identified=True,
)
