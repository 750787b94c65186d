"""An eraser for tests, and who tries to find an erased person with every byte and present key."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from contracts.identified import PatientId
from contracts.vault import VAULT
from plumbing.clock import Clock
from plumbing.event_log import EventReader, EventWriter, Output, Record
from services.privacy.erasing import Eraser
from services.privacy.erasure_book import ErasureBook
from services.privacy.folding import term
from services.privacy.keks import KekStore
from services.privacy.key_files import load_privacy_keys
from services.privacy.patient_keys import Kek, KeyUnreadable, PatientKey, link_of
from services.privacy.rewrap import Rewrap
from tests.support.privacy import Replica, a_replica


class Killed(BaseException):
    """What `kill -9` is to a step."""


@dataclass
class Fuel:
    """``kill -9`` after so many steps; None: never. ``used`` counts them."""

    steps: int | None = None
    used: int = 0

    def step(self) -> None:
        if self.steps is not None and self.used >= self.steps:
            raise Killed
        self.used += 1


@dataclass
class FuelledWriter:
    """A writer that is killed before or after a write."""

    writer: EventWriter
    fuel: Fuel

    async def write(self, outputs: Sequence[Output]) -> tuple[int, ...]:
        self.fuel.step()
        offsets = await self.writer.write(outputs)
        self.fuel.step()
        return offsets

    async def close(self) -> None:
        await self.writer.close()


@dataclass
class FuelledKeks:
    """A store of keys that is killed before or after a change."""

    store: KekStore
    fuel: Fuel

    def state(self) -> object:
        return self.store.state()

    def load(self) -> Any:
        return self.store.load()

    def can_change(self) -> bool:
        return self.store.can_change()

    def make(self) -> str:
        self.fuel.step()
        kek_id = self.store.make()
        self.fuel.step()
        return kek_id

    def destroy(self, kek_id: str) -> int:
        self.fuel.step()
        until_ms = self.store.destroy(kek_id)
        self.fuel.step()
        return until_ms


def an_eraser(
    keys: Path,
    redis_url: str,
    writer: EventWriter,
    reader: EventReader,
    clock: Clock,
    fuel: Fuel | None = None,
    *,
    keks: KekStore | None = None,
) -> tuple[Replica, Eraser]:
    """Return a replica and its eraser, which waits for nobody."""
    fuel = fuel or Fuel()
    fuelled = FuelledWriter(writer, fuel)
    replica = a_replica(keys, redis_url, fuelled, reader, clock, keks)
    replica.codec.ring.store = FuelledKeks(replica.codec.ring.store, fuel)
    eraser = Eraser(
        book=ErasureBook(replica.vault, replica.codec, replica.redis),
        vault=replica.vault,
        links=replica.links,
        relations=replica.relations,
        stage=replica.stage,
        rewrap=Rewrap(replica.vault, replica.codec, reader, clock, grace_s=0),
        writer=fuelled,
        reader=reader,
        redis=replica.redis,
        clock=clock,
        key=load_privacy_keys(keys, keks=keks).audit,
        sealed_days=7,
    )
    return replica, eraser


@dataclass
class Attacker:
    """Has every record that was ever written, all of Redis, and the keys that exist now."""

    keys: Path
    records: Sequence[Record]
    redis: dict[bytes, dict[bytes, bytes]] = field(default_factory=dict)
    keks: KekStore | None = None

    def opened(self) -> dict[str, bytes]:
        """Return what opens of the vault's old bytes: token to identity as JSON."""
        found: dict[str, bytes] = {}
        values = [r.value for r in self.records if r.topic == VAULT.name and r.value]
        held = [v for fields in self.redis.values() for v in fields.values()]
        values += [value[1:] for value in held if value[:1] in {b"!", b"?"}]
        for value, kek in itertools.product(values, self._keks()):
            entry = VAULT.decode(value)
            for key in _unwrapped(kek, entry.wrapped_key, entry.link):
                plain = b""
                for read in (kek.open_identity, _without_kek):
                    try:
                        plain = read(key, entry.identity, entry.link)
                    except KeyUnreadable:
                        continue
                found[key.token] = plain
        return found

    def remembered(self) -> bytes:
        """Return all that opens of what privacy keeps for itself."""
        found = b""
        for record in self.records:
            if record.topic == VAULT.name and record.value and (record.key or b"")[:1] == b"@":
                entry = VAULT.decode(record.value)
                for kek in self._keks():
                    found += _record(kek, entry.identity, entry.link)
        return found

    def inner(self) -> list[bytes]:
        """Return whom the erasures in all copies of the book were about, where that opens."""
        found = []
        for book in _jsons(self.remembered()):
            for erasure in book.values():
                sealed = msgspec.json.decode(msgspec.json.encode(erasure["sealed"]), type=bytes)
                entry = VAULT.decode(sealed)
                found += [_record(kek, entry.identity, entry.link) for kek in self._keks()]
        return [one for one in found if one]

    def tells_token_of(self, identifier: PatientId, token: str) -> bool:
        """Say whether any one thing that is stored holds both the token and the keyed hash of the
        number, or of their search fields.
        """
        keys = load_privacy_keys(self.keys)
        link = link_of(keys.link, identifier).encode()
        ways = [
            (
                kek.field("i", keys.index, term(identifier.value)).encode(),
                kek.field("t", keys.index, token).encode(),
            )
            for kek in self._keks()
        ]
        things = [repr((r.key, r.value, r.headers)).encode() for r in self.records]
        things += [b"%r %r" % item for held in self.redis.values() for item in held.items()]
        ways.append((link, token.encode()))
        return any(one in thing and other in thing for thing in things for one, other in ways)

    def _keks(self) -> Iterable[Kek]:
        return load_privacy_keys(self.keys, keks=self.keks).keks.load().live


def _unwrapped(kek: Kek, wrapped: bytes, link: str) -> Iterable[PatientKey]:
    try:
        yield kek.unwrap(wrapped, link)
    except KeyUnreadable:
        return


def _without_kek(key: PatientKey, sealed: bytes, link: str) -> bytes:
    return key.open_identity(sealed, link)


def _record(kek: Kek, sealed: bytes, name: str) -> bytes:
    try:
        return kek.open_record(sealed, name)
    except KeyUnreadable:
        return b""


def _jsons(text: bytes) -> list[dict[str, Any]]:
    """Return the books among JSON documents that stand one behind the other."""
    found = []
    for piece in text.replace(b"}{", b"}\x00{").split(b"\x00"):
        try:
            read = msgspec.json.decode(piece)
        except msgspec.DecodeError:
            continue
        if all(isinstance(one, dict) and one.get("sealed") for one in read.values()):
            found.append(read)
    return found
