"""Does every accepted event have exactly one visible result? Counted from the topics themselves.

``gather`` reads what ingest accepted, what was refused on the way and what the gateway shows;
``reconcile`` is pure arithmetic over it.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from contracts.assessed import ASSESSED
from contracts.deidentified import DEIDENTIFIED
from contracts.identified import IDENTIFIED
from contracts.rejection import rejected
from plumbing.event_log import EventReader, Record, whole_topic
from plumbing.kafka_connection import KafkaConnection
from plumbing.kafka_reader import KafkaReader
from services.gateway.read_model import ReadModel

NON_CLINICAL = "non_clinical"
EXAMPLES_MAX = 10


class Named(msgspec.Struct):
    """The few fields that accounting needs of any event or rejection; the rest is not decoded."""

    event_id: str = ""
    event_type: str = ""
    code: str = ""


@dataclass(frozen=True)
class Seen:
    """What was found: event types by accepted id, reason codes by refused id, and visible ids.

    ``visible_entries`` is the number of results the read model holds, twice-held ids twice.
    ``scored`` counts records on ``clinical.assessed.v1`` by id: more than one is a redelivery that
    the gateway absorbs, and no fault.
    """

    accepted: Mapping[str, str]
    refused: Mapping[str, str]
    scored: Mapping[str, int]
    visible: frozenset[str]
    visible_entries: int


@dataclass(frozen=True)
class Reconciliation:
    """The outcome, in distinct event ids.

    ``lost`` are accepted clinical events neither visible nor refused; ``doubled`` are surplus
    results in the read model; ``unknown`` are visible but not accepted (or not clinical).
    """

    accepted: int
    non_clinical: int
    visible: int
    lost: int
    doubled: int
    unknown: int
    redelivered: int
    refused: Mapping[str, int] = field(default_factory=dict)
    lost_examples: tuple[str, ...] = ()

    @property
    def balanced(self) -> bool:
        """Return whether accepted = visible + non-clinical + refused, each exactly once."""
        accounted = self.visible + self.non_clinical + sum(self.refused.values())
        return self.accepted == accounted and self.doubled == 0 and self.unknown == 0


def reconcile(seen: Seen) -> Reconciliation:
    """Return the balance of what was seen."""
    clinical = {event for event, kind in seen.accepted.items() if kind != NON_CLINICAL}
    missing = clinical - seen.visible
    lost = sorted(missing - set(seen.refused))
    return Reconciliation(
        accepted=len(seen.accepted),
        non_clinical=len(seen.accepted) - len(clinical),
        visible=len(clinical & seen.visible),
        lost=len(lost),
        doubled=seen.visible_entries - len(seen.visible),
        unknown=len(seen.visible - clinical),
        redelivered=sum(count - 1 for count in seen.scored.values()),
        refused=dict(Counter(seen.refused[event] for event in missing & set(seen.refused))),
        lost_examples=tuple(lost[:EXAMPLES_MAX]),
    )


async def gather(reader: EventReader, read_model: ReadModel) -> Seen:
    """Read the topics from their start to their end of now, then the read model."""
    accepted = {one.event_id: one.event_type async for one in _named(reader, IDENTIFIED.name)}
    refused: dict[str, str] = {}
    for topic in (rejected(IDENTIFIED), rejected(DEIDENTIFIED), rejected(ASSESSED)):
        async for one in _named(reader, topic.name):
            refused[one.event_id] = one.code
    scored: Counter[str] = Counter()
    async for one in _named(reader, ASSESSED.name):
        scored[one.event_id] += 1
    partitions = len(await reader.partitions(ASSESSED.name))
    visible = await read_model.visible_event_ids(partitions)
    entries, _, _ = await read_model.counts(partitions)
    return Seen(accepted, refused, scored, frozenset(visible), entries)


async def settle(
    bootstrap: str, redis_url: str, *, quiet_s: float = 20.0, pause_s: float = 0.5
) -> Reconciliation:
    """Return the balance once it is even, or when nothing has moved for ``quiet_s``."""
    reader = KafkaReader(KafkaConnection(bootstrap=bootstrap))
    read_model = ReadModel.at(redis_url)
    loop = asyncio.get_running_loop()
    try:
        found = reconcile(await gather(reader, read_model))
        moved_at = loop.time()
        while not found.balanced and loop.time() - moved_at < quiet_s:
            await asyncio.sleep(pause_s)
            before, found = found, reconcile(await gather(reader, read_model))
            if found != before:
                moved_at = loop.time()
        return found
    finally:
        await reader.close()
        await read_model.close()


async def _named(reader: EventReader, topic: str) -> AsyncIterator[Named]:
    decoder = msgspec.json.Decoder(Named)
    async for records in whole_topic(reader, topic):
        for one in _decoded(decoder, records):
            yield one


def _decoded(decoder: "msgspec.json.Decoder[Named]", records: Iterable[Record]) -> list[Named]:
    found = []
    for record in records:
        if record.value is not None:
            one = decoder.decode(record.value)
            if not one.event_id:  # refused before it could be decoded: its header still names it
                one.event_id = dict(record.headers).get("event_id", b"").decode()
            found.append(one)
    return found
