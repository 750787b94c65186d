"""Merges and unlinks in the wrong order, torn and repeated: on a real broker and a real Redis."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import pytest

from contracts.identified import IdentifiedBody, Patient
from contracts.merged import MERGED, IdentityMerged
from contracts.relations import RELATIONS
from contracts.vault import VAULT
from plumbing.errors import Unavailable
from plumbing.event_log import EventWriter, Output
from plumbing.kafka_connection import KafkaConnection
from plumbing.kafka_log import KafkaReader, KafkaWriter
from plumbing.memory_log import InMemoryLog
from services.gateway.aliases import alias_deltas, edges_of
from services.inference.links import LinkTable
from services.ingest.frames import parse_frame
from services.ingest.identity import Keys
from services.ingest.parse import SourceProfile
from services.privacy.links import LOCK
from tests.integration.test_privacy_stage import a_merge, a_person
from tests.support.brokers import KafkaServer, apply_topics
from tests.support.privacy import Ingest, Replica, a_replica, events_of, make_keys
from tests.unit.privacy.builders import a_body

NAMES = "abc"
A, B, C = (a_person(number) for number in range(3))
MERGE = a_merge(A, B, link=True, at_ms=1_000)
UNLINK = a_merge(B, A, link=False, at_ms=2_000)  # named from the other side: another partition
RELINK = a_merge(A, B, link=True, at_ms=3_000)
CHAIN = a_merge(C, B, link=True, at_ms=1_500)
TOPICS = (VAULT.name, MERGED.name, RELATIONS.name)


class Torn:
    """A writer whose process is killed between the two ends of a link, when ``torn``."""

    def __init__(self, writer: EventWriter) -> None:
        self._writer = writer
        self.torn = False
        self.before: Callable[[], Awaitable[None]] | None = None

    async def write(self, outputs: Sequence[Output]) -> tuple[int, ...]:
        about_links = outputs[0].topic == MERGED.name
        if about_links and self.torn:
            await self._writer.write(outputs[:1])
            raise Unavailable("killed, for a test")
        if about_links and self.before is not None:
            await self.before()
        return await self._writer.write(outputs)

    async def close(self) -> None:
        await self._writer.close()


class Site:
    """A log, a Redis and the replicas on them."""

    def __init__(self, keys: Path, redis_url: str, log: InMemoryLog | None, bootstrap: str) -> None:
        self._keys, self._redis_url = keys, redis_url
        connection = KafkaConnection(bootstrap=bootstrap)
        self.reader = log or KafkaReader(connection)
        self.writer = Torn(log or KafkaWriter(connection))
        self.ingest = Ingest(keys)
        self._replicas: list[Replica] = []
        self._tokens: dict[str, str] = {}

    async def replica(self) -> Replica:
        """Start a privacy process."""
        made = a_replica(self._keys, self._redis_url, self.writer, self.reader)
        self._replicas.append(made)
        return await made.open()

    async def know(self, replica: Replica) -> None:
        people = dict(zip(NAMES, (A, B, C), strict=True))
        for name, patient in people.items():
            sealed = self.ingest.seal(a_body(patient), f"known-{name}")
            self._tokens[events_of(await replica.handle([sealed]))[0].token] = name

    async def handle(self, replica: Replica, *bodies: IdentifiedBody) -> None:
        """Handle a batch; the event id is that of the content."""
        await replica.handle([self.ingest.seal(body, f"e{body.received_at_ms}") for body in bodies])

    async def records(self) -> list[IdentityMerged]:
        found = []
        for partition in await self.reader.partitions(MERGED.name):
            end = await self.reader.end_offset(MERGED.name, partition)
            async for records in self.reader.read(MERGED.name, partition, 0, end):
                found += [MERGED.decode(record.value) for record in records if record.value]
        return found

    async def links(self) -> set[str]:
        """Return the links as ``ab``, told by both ends and seen by every reader alike."""
        table = LinkTable(lambda _: 0)
        newest: dict[str, IdentityMerged] = {}
        for offset, record in enumerate(await self.records()):
            assert record.version > (newest[record.token].version if record.token in newest else 0)
            table.read(record, 0, offset)
            newest[record.token] = record
        edges = edges_of(newest)
        told = set()
        for token, record in newest.items():
            assert set(table.aliases(token)) == set(alias_deltas(token, edges))
            for link in record.links:
                assert token in {back.other for back in newest[link.other].links}
                told.add("".join(sorted((self._tokens[token], self._tokens[link.other]))))
        return told

    async def empty_redis(self) -> None:
        await self._replicas[0].redis.flushall()

    async def close(self) -> None:
        for replica in self._replicas:
            await replica.redis.aclose()
        await self.writer.close()
        await self.reader.close()


@pytest.fixture
async def kafka_site(tmp_path: Path, own_kafka: KafkaServer, redis_url: str) -> AsyncIterator[Site]:
    apply_topics(own_kafka.bootstrap)
    site = Site(make_keys(tmp_path / "keys"), redis_url, None, own_kafka.bootstrap)
    yield site
    await site.close()


@pytest.fixture
async def site(tmp_path: Path, redis_url: str) -> AsyncIterator[Site]:
    site = Site(make_keys(tmp_path / "keys"), redis_url, InMemoryLog(TOPICS), "")
    yield site
    await site.close()


async def test_an_unlink_that_overtakes_its_merge_holds_on_a_real_broker(kafka_site: Site) -> None:
    site = kafka_site
    replica = await site.replica()
    await site.know(replica)
    await site.handle(replica, CHAIN)
    await site.handle(replica, UNLINK)
    assert await site.links() == {"bc"}
    await site.empty_redis()
    await site.handle(replica, MERGE)  # nothing but the topic remembers that this was undone
    assert await site.links() == {"bc"}
    site.writer.torn = True
    with pytest.raises(Unavailable):
        await site.handle(replica, RELINK)
    site.writer.torn = False
    await site.empty_redis()
    other = await site.replica()
    await site.handle(other, RELINK)
    assert await site.links() == {"ab", "bc"}
    count = len(await site.records())
    for body in (MERGE, UNLINK, RELINK, CHAIN):
        await site.handle(replica, body)
    await site.handle(other, UNLINK, MERGE)
    assert len(await site.records()) == count


@pytest.mark.parametrize("emptied", [False, True])
@pytest.mark.parametrize("is_first", [False, True])
async def test_what_a_kill_between_the_two_ends_left_is_completed(
    site: Site, *, emptied: bool, is_first: bool
) -> None:
    replica = await site.replica()
    await site.know(replica)
    if not is_first:
        await site.handle(replica, MERGE, CHAIN)
    site.writer.torn = True
    with pytest.raises(Unavailable):
        await site.handle(replica, UNLINK)
    site.writer.torn = False
    if emptied:
        await site.empty_redis()
    await site.handle(await site.replica(), UNLINK)
    await site.handle(replica, MERGE, CHAIN)
    assert await site.links() == {"bc"}


async def test_replicas_that_both_hold_the_lock_lose_nothing(site: Site) -> None:
    slow, fast = await site.replica(), await site.replica()
    await site.know(slow)
    has_read, goes_on = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        site.writer.before = None
        has_read.set()
        await goes_on.wait()

    site.writer.before = wait
    waiting = asyncio.create_task(site.handle(slow, MERGE))
    await has_read.wait()
    await slow.redis.delete(LOCK)  # as it expires while Kafka is slow
    await site.handle(fast, CHAIN)
    goes_on.set()
    await waiting
    assert isinstance(site.reader, InMemoryLog)
    site.reader.compact(MERGED.name)
    await site.empty_redis()
    await site.handle(await site.replica(), UNLINK, RELINK)
    assert await site.links() == {"ab", "bc"}


async def test_a_merge_and_its_unlink_in_one_batch_file_keep_their_order(site: Site) -> None:
    replica = await site.replica()
    await site.know(replica)

    def message(number: int, trigger: str, pid: Patient, last: str) -> str:
        head = f"MSH|^~\\&|ADT|H|||20240501||ADT^{trigger}|{number}|P|2.5"
        return f"{head}\rEVN||20240501\rPID|||{_pid(pid)}\r{last}\r"

    raw = "".join(
        (
            message(1, "A37", A, f"PID|||{_pid(B)}"),
            message(2, "A40", B, f"MRG|{_pid(A)}"),
            message(3, "A40", B, f"MRG|{_pid(C)}"),
            message(4, "A37", C, f"PID|||{_pid(B)}"),
        )
    )
    keys = Keys(bytes(32), bytes(32))
    messages = parse_frame(raw.encode(), SourceProfile("test"), keys, 5_000, 70).messages
    events = [event for parsed in messages for event in parsed.events]
    assert [event.body.received_order for event in events] == [70, 71, 72, 73]
    for event in reversed(events):
        await replica.handle([site.ingest.seal(event.body, event.event_id)])
    assert await site.links() == {"ab"}


def _pid(patient: Patient) -> str:
    one = patient.ids[0]
    return f"{one.value}^^^{one.assigner}^{one.type}"
