"""The vault: patient keys minted once, for good, and found again whatever Redis forgets.

A new key is first offered to Redis (set if absent, marked as not yet written), then written to
``privacy.vault.v1``, and used only when it is read back as written. Of two keys for one identifier
the one with the lowest offset wins; the winner is written once more so that compaction keeps it.

Who was erased leaves a mark (``x`` and when): what ingest received before belongs to nobody, and
what comes later gets a new key.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

import msgspec
from redis.asyncio import Redis

from contracts.identified import Patient
from contracts.vault import VAULT, VaultEntry
from plumbing.errors import Unavailable
from plumbing.event_log import EventReader, EventWriter, Record
from services.privacy import metrics
from services.privacy.folding import term
from services.privacy.identity import grow, join
from services.privacy.mirror import Entry, Fields, Mirror, Raw, read_all
from services.privacy.patient_keys import KeyUnreadable
from services.privacy.people import PeopleCodec, Person

WRITTEN, OFFERED, GONE = b"!", b"?", b"x"
ERASED_AT = "erased_at"
RECORDS = "@"  # what begins so is no link but something that privacy remembers
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
        self.mirror = Mirror(VAULT.name, redis, writer, reader, self._decide)
        self._redis = redis
        self._codec = codec
        self._to_repair: dict[str, bytes] = {}
        self._offering = asyncio.Lock()

    async def open(self) -> None:
        """Catch up, and write winners again that a losing key stands after. Raises
        ``KeyUnreadable`` when nothing of what is there opens with the keys that are here.
        """
        await self.mirror.open()
        await self._require_keys()
        await self._repair()

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
            found = dict(zip(links, answers[0], strict=True))
            people = self._grown(found, wanted, joins)
            fresh = [person for link, person in people.items() if not is_person(found[link])]
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
        """Return the tokens whose own identifier is this whole, normalised number."""
        found = await self.resolve(await self.find_tokens(normalised)) if normalised else []
        return [p.key.token for p in found if any(term(i.value) == normalised for i in p.known.ids)]

    async def hold(self, links: Sequence[str], *, hold: bool) -> None:
        """Put people under legal hold or end that."""
        raws = await self.mirror.read(links)
        people = [self._codec.open(raw[1:]) for raw in raws if raw is not None and is_person(raw)]
        await self._save(
            [replace(one, legal_hold=hold) for one in people if one.legal_hold != hold]
        )

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

    def _readable(self, raws: Iterable[Raw]) -> list[Person]:
        people = [raw[1:] for raw in raws if raw is not None and is_person(raw)]
        return self._codec.readable(people)

    async def save(self, people: Iterable[Person]) -> None:
        """Write people as they are now, under the key-encryption key of now."""
        await self._save(people)

    async def erase(self, people: Sequence[Person], at_ms: int) -> None:
        """Put a tombstone and a mark in the place of people. Raises ``Unavailable``."""
        if not people:
            return
        headers = ((ERASED_AT, str(at_ms).encode()),)
        entries = [Entry(person.link, None, headers) for person in people]
        await self.mirror.publish(entries, [self._gone(person, at_ms) for person in people])
        self._codec.forget([person.link for person in people])

    async def wrap_anew(self, links: Sequence[str]) -> int:
        """Write entries as they are under the key-encryption key of now; return how many.

        The version stays: who has written a newer one meanwhile is not overruled by this.
        """
        raws = await self.mirror.read(links)
        entries = [
            Entry(link, self._wrapped_anew(link, raw[1:]))
            for link, raw in zip(links, raws, strict=True)
            if raw is not None and is_person(raw)
        ]
        await self.mirror.append(entries)
        await self._repair()
        return len(entries)

    def _wrapped_anew(self, link: str, raw: bytes) -> bytes:
        if link.startswith(RECORDS):
            return self._codec.seal_record(link, *self._codec.open_record(raw))
        person = self._codec.open(raw)
        return self._codec.seal(replace(person, version=person.version - 1))

    async def holds(self, links: Sequence[str], tokens: Collection[str]) -> bool:
        """Say whether one of these links has one of these tokens."""
        raws = await self.mirror.read(links)
        people = [self._codec.open(raw[1:]) for raw in raws if raw is not None and is_person(raw)]
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

    async def _offer(self, fresh: Iterable[Person]) -> bool:
        """Offer new keys to Redis; False: somebody has a key for one of them, look again."""
        new = {person.link: person for person in fresh}
        partitions = sorted({self.mirror.partition_of(link) for link in new})
        offers = {link: OFFERED + self._codec.seal(person) for link, person in new.items()}
        # One at a time: each asks Kafka, and more than a few at once only wait for each other.
        async with self._offering:
            if not await self.mirror.is_at_end(partitions):
                return False
            if not await self.mirror.put_if_absent(offers, GONE):
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
            people = [raw for link, raw in winners.items() if not link.startswith(RECORDS)]
            await self._save([self._codec.open(raw) for raw in people])

    def _fields(self, person: Person, raw: bytes) -> Fields:
        by_token = self._codec.token_field(person.key.token)
        fields = [(person.link, WRITTEN + raw), (by_token, person.link.encode())]
        return fields + [(name, by_token.encode()) for name in self._codec.search_fields(person)]

    def _gone(self, person: Person, at_ms: int) -> Fields:
        fields = self._codec.token_fields(person.key.token)
        return [(person.link, GONE + str(at_ms).encode()), *((field, b"") for field in fields)]

    def _decide(self, record: Record, held: Mapping[str, Raw]) -> Fields:
        link = (record.key or b"").decode()
        current = held.get(link) or b""
        if record.value is None:
            return self._decide_gone(record, link, current)
        entry = VAULT.decode(record.value)
        if self._codec.is_destroyed(record.value):
            # Old bytes, or written by one who had not heard that the key is gone.
            if current[:1] == WRITTEN:
                self._to_repair[link] = current[1:]
            return []
        if current[:1] == WRITTEN:
            known = msgspec.json.decode(current[1:], type=VaultEntry)
            if not self._same_key(known, entry, current[1:], record.value):
                self._to_repair[link] = current[1:]
                return []
            if known.version > entry.version:
                self._to_repair[link] = current[1:]  # so that compaction keeps the newer
                return []
        if link.startswith(RECORDS):
            return [(link, WRITTEN + record.value)]
        return self._fields(self._codec.open(record.value), record.value)

    def _decide_gone(self, record: Record, link: str, current: bytes) -> Fields:
        at_ms = int(dict(record.headers).get(ERASED_AT, b"") or record.timestamp_ms)
        if is_person(current):
            try:
                return self._gone(self._codec.open(current[1:]), at_ms)
            except KeyUnreadable:
                pass  # its key is destroyed already
        return [(link, GONE + str(at_ms).encode())]

    def _same_key(self, known: VaultEntry, entry: VaultEntry, held: bytes, said: bytes) -> bool:
        """Say whether two entries hold one patient key, under whichever key-encryption key."""
        if known.wrapped_key == entry.wrapped_key or entry.link.startswith(RECORDS):
            return True
        if self._codec.is_destroyed(held):
            return True  # the one that was held tells nothing any more
        return self._codec.open(held).key.token == self._codec.open(said).key.token


def is_person(raw: Raw) -> bool:
    """Say whether a value of the mirror is a person: written, or offered."""
    return raw is not None and raw[:1] in {WRITTEN, OFFERED}


def is_of(person: Person, received_at_ms: int) -> bool:
    """Say whether what ingest received then is of this person, not of one who was erased."""
    return not person.since_ms or received_at_ms > person.since_ms
