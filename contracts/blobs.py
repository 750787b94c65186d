"""clinical.blobs.v1: large parts of a message, sealed, written before their pointer."""

import msgspec

from contracts.topic import DAY_MS, Topic


class BlobPart(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a blob: ``part`` from 0 of ``parts``, in one partition, in order.

    Sealed as an ``IdentifiedEvent`` is; associated data: topic name, blob id, part, key id.
    """

    schema_version: str = "1.0"
    blob_id: str
    part: int
    parts: int
    key_id: str
    key_day: str
    wrapped_key: bytes
    nonce: bytes
    sealed: bytes

    @property
    def associated(self) -> bytes:
        """Return what the seal is bound to."""
        return associated_of(self.blob_id, self.part, self.key_id)


def associated_of(blob_id: str, part: int, key_id: str) -> bytes:
    """Return what the seal of a part is bound to."""
    return f"clinical.blobs.v1|{blob_id}|{part}|{key_id}".encode()


BLOBS = Topic(
    name="clinical.blobs.v1",
    event=BlobPart,
    key="content hash (keyed)",
    producer="ingest",
    consumers=("privacy",),
    retention_ms=7 * DAY_MS,
    identified=True,
)
