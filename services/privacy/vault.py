"""The vault: patient keys minted once, for good, and found again whatever Redis forgets.

A new key is first offered to Redis (set if absent, marked as not yet written), then written to
``privacy.vault.v1``, and used only when it is read back as written. Of two keys for one identifier
the one with the lowest offset wins; it is written once more so that compaction keeps it.

Who was erased leaves a mark (``x`` and when): what ingest received before belongs to nobody, and
what comes later gets a new key.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from redis.asyncio import Redis

from contracts.identified import Patient
from contracts.vault import VAULT
from plumbing.errors import Unavailable
from plumbing.event_log import EventReader, EventWriter
from services.privacy import metrics
from services.privacy.folding import term
from services.privacy.identity import grow, join, record_number
from services.privacy.mirror import Entry, Mirror, Raw, read_all
from services.privacy.patient_keys import KeyUnreadable
from services.privacy.people import PeopleCodec, Person
from services.privacy.vault_records import (
    ERASED_AT,
    GONE,
    OFFERED,
    RECORDS,
    WRITTEN,
    VaultRecords,
    is_of,
    is_person,
)

ROUNDS_MAX = 8
SAMPLE = 200  # entries looked at on start

Said = tuple[Patient, int]
"""What an event says of its patient, and when ingest received it (Unix ms)."""
Wanted = Mapping[str, Sequence[Said]]
Joins = Sequence[tuple[str, str]]
Also = Sequence[tuple[Mirror, Sequence[str]]]


class Vault:
    """Keeps people. ``codec`` holds the keys; Redis and the topic hold only what is sealed."""

    def __init__(
        self, redis: Redis, writer: EventWriter, reader: EventReader, codec: PeopleCodec
    ) -> None:
        """Wire the mirror of the vault topic."""
        self._records = VaultRecords(codec)
        decide, again = self._records.decide, self._records.again
        self.mirror = Mirror(VAULT.name, redis, writer, reader, decide, again)
        self._redis = redis
        self._codec = codec
        self._offering = asyncio.Lock()

    async def open(self) -> None:
        """Catch up. Raises ``KeyUnreadable`` when nothing of what is there opens with the keys that
        are here.
        """
        await self.mirror.open()
        await self._require_keys()

    async def people(
        self, wanted: Wanted, joins: Joins = (), also: Also = ()
    ) -> tuple[dict[str, Person], list[list[Raw]]]:
        """Return the person of each link, grown by what the events say of them, all of it written;
        and the values asked for in ``also``, from the same round trip. A link is left out when all
        that is said of it is of somebody who was erased. Raises ``Unavailable``.
        """
        links = list(wanted)
        for _ in range(ROUNDS_MAX):
            answers = await read_all([(self.mirror, links), *also], self._redis)
            held = dict(zip(links, answers[0], strict=True))
            found = {link: None if self._is_dead(raw) else raw for link, raw in held.items()}
            people = self._grown(found, wanted, joins)
            fresh = [person for link, person in people.items() if not is_person(found[link])]
            changed = [p for link, p in people.items() if self._is_changed(p, found[link])]
            if not changed:
                return people, answers[1:]
            dead = {link: raw for link, raw in held.items() if raw and found[link] is None}
            if fresh and not await self._offer(fresh, dead):
                continue
            is_whole = await self.save(changed)
            if is_whole and all((found[one.link] or b"")[:1] == WRITTEN for one in changed):
                return people, answers[1:]  # keys as they were, identities grown
        raise Unavailable("the vault does not settle")

    async def find_tokens(self, normalised: str) -> list[str]:
        """Return the tokens under a whole, normalised name or number."""
        found = await self.mirror.read(self._codec.name_fields(normalised))
        fields = list(dict.fromkeys(word for raw in found if raw for word in raw.decode().split()))
        return [person.key.token for person in await self._behind(fields)]

    async def resolve(self, tokens: Sequence[str]) -> list[Person]:
        """Return the people of those tokens that are known."""
        if not tokens:
            return []
        fields = [field for token in tokens for field in self._codec.token_fields(token)]
        wanted = set(tokens)
        return [one for one in await self._behind(fields) if one.key.token in wanted]

    async def find_numbers(self, normalised: str) -> list[str]:
        """Return the tokens of those who are known by this whole, normalised number. Only where
        nobody is: of those of whom a message gave it beside their own.

        After an unlink the other's number still stands beside the own of whom it was linked with.
        """
        found = await self.resolve(await self.find_tokens(normalised)) if normalised else []
        given = [p for p in found if any(term(i.value) == normalised for i in p.known.ids)]
        own = [p for p in given if term(record_number(p.known)) == normalised]
        return [person.key.token for person in own or given]

    async def hold(self, links: Sequence[str], *, hold: bool) -> None:
        """Put people under legal hold or end that; returns when it reads back so."""
        await self.change(links, lambda person: replace(person, legal_hold=hold))

    async def change(self, links: Sequence[str], make: Callable[[Person], Person]) -> None:
        """Have ``make`` change people, and again what others write meanwhile, until all that is
        read back is as it makes them. Raises ``Unavailable``.
        """
        for _ in range(ROUNDS_MAX):
            due = []
            for raw in await self.mirror.read(links):
                if raw is None or not is_person(raw) or self._is_dead(raw):
                    continue
                person = self._codec.open(raw[1:])
                made = make(person)
                if made != person or raw[:1] != WRITTEN:
                    due.append(made)
            if not due:
                return
            await self.save(due)
        raise Unavailable("the vault does not settle")

    async def _behind(self, fields: Sequence[str]) -> list[Person]:
        """Return the people to whom token fields lead."""
        found = await self.mirror.read(fields) if fields else []
        links = list(dict.fromkeys(link.decode() for link in found if link))
        raws = await self.mirror.read(links) if links else []
        return self._readable(raws)

    async def _require_keys(self) -> None:
        some = await self.mirror.some(SAMPLE)
        raws = [raw for field, raw in some if raw[:1] == WRITTEN and field[:1] != RECORDS]
        if raws and not self._readable(raws):
            raise KeyUnreadable

    def readable(self, raws: Iterable[bytes]) -> list[Person]:
        """Return the people in entries that open, for who reads all entries."""
        return self._codec.readable(raws, keeps=False)

    def _readable(self, raws: Iterable[Raw]) -> list[Person]:
        people = [raw[1:] for raw in raws if raw is not None and is_person(raw)]
        return self._codec.readable(people)

    async def save(self, people: Iterable[Person]) -> bool:
        """Write people as they are now, under the key-encryption key of now; False: another may
        have written one of them meanwhile, so look again what stands.
        """
        entries, fields = [], []
        for person in people:
            raw = self._codec.seal(person)
            entries.append(Entry(person.link, raw, version=person.version + 1))
            fields.append(self._records.fields(person, raw))
        return await self.mirror.publish(entries, fields)

    async def erase(self, people: Sequence[Person], at_ms: int) -> None:
        """Put a tombstone and a mark in the place of people. Raises ``Unavailable``."""
        if not people:
            return
        headers = ((ERASED_AT, str(at_ms).encode()),)
        entries = [Entry(person.link, None, headers) for person in people]
        await self.mirror.publish(entries, [self._records.gone(person, at_ms) for person in people])
        self._codec.forget([person.link for person in people])

    async def wrap_anew(self, links: Sequence[str]) -> int:
        """Write entries as they are under the key-encryption key of now; return how many."""
        raws = await self.mirror.read(links)
        entries = [
            entry
            for link, raw in zip(links, raws, strict=True)
            if raw is not None and is_person(raw)
            if (entry := self._records.again(link, raw[1:])) is not None
        ]
        await self.mirror.append(entries)
        return len(entries)

    async def holds(self, links: Sequence[str], tokens: Collection[str]) -> bool:
        """Say whether one of these links has one of these tokens."""
        raws = await self.mirror.read(links)
        alive = [raw for raw in raws if raw and is_person(raw) and not self._is_dead(raw)]
        people = [self._codec.open(raw[1:]) for raw in alive]
        return any(person.key.token in tokens for person in people)

    async def record(self, name: str) -> tuple[bytes, int]:
        """Return what privacy remembers under ``@name``, and its version (0: nothing)."""
        (raw,) = await self.mirror.read([name])
        return self._codec.open_record(raw[1:]) if raw else (b"", 0)

    async def keep_record(self, name: str, plain: bytes, version: int) -> None:
        """Remember ``plain`` under ``@name`` as ``version``."""
        raw = self._codec.seal_record(name, plain, version)
        await self.mirror.publish([Entry(name, raw)], [[(name, WRITTEN + raw)]])

    def token_of(self, link: str) -> str:
        """Return the token of a link seen lately, without asking; else ""."""
        return self._codec.token_of(link)

    def _grown(self, found: Mapping[str, Raw], wanted: Wanted, joins: Joins) -> dict[str, Person]:
        people = {}
        for link, said in wanted.items():
            raw = found[link] or b""
            if is_person(raw):
                person = self._codec.open(raw[1:])
            else:
                person = self._codec.mint(link, int(raw[1:] or 0))
            patients = [patient for patient, at_ms in said if is_of(person, at_ms)]
            if not patients:
                continue
            known = person.known
            for patient in patients:
                known = grow(known, patient)
            people[link] = person.knowing(known)
        for one, other in joins:
            if one not in people or other not in people:
                continue
            first, second = people[one], people[other]
            people[one] = first.knowing(join(first.known, second.known))
            people[other] = second.knowing(join(second.known, first.known))
        return people

    def _is_changed(self, person: Person, raw: Raw) -> bool:
        if raw is None or raw[:1] != WRITTEN:
            return True
        return person.known != self._codec.open(raw[1:]).known

    def _is_dead(self, raw: Raw) -> bool:
        """Say whether a value is of who was erased, from a dump of Redis older than all records."""
        return raw is not None and is_person(raw) and self._codec.is_dead(raw[1:])

    async def _offer(self, fresh: Iterable[Person], dead: Mapping[str, bytes]) -> bool:
        """Offer new keys to Redis, in the place of ``dead`` ones too; False: somebody has a key for
        one of them, look again.
        """
        new = {person.link: person for person in fresh}
        partitions = sorted({self.mirror.partition_of(link) for link in new})
        offers = {link: OFFERED + self._codec.seal(person) for link, person in new.items()}
        # One at a time: each asks Kafka, and more than a few at once only wait for each other.
        async with self._offering:
            if not await self.mirror.is_at_end(partitions):
                return False
            if not await self.mirror.put_if_absent(offers, GONE, dead):
                return False
        metrics.KEYS_MINTED.inc(len(new))
        return True
