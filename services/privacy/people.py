"""Who is behind an identifier, decrypted: the patient key and what is known of the person."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace

import msgspec

from contracts.vault import VaultEntry
from services.privacy import metrics
from services.privacy.identity import NOBODY, KnownIdentity, search_terms
from services.privacy.keks import KeyRing
from services.privacy.patient_keys import Kek, KeyUnreadable, PatientKey, Random

CACHED_MAX = 20_000
BOUND = "1.1"  # from this version on an identity is sealed under the key-encryption key as well

_known_decoder = msgspec.json.Decoder(KnownIdentity)
_entry_decoder = msgspec.json.Decoder(VaultEntry)
_encoder = msgspec.json.Encoder()


@dataclass(frozen=True)
class Person:
    """One identifier's person. ``version`` 0: not written to the vault yet.

    What ingest received up to ``since_ms`` is of somebody who was erased. ``kek_id``: what wraps
    the key as written.
    """

    link: str
    key: PatientKey
    known: KnownIdentity
    version: int
    kek_id: str = ""
    since_ms: int = 0
    legal_hold: bool = False

    def knowing(self, known: KnownIdentity) -> "Person":
        """Return this person with another identity."""
        return self if known is self.known else replace(self, known=known)


class PeopleCodec:
    """Seals and opens vault entries. Keeps the people seen last, in memory only."""

    def __init__(self, ring: KeyRing, index_key: bytes, random_bytes: Random) -> None:
        """Keep the keys."""
        self.ring = ring
        self._index_key = index_key
        self._random_bytes = random_bytes
        self._opened: OrderedDict[str, tuple[bytes, Person]] = OrderedDict()

    def mint(self, link: str, since_ms: int = 0) -> Person:
        """Return a person with a new random key."""
        key = PatientKey(self._random_bytes(32))
        return Person(link, key, NOBODY, version=0, since_ms=since_ms)

    def seal(self, person: Person) -> bytes:
        """Return the next version of the person's vault entry, as on the topic, under the
        key-encryption key of now. The token is not told: old bytes must not lead to it.
        """
        kek, link = self.ring.current, person.link
        plain = _encoder.encode(person.known)
        entry = VaultEntry(
            schema_version=BOUND,
            link=link,
            token="",
            kek_id=kek.id,
            wrapped_key=kek.wrap_key(person.key, link, self._random_bytes),
            identity=kek.seal_identity(person.key, plain, link, self._random_bytes),
            version=person.version + 1,
            since_ms=person.since_ms,
            legal_hold=person.legal_hold,
        )
        return _encoder.encode(entry)

    def open(self, raw: bytes, *, keeps: bool = True) -> Person:
        """Return the person in a vault entry; ``KeyUnreadable`` when it does not open. ``keeps``:
        they are among those seen last.
        """
        entry = _entry_decoder.decode(raw)
        cached = self._opened.get(entry.link)
        if cached is not None and cached[0] == raw:
            if keeps:
                self._opened.move_to_end(entry.link)
            return cached[1]
        kek = self.ring.find(entry.kek_id)
        if kek is None:
            raise KeyUnreadable
        person = _opened(entry, kek)
        if not keeps:
            return person
        self._opened[entry.link] = (raw, person)
        if len(self._opened) > CACHED_MAX:
            self._opened.popitem(last=False)
        return person

    def readable(self, raws: Iterable[bytes], *, keeps: bool = True) -> list[Person]:
        """Return the people in entries; one that does not open hides none of the others. Without
        ``keeps`` who reads them all pushes nobody out of those seen last.
        """
        people = []
        for raw in raws:
            try:
                people.append(self.open(raw, keeps=keeps))
            except KeyUnreadable:
                metrics.VAULT_UNREADABLE.inc()
        return people

    def is_destroyed(self, raw: bytes) -> bool:
        """Say whether an entry is under a key that was destroyed: it tells nothing any more."""
        return self.ring.find(_entry_decoder.decode(raw).kek_id) is None

    def is_dead(self, raw: bytes) -> bool:
        """Say whether a person's entry does not open because its key was destroyed. Raises
        ``KeyUnreadable`` where that is not known of the key: it may be found again.
        """
        try:
            self.open(raw)
        except KeyUnreadable:
            if self.is_destroyed(raw):
                return True
            raise
        return False

    def is_current(self, raw: bytes) -> bool:
        """Say whether an entry is under the key that wraps now."""
        return _entry_decoder.decode(raw).kek_id == self.ring.current.id

    def seal_record(self, name: str, plain: bytes, version: int) -> bytes:
        """Return what privacy keeps for itself under ``@name``, as on the topic."""
        kek = self.ring.current
        sealed = kek.seal_record(plain, name, self._random_bytes)
        entry = VaultEntry(
            schema_version=BOUND,
            link=name,
            token="",
            kek_id=kek.id,
            wrapped_key=b"",
            identity=sealed,
            version=version,
        )
        return _encoder.encode(entry)

    def open_record(self, raw: bytes) -> tuple[bytes, int]:
        """Return what ``seal_record`` sealed, and its version; ``KeyUnreadable``."""
        entry = _entry_decoder.decode(raw)
        kek = self.ring.find(entry.kek_id)
        if kek is None:
            raise KeyUnreadable
        return kek.open_record(entry.identity, entry.link), entry.version

    def token_of(self, link: str) -> str:
        """Return the token of a link when it is among those seen last, else ""."""
        cached = self._opened.get(link)
        return cached[1].key.token if cached else ""

    def forget(self, links: Iterable[str]) -> None:
        """Forget who is behind these links."""
        for link in links:
            self._opened.pop(link, None)

    def search_fields(self, person: Person) -> list[str]:
        """Return the blind index's fields under which the person is found."""
        kek = self.ring.current
        return [kek.field("i", self._index_key, t) for t in sorted(search_terms(person.known))]

    def name_fields(self, normalised: str) -> list[str]:
        """Return the blind index's fields of a normalised query, one for each live key."""
        return [kek.field("i", self._index_key, normalised) for kek in self.ring.live]

    def token_field(self, token: str) -> str:
        """Return the field that leads from a token to its link."""
        return self.ring.current.field("t", self._index_key, token)

    def token_fields(self, token: str) -> list[str]:
        """Return the fields that may do so, one for each live key."""
        return [kek.field("t", self._index_key, token) for kek in self.ring.live]


def _opened(entry: VaultEntry, kek: Kek) -> Person:
    link = entry.link
    key = kek.unwrap(entry.wrapped_key, link)
    if entry.schema_version == "1.0":
        plain = key.open_identity(entry.identity, link)
    else:
        plain = kek.open_identity(key, entry.identity, link)
    return Person(
        link=link,
        key=key,
        known=_known_decoder.decode(plain),
        version=entry.version,
        kek_id=entry.kek_id,
        since_ms=entry.since_ms,
        legal_hold=entry.legal_hold,
    )
