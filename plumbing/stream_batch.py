"""Pure: what was fetched becomes a batch of events; what is refused becomes a rejection."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from contracts.rejection import Rejection, rejected
from contracts.topic import Topic
from plumbing.byte_gate import bytes_of
from plumbing.errors import MalformedEvent
from plumbing.event_log import Headers, Output
from plumbing.stage import Arrived, Batch
from plumbing.trace import EVENT_ID, find

SOURCE = "source"
SOURCE_PAUSED = "source_paused"
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
    """A batch, and the codes of the records that are not in it (by offset)."""

    batch: Batch[Any]
    left_out: dict[int, str]


def decode(
    topic: Topic[Any], partition: int, records: Sequence[Fetched], paused: Collection[str] = ()
) -> Decoded:
    """Return ``records`` (consecutive, at least one) as a batch of ``topic``'s events.

    Left out: what is no event, and what comes from a source that is ``paused``.
    """
    arrived: list[Arrived[Any]] = []
    left_out: dict[int, str] = {}
    for record in records:
        if paused and source_of(record) in paused:
            left_out[record.offset] = SOURCE_PAUSED
            continue
        value = record.value
        try:
            event = None if value is None else topic.decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError):
            left_out[record.offset] = "undecodable"
            continue
        arrived.append(
            Arrived(event, record.key, record.offset, tuple(record.headers), record.timestamp)
        )
    batch = Batch(topic.name, partition, records[0].offset, records[-1].offset, tuple(arrived))
    return Decoded(batch, left_out)


def rejection(
    topic: Topic[Any], partition: int, stage: str, record: Fetched, code: str, attempts: int = 1
) -> Output:
    """Return the output that refuses ``record``.

    The payload goes along only where the topic is identified: its rejected topic then is too. One
    that would be too large there stays behind: the coordinates say where it lies while it is kept.
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
    headers = tuple(record.headers)
    output = Output(bin_topic.name, record.key, bin_topic.encode(value), headers)
    try:
        bytes_of([output])
    except MalformedEvent:  # larger than Kafka takes
        bare = msgspec.structs.replace(value, payload=b"", payload_left=True)
        return Output(bin_topic.name, record.key, bin_topic.encode(bare), headers)
    return output


def source_of(record: Fetched) -> str:
    """Return who sent the record (its ``source`` header); empty when it does not say."""
    return (find(record.headers, SOURCE) or b"").decode("ascii", "replace")


@dataclass(frozen=True, slots=True)
class Tally:
    """How many records of each source there are, and how many of them are refused.

    Records of a paused source are in neither: they were not tried. ``named`` are the sources that
    said who they are; the others are counted as their partition.
    """

    seen: Counter[str]
    bad: Counter[str]
    named: set[str]


def tally(
    records: Sequence[Fetched],
    refused: Mapping[int, str],
    partition: int,
    uncounted: Collection[int] = (),
) -> Tally:
    """Count; ``refused`` has the code of each refused record, by offset. The ``uncounted`` among
    them are seen and not bad.
    """
    fallback = f"partition {partition}"
    tried = [record for record in records if refused.get(record.offset) != SOURCE_PAUSED]
    said = [source_of(record) for record in tried]
    bad = Counter(
        source or fallback
        for source, record in zip(said, tried, strict=True)
        if record.offset in refused and record.offset not in uncounted
    )
    return Tally(Counter(source or fallback for source in said), bad, {*said} - {""})


def size_of(records: Sequence[Fetched]) -> int:
    """Return about how many bytes of memory the records take."""
    return sum(
        RECORD_OVERHEAD_BYTES + len(record.value or b"") + len(record.key or b"")
        for record in records
    )
