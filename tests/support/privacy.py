"""A privacy stage for tests: real keys in a folder, sealed events as ingest makes them."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import msgspec
from redis.asyncio import Redis

from cli.commands.keys import generate
from contracts.deidentified import DEIDENTIFIED, DeidentifiedEvent
from contracts.identified import IDENTIFIED, IdentifiedBody, IdentifiedEvent
from contracts.relations import RELATIONS
from plumbing.clock import Clock, ManualClock
from plumbing.event_log import EventReader, EventWriter
from plumbing.key_files import read_key
from plumbing.sealing import Sealer
from plumbing.stage import Arrived, Batch, Handled
from services.privacy.images import ImageDesk
from services.privacy.imaging.decoder import Decoder
from services.privacy.keks import KekStore, KeyRing
from services.privacy.key_files import load_privacy_keys
from services.privacy.links import LinkBook
from services.privacy.mirror import Mirror, last_stands
from services.privacy.people import PeopleCodec
from services.privacy.seals import Seals
from services.privacy.spans import ManyFinder
from services.privacy.stage import DeidentifyStage, Parts
from services.privacy.vault import Vault

TODAY = date(2023, 11, 14)  # the day of ManualClock
RETENTION_DAYS = 7
EVENT_S = 60.0  # for the images of an event


def make_keys(folder: Path) -> Path:
    """Make a site's keys for the day of a ``ManualClock``."""
    generate(folder, TODAY)
    return folder


class Ingest:
    """Seals bodies as ingest does. Of one event id only the first body counts downstream."""

    def __init__(self, keys: Path, day: date = TODAY) -> None:
        self.day = day.isoformat()
        public = read_key(keys / "sealing" / "public" / f"{self.day}.pub")
        self.sealer = Sealer(public, os.urandom)

    def seal(self, body: IdentifiedBody, event_id: str) -> IdentifiedEvent:
        associated = f"{IDENTIFIED.name}|{event_id}|{self.sealer.key_id}".encode()
        sealed = self.sealer.seal(msgspec.json.encode(body), associated)
        return IdentifiedEvent(
            event_id=event_id,
            event_type=body.event_type,
            source="test",
            key_id=sealed.key_id,
            key_day=self.day,
            wrapped_key=sealed.wrapped_key,
            nonce=sealed.nonce,
            sealed=sealed.ciphertext,
        )


@dataclass
class Replica:
    """One privacy process without its rim: the stage and what it works with."""

    stage: DeidentifyStage
    vault: Vault
    links: LinkBook
    relations: Mirror
    redis: Redis
    codec: PeopleCodec

    async def open(self) -> "Replica":
        await self.vault.open()
        await self.links.mirror.open()
        await self.relations.open()
        return self

    async def handle(self, events: Sequence[IdentifiedEvent], first_offset: int = 0) -> Handled:
        arrived = tuple(
            Arrived(event, b"k", first_offset + index, (), 0) for index, event in enumerate(events)
        )
        last = first_offset + len(events) - 1
        return await self.stage.handle(Batch(IDENTIFIED.name, 0, first_offset, last, arrived))


def a_replica(
    keys_folder: Path,
    redis_url: str,
    writer: EventWriter,
    reader: EventReader,
    clock: Clock | None = None,
    keks: KekStore | None = None,
    *,
    decoder: Decoder | None = None,
    tagger: ManyFinder | None = None,
) -> Replica:
    """Wire a stage on the given log and Redis; without a decoder no image passes."""
    clock = clock or ManualClock()
    keys = load_privacy_keys(keys_folder, keks=keks)
    redis = Redis.from_url(redis_url)
    codec = PeopleCodec(KeyRing(keys.keks), keys.index, os.urandom)
    vault = Vault(redis, writer, reader, codec)
    links = LinkBook(redis, writer, reader)
    relations = Mirror(RELATIONS.name, redis, writer, reader, last_stands)
    seals = Seals(keys_folder, RETENTION_DAYS)
    parts = Parts(
        seals=seals,
        vault=vault,
        links=links,
        relations=relations,
        link_key=keys.link,
        staff_key=keys.staff,
        clock=clock,
        random_bytes=os.urandom,
        tagger=tagger,
        images=ImageDesk(reader, seals, decoder, clock, EVENT_S) if decoder else None,
    )
    return Replica(DeidentifyStage(parts), vault, links, relations, redis, codec)


def events_of(handled: Handled) -> list[DeidentifiedEvent]:
    """Return the de-identified events of a batch."""
    return [
        DEIDENTIFIED.decode(output.value)
        for output in handled.outputs
        if output.topic == DEIDENTIFIED.name and output.value is not None
    ]
