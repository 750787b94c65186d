"""Pure: what was fetched becomes a batch of events; what is refused becomes a rejection."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from contracts.rejection import Rejection, rejected
from contracts.topic import Topic
from plumbing.event_log import Headers, Output
from plumbing.stage import Arrived, Batch
from plumbing.trace import EVENT_ID, find

SOURCE = "source"
RECORD_OVERHEAD_BYTES = 200


class Fetched(Protocol):
    """A record as the consumer client gives it."""

    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    timestamp: int


@dataclass(frozen=True, slots=True)
class Decoded:
    """A batch, and the codes of the records of it that are no events (by offset)."""

    batch: Batch[Any]
    undecodable: dict[int, str]


def decode(topic: Topic[Any], partition: int, records: Sequence[Fetched]) -> Decoded:
    """Return ``records`` (consecutive, at least one) as a batch of ``topic``'s events."""
    arrived: list[Arrived[Any]] = []
    undecodable: dict[int, str] = {}
    for record in records:
        value = record.value
        try:
            event = None if value is None else topic.decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError):
            undecodable[record.offset] = "undecodable"
            continue
        arrived.append(
            Arrived(event, record.key, record.offset, tuple(record.headers), record.timestamp)
        )
    batch = Batch(topic.name, partition, records[0].offset, records[-1].offset, tuple(arrived))
    return Decoded(batch, undecodable)


def rejection(
    topic: Topic[Any], partition: int, stage: str, record: Fetched, code: str, attempts: int = 1
) -> Output:
    """Return the output that refuses ``record``.

    The payload goes along only where the topic is identified: its rejected topic then is too.
    """
    bin_topic = rejected(topic)
    event_id = find(tuple(record.headers), EVENT_ID) or b""
    value = Rejection(
        code=code,
        stage=stage,
        topic=topic.name,
        partition=partition,
        offset=record.offset,
        event_id=event_id.decode("ascii", "replace"),
        attempts=attempts,
        payload=(record.value or b"") if topic.identified else b"",
    )
    return Output(bin_topic.name, record.key, bin_topic.encode(value), tuple(record.headers))


def sources(records: Sequence[Fetched], partition: int) -> list[str]:
    """Return where each record came from: its ``source`` header, else its partition."""
    fallback = f"partition {partition}"
    found = (find(tuple(record.headers), SOURCE) for record in records)
    return [source.decode("ascii", "replace") if source else fallback for source in found]


def tally(records: Sequence[Fetched], refused: set[int], partition: int) -> tuple[Any, Any]:
    """Return the counts per source of the records and of those refused (by offset)."""
    names = sources(records, partition)
    bad = (name for name, r in zip(names, records, strict=True) if r.offset in refused)
    return Counter(names), Counter(bad)


def size_of(records: Sequence[Fetched]) -> int:
    """Return about how many bytes of memory the records take."""
    return sum(
        RECORD_OVERHEAD_BYTES + len(record.value or b"") + len(record.key or b"")
        for record in records
    )
