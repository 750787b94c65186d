"""A refused record: a reason code and coordinates, never free text and never an identity."""

from typing import Any

import msgspec

from contracts.topic import DAY_MS, FOREVER_MS, Topic

FROM_COMPACTED_MS = 30 * DAY_MS  # a topic that is kept for ever does not keep refusals for ever


class Rejection(msgspec.Struct, frozen=True, kw_only=True):
    """Why and where one record was refused. ``partition`` and ``offset`` are -1 and ``topic`` empty
    where a message was refused at the front door (``stage`` ingest) and never was on a topic.

    ``payload`` holds the record as it was, only on a rejected topic of the same privacy class as
    its source (sealed for ``clinical.identified.v1.rejected``); elsewhere it is empty. Where it was
    too large to go along, ``payload_left`` is true: it lies at its offset while that is kept; of a
    message that the front door did not take whole, the payload holds the beginning.
    """

    schema_version: str = "1.0"
    code: str
    stage: str
    topic: str
    partition: int
    offset: int
    event_id: str = ""
    attempts: int = 1
    payload: bytes = b""
    payload_left: bool = False


def rejected(topic: Topic[Any]) -> Topic[Rejection]:
    """Return the topic where refused records of ``topic`` go: same privacy class and retention.

    The first of ``topic.consumers`` is the one that reads it as a stream, so the one that refuses.
    Every topic that is read as a stream needs this one: a refusal that cannot be written stops the
    partition, and every other write of that process with it.
    """
    return Topic(
        name=f"{topic.name}.rejected",
        event=Rejection,
        key="source key",
        producer=topic.consumers[0],
        consumers=("operators",),
        retention_ms=FROM_COMPACTED_MS if topic.retention_ms == FOREVER_MS else topic.retention_ms,
        identified=topic.identified,
    )
