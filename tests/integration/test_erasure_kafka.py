"""Erase 1 of 20 patients under a running feed, on a real broker and a real Redis of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
from redis.asyncio import Redis

from cli.commands.keys import generate
from contracts.deidentified import DEIDENTIFIED, DeidentifiedEvent
from contracts.erasures import ErasureAnswer, Proof
from contracts.identified import IDENTIFIED, Encounter, IdentifiedBody, IdentifiedEvent
from contracts.pipeline import PIPELINE
from contracts.reidentify import FindAnswer
from plumbing.batch_writer import BatchWriter
from plumbing.clock import SystemClock
from plumbing.event_log import Output, Record
from plumbing.kafka_connection import KafkaConnection
from plumbing.kafka_log import KafkaReader
from plumbing.key_files import read_key
from services.privacy.app import Privacy, running
from services.privacy.key_files import load_privacy_keys
from services.privacy.proof import read_proof
from services.privacy.seals import Seals
from services.privacy.settings import PrivacySettings
from tests.integration.test_privacy_stage import a_person
from tests.support.brokers import KafkaServer, RedisServer, apply_topics
from tests.support.erasing import Attacker
from tests.support.privacy import Ingest
from tests.unit.privacy.builders import a_body

PATIENTS, GONE = 20, 3
WAVE_S = 0.1


def a_visit(number: int) -> IdentifiedBody:
    now_ms = SystemClock().now_ms()
    visit = Encounter(number=f"V{number}", unit="W1", status="closed")
    patient = a_person(number)
    return a_body(patient, encounter=visit, received_at_ms=now_ms, occurred_at_ms=now_ms)


@dataclass
class Site:
    """A running privacy service and a feed of all patients; of the one to erase until told."""

    keys: Path
    service: Privacy
    writer: BatchWriter
    reader: KafkaReader
    redis: "Redis"
    numbers: set[int] = field(default_factory=lambda: set(range(PATIENTS)))
    sent: dict[str, int] = field(default_factory=dict)
    sent_enough: asyncio.Event = field(default_factory=asyncio.Event)

    async def feed(self) -> None:
        ingest = Ingest(self.keys, datetime.now(UTC).date())
        while True:
            outputs = []
            for number in sorted(self.numbers):
                event_id = f"e{len(self.sent)}"
                self.sent[event_id] = number
                event = ingest.seal(a_visit(number), event_id)
                outputs.append(Output(IDENTIFIED.name, b"%d" % number, IDENTIFIED.encode(event)))
            await self.writer.write(outputs)
            if len(self.sent) >= 3 * PATIENTS:
                self.sent_enough.set()
            await asyncio.sleep(WAVE_S)

    async def records(self, *topics: str) -> list[Record]:
        """Return every record of ``topics``: nothing is compacted or expired yet."""
        found: list[Record] = []
        for topic in topics:
            for partition in await self.reader.partitions(topic):
                end = await self.reader.end_offset(topic, partition)
                async for records in self.reader.read(topic, partition, 0, end):
                    found += records
        return found

    async def out(self, *, but: int | None = None) -> dict[str, list[DeidentifiedEvent]]:
        """Return what is out, by event id, once all that was sent is; erased events are dropped."""
        wanted = {name for name, number in self.sent.items() if number != but}
        async with asyncio.timeout(30):
            while True:
                events: dict[str, list[DeidentifiedEvent]] = {}
                for record in await self.records(DEIDENTIFIED.name):
                    if record.value:
                        event = DEIDENTIFIED.decode(record.value)
                        events.setdefault(event.event_id, []).append(event)
                if wanted <= events.keys():
                    return events
                await asyncio.sleep(0.2)

    async def ask(self, path: str, secret: str, **said: object) -> bytes:
        token = read_key(self.keys / secret).hex()
        async with httpx.AsyncClient(timeout=30) as client:
            answer = await client.post(
                f"http://127.0.0.1:{self.service.http_port}/v1/{path}",
                json=said,
                headers={"Authorization": f"Bearer {token}"},
            )
        assert answer.status_code == 200, answer.text
        return answer.content

    async def find(self, number: int) -> tuple[str, ...]:
        said = {
            "query": a_person(number).ids[0].value,
            "viewer": "D1",
            "purpose": "TREAT",
            "role": "clinician",
        }
        raw = await self.ask("find", "resolve.token", **said)
        return msgspec.json.decode(raw, type=FindAnswer).tokens

    async def found_again(self) -> str:
        """Return the token under which the erased person is known, once they are."""
        async with asyncio.timeout(30):
            while True:
                for token in await self.find(GONE):
                    return token
                await asyncio.sleep(WAVE_S)

    async def erase(self, number: int) -> Proof:
        value = a_person(number).ids[0].value
        raw = await self.ask(
            "erasures/request", "erasure/request.token", viewer="O1", purpose="PATRQT", number=value
        )
        name = msgspec.json.decode(raw, type=ErasureAnswer).erasure
        await self.ask("erasures/confirm", "erasure/confirm.token", viewer="O2", erasure=name)
        async with asyncio.timeout(30):
            while True:
                raw = await self.ask(
                    "erasures/show", "erasure/request.token", viewer="O1", erasure=name
                )
                shown = msgspec.json.decode(raw, type=ErasureAnswer)
                if shown.state == "done":
                    public = load_privacy_keys(self.keys).audit.public_key()
                    return read_proof(shown.proof, public)
                await asyncio.sleep(0.1)


@asynccontextmanager
async def a_site(folder: Path, bootstrap: str, redis_url: str) -> AsyncIterator[Site]:
    keys = folder / "keys"
    generate(keys, datetime.now(UTC).date())
    apply_topics(bootstrap, partitions=3)
    settings = PrivacySettings(
        kafka_bootstrap=bootstrap,
        redis_url=redis_url,
        keys_dir=keys,
        state_dir=folder / "state",
        http_port=0,
        erasure_grace_s=1.0,
    )
    connection = KafkaConnection(bootstrap=bootstrap)
    writer, reader, stop = BatchWriter(connection), KafkaReader(connection), asyncio.Event()
    clock = SystemClock()
    redis = Redis.from_url(redis_url)
    async with running(settings, BatchWriter(connection), KafkaReader(connection), clock) as made:
        site = Site(keys, made, writer, reader, redis)
        serving = asyncio.create_task(made.run(stop))
        feeding = asyncio.create_task(site.feed())
        try:
            yield site
        finally:
            feeding.cancel()
            stop.set()
            await asyncio.wait({serving, feeding})
    for one in (writer, reader):
        await one.close()
    await redis.aclose()


async def test_erase_one_of_twenty_under_a_running_feed(
    tmp_path: Path, own_kafka: KafkaServer, own_redis: RedisServer
) -> None:
    async with a_site(tmp_path, own_kafka.bootstrap, own_redis.url) as site:
        await site.sent_enough.wait()
        before = {event.token for events in (await site.out()).values() for event in events}
        assert len(before) == PATIENTS
        site.numbers.remove(GONE)
        (token,) = await site.find(GONE)
        others = {n: await site.find(n) for n in range(PATIENTS) if n != GONE}
        proof = await site.erase(GONE)
        await asyncio.sleep(3 * WAVE_S)
        assert await site.find(GONE) == ()
        assert {n: await site.find(n) for n in range(PATIENTS) if n != GONE} == others
        site.numbers = {GONE}  # back again: a fresh key
        again = await site.found_again()
        assert again not in before
        site.numbers = set()
        out = await site.out(but=GONE)
        records = await site.records(*(topic.name for topic in PIPELINE))
        hashes = [k for k in await site.redis.keys("prv:*") if await site.redis.type(k) == b"hash"]
        held: Any = {name: await site.redis.hgetall(name) for name in hashes}
    by_number = {event.token: site.sent[name] for name, (event, *_) in out.items()}
    for name, (event, *more) in out.items():
        assert by_number[event.token] == site.sent[name]
        assert {one.token for one in more} <= {event.token}
    attacker = Attacker(site.keys, records, held)
    opened = attacker.opened()
    assert {tokens[0] for tokens in others.values()} | {again} <= opened.keys()
    assert token not in opened
    assert attacker.inner() == []
    assert not attacker.tells_token_of(a_person(GONE).ids[0], token)
    # What can still be read of that time is what the proof lists, with the day it ends.
    left = {one.topic: one for one in proof.expires if one.identifies}
    read = [r for r in records if r.topic in left and _reads(site.keys, r)]
    assert {record.topic for record in read} == {IDENTIFIED.name}
    assert left[IDENTIFIED.name].by == "key"
    identity = (a_person(GONE).names[0].family.encode(), a_person(GONE).ids[0].value.encode())
    for record in records:
        assert not any(word in (record.value or b"") for word in identity)
    assert not (site.keys / "privacy" / "kek.key").exists()


def _reads(keys: Path, record: Record) -> bool:
    """Say whether a sealed event opens with a present key and shows who was erased."""
    try:
        event = msgspec.json.decode(record.value or b"", type=IdentifiedEvent)
    except msgspec.DecodeError:
        return False
    body = Seals(keys, 7).unseal(event, SystemClock().now_ms())
    return body.patient.ids[0] == a_person(GONE).ids[0]
