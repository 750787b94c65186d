"""The vault: patient keys minted once, for good, and found again whatever Redis forgets.

A new key is first offered to Redis (set if absent, marked as not yet written), then written to
``privacy.vault.v1``, and used only when it is read back as written. Of two keys for one identifier
the one with the lowest offset wins; the winner is written once more so that compaction keeps it.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from redis.asyncio import Redis

from contracts.identified import Patient
from contracts.vault import VAULT, VaultEntry
from plumbing.errors import Unavailable
from plumbing.event_log import EventReader, EventWriter, Record
from services.privacy import metrics
from services.privacy.identity import NOBODY, grow, join
from services.privacy.mirror import Entry, Fields, Mirror, Raw, read_all
from services.privacy.people import PeopleCodec, Person

WRITTEN, OFFERED = b"!", b"?"
ROUNDS_MAX = 8

Wanted = Mapping[str, Sequence[Patient]]
Joins = Sequence[tuple[str, str]]
Also = Sequence[tuple[Mirror, Sequence[str]]]


class Vault:
    """Keeps people. ``codec`` holds the keys; Redis and the topic hold only what is sealed."""

    def __init__(
        self, redis: Redis, writer: EventWriter, reader: EventReader, codec: PeopleCodec
    ) -> None:
        """Wire the mirror of the vault topic."""
        self.mirror = Mirror(VAULT.name, redis, writer, reader, self._decide)
        self._redis = redis
        self._codec = codec
        self._to_repair: dict[str, bytes] = {}
        self._offering = asyncio.Lock()

    async def open(self) -> None:
        """Catch up, and write winners again that a losing key stands after."""
        await self.mirror.open()
        await self._repair()

    async def people(
        self, wanted: Wanted, joins: Joins = (), also: Also = ()
    ) -> tuple[dict[str, Person], list[list[Raw]]]:
        """Return the person of each link, grown by what the events say of them, all of it written;
        and the values asked for in ``also``, from the same round trip. Raises ``Unavailable``.
        """
        links = list(wanted)
        for _ in range(ROUNDS_MAX):
            answers = await read_all([(self.mirror, links), *also], self._redis)
            found = dict(zip(links, answers[0], strict=True))
            people = self._grown(found, wanted, joins)
            fresh = [person for link, person in people.items() if found[link] is None]
            changed = [p for link, p in people.items() if self._is_changed(p, found[link])]
            if not changed:
                return people, answers[1:]
            if fresh and not await self._offer(fresh):
                continue
            await self._save(changed)
            if all((found[person.link] or b"")[:1] == WRITTEN for person in changed):
                return people, answers[1:]  # keys as they were, identities grown
        raise Unavailable("the vault does not settle")

    async def find_tokens(self, normalised: str) -> list[str]:
        """Return the tokens under a whole, normalised name or number."""
        (found,) = await self.mirror.read([self._codec.search_field(normalised)])
        return (found or b"").decode().split()

    async def resolve(self, tokens: Sequence[str]) -> list[Person]:
        """Return the people of those tokens that are known."""
        if not tokens:
            return []
        links = await self.mirror.read([f"t:{token}" for token in tokens])
        known = [link.decode() for link in links if link]
        raws = await self.mirror.read(known) if known else []
        return [self._codec.open(raw[1:]) for raw in raws if raw]

    def token_of(self, link: str) -> str:
        """Return the token of a link seen lately, without asking; else ""."""
        return self._codec.token_of(link)

    def _grown(self, found: Mapping[str, Raw], wanted: Wanted, joins: Joins) -> dict[str, Person]:
        people = {}
        for link, patients in wanted.items():
            raw = found[link]
            person = self._codec.open(raw[1:]) if raw else self._codec.mint(link, NOBODY)
            known = person.known
            for patient in patients:
                known = grow(known, patient)
            people[link] = person.knowing(known)
        for one, other in joins:
            first, second = people[one], people[other]
            people[one] = first.knowing(join(first.known, second.known))
            people[other] = second.knowing(join(second.known, first.known))
        return people

    def _is_changed(self, person: Person, raw: Raw) -> bool:
        if raw is None or raw[:1] == OFFERED:
            return True
        return person.known != self._codec.open(raw[1:]).known

    async def _offer(self, fresh: Iterable[Person]) -> bool:
        """Offer new keys to Redis; False: somebody has a key for one of them, look again."""
        new = {person.link: person for person in fresh}
        partitions = sorted({self.mirror.partition_of(link) for link in new})
        offers = {link: OFFERED + self._codec.seal(person) for link, person in new.items()}
        # One at a time: each asks Kafka, and more than a few at once only wait for each other.
        async with self._offering:
            if not await self.mirror.is_at_end(partitions):
                return False
            if not await self.mirror.put_if_absent(offers):
                return False
        metrics.KEYS_MINTED.inc(len(new))
        return True

    async def _save(self, people: Iterable[Person]) -> None:
        entries, fields = [], []
        for person in people:
            raw = self._codec.seal(person)
            entries.append(Entry(person.link, raw))
            fields.append(self._fields(person, raw))
        await self.mirror.publish(entries, fields)
        await self._repair()

    async def _repair(self) -> None:
        winners, self._to_repair = self._to_repair, {}
        if winners:
            people = [self._codec.open(raw) for raw in winners.values()]
            entries = [Entry(link, raw) for link, raw in winners.items()]
            fields = [self._fields(p, e.value) for p, e in zip(people, entries, strict=True)]
            await self.mirror.publish(entries, fields)

    def _fields(self, person: Person, raw: bytes) -> Fields:
        token = person.key.token
        fields = [(person.link, WRITTEN + raw), (f"t:{token}", person.link.encode())]
        return fields + [(field, token.encode()) for field in self._codec.search_fields(person)]

    def _decide(self, record: Record, held: Mapping[str, Raw]) -> Fields:
        link = (record.key or b"").decode()
        current = held.get(link)
        if record.value is None:
            return [(link, b"")] if current else []
        entry = VAULT.decode(record.value)
        if current and current[:1] == WRITTEN:
            known = msgspec.json.decode(current[1:], type=VaultEntry)
            if known.wrapped_key != entry.wrapped_key:
                self._to_repair[link] = current[1:]
                return []
            if known.version > entry.version:
                return []
        return self._fields(self._codec.open(record.value), record.value)
