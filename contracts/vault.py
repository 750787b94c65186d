"""privacy.vault.v1: the patient keys, wrapped; only privacy reads it."""

import msgspec

from contracts.topic import FOREVER_MS, Topic


class VaultEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A wrapped patient key and the sealed identity of one identifier.

    ``wrapped_key`` (32 random bytes under the key-encryption key ``kek_id``) never changes for an
    entry; ``identity`` (sealed under the patient key) is replaced as names and addresses change.
    """

    schema_version: str = "1.0"
    link: str
    token: str
    kek_id: str
    wrapped_key: bytes
    identity: bytes = b""
    version: int = 1


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
