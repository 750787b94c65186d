"""clinical.state.v1: snapshots of what inference knows of each identifier."""

import msgspec

from contracts.topic import FOREVER_MS, Topic


class StateSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The state of one identifier through ``offset`` of its partition of deidentified.

    A record keyed ``@<partition>`` has an empty ``token`` and says: every state of this partition
    is on this topic, complete through ``offset``.
    """

    schema_version: str = "1.0"
    token: str = ""
    partition: int
    offset: int
    state: bytes = b""


STATE = Topic(
    name="clinical.state.v1",
    event=StateSnapshot,
    key="token",
    producer="inference",
    consumers=("inference",),
    retention_ms=FOREVER_MS,
    cleanup="compact",
)
