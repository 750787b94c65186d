"""ingest.answers.v1: what a sender was answered, so that a resend gets the same."""

import msgspec

from contracts.topic import DAY_MS, Topic


class StoredAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one message: keyed content hash, the code (AA, AE, AR), its event ids.

    ``earlier`` has the hashes of other contents that came under the same key and were accepted, the
    newest last: compaction keeps one record of a key, and their resends must be known as well.
    """

    schema_version: str = "1.0"
    content_hash: str
    code: str
    event_ids: tuple[str, ...]
    earlier: tuple[str, ...] = ()


ANSWERS = Topic(
    name="ingest.answers.v1",
    event=StoredAnswer,
    key="HMAC(source, control id)",
    producer="ingest",
    consumers=("ingest",),
    retention_ms=30 * DAY_MS,
    partitions=1,  # small records; each further one costs every group a batch and a marker
    cleanup="compact",
    identified=True,
)
