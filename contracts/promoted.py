"""models.promoted.v1: the life of each model; the offset of a promotion is its epoch."""

from typing import Literal

import msgspec

from contracts.topic import FOREVER_MS, Topic

ModelState = Literal["registered", "verifying", "warming", "shadow", "canary", "live", "retired"]


class ModelPromoted(msgspec.Struct, frozen=True, kw_only=True):
    """Model ``model`` at ``version`` (manifest digest) is now in ``state``; by whom and why.

    ``replaces_version`` and ``replaces_digest`` name what was live before: the topic is compacted,
    so a rollback finds its way back in the newest record alone.
    """

    schema_version: str = "1.0"
    model: str
    version: str
    digest: str
    state: ModelState
    by: str
    at_ms: int
    why: str = ""
    replaces_version: str = ""
    replaces_digest: str = ""


PROMOTED = Topic(
    name="models.promoted.v1",
    event=ModelPromoted,
    key="model",
    producer="cli",
    consumers=("inference",),
    retention_ms=FOREVER_MS,
    cleanup="compact",
    partitions=1,
)
