"""Who is behind an identifier, decrypted: the patient key and what is known of the person."""

from collections import OrderedDict
from dataclasses import dataclass, replace

import msgspec

from contracts.vault import VaultEntry
from services.privacy.identity import KnownIdentity, search_terms
from services.privacy.patient_keys import KeyWrap, PatientKey, Random, blind_term

CACHED_MAX = 20_000

_known_decoder = msgspec.json.Decoder(KnownIdentity)
_entry_decoder = msgspec.json.Decoder(VaultEntry)
_encoder = msgspec.json.Encoder()


@dataclass(frozen=True)
class Person:
    """One identifier's person. ``version`` 0: not written to the vault yet."""

    link: str
    key: PatientKey
    wrapped_key: bytes
    known: KnownIdentity
    version: int

    def knowing(self, known: KnownIdentity) -> "Person":
        """Return this person with another identity."""
        return self if known is self.known else replace(self, known=known)


class PeopleCodec:
    """Seals and opens vault entries. Keeps the people seen last, in memory only."""

    def __init__(self, wrap: KeyWrap, index_key: bytes, random_bytes: Random) -> None:
        """Keep the keys."""
        self._wrap = wrap
        self._index_key = index_key
        self._random_bytes = random_bytes
        self._opened: OrderedDict[str, tuple[bytes, Person]] = OrderedDict()

    def mint(self, link: str, known: KnownIdentity) -> Person:
        """Return a person with a new random key."""
        secret = self._random_bytes(32)
        wrapped = self._wrap.wrap(secret, link, self._random_bytes)
        return Person(link, PatientKey(secret), wrapped, known, version=0)

    def seal(self, person: Person) -> bytes:
        """Return the next version of the person's vault entry, as on the topic."""
        identity = person.key.seal_identity(
            _encoder.encode(person.known), person.link, self._random_bytes
        )
        entry = VaultEntry(
            link=person.link,
            token=person.key.token,
            kek_id=self._wrap.kek_id,
            wrapped_key=person.wrapped_key,
            identity=identity,
            version=person.version + 1,
        )
        return _encoder.encode(entry)

    def open(self, raw: bytes) -> Person:
        """Return the person in a vault entry; ``KeyUnreadable`` when it does not open."""
        entry = _entry_decoder.decode(raw)
        cached = self._opened.get(entry.link)
        if cached is not None and cached[0] == raw:
            self._opened.move_to_end(entry.link)
            return cached[1]
        key = self._wrap.unwrap(entry.wrapped_key, entry.link)
        known = _known_decoder.decode(key.open_identity(entry.identity, entry.link))
        person = Person(entry.link, key, entry.wrapped_key, known, entry.version)
        self._opened[entry.link] = (raw, person)
        if len(self._opened) > CACHED_MAX:
            self._opened.popitem(last=False)
        return person

    def token_of(self, link: str) -> str:
        """Return the token of a link when it is among those seen last, else ""."""
        cached = self._opened.get(link)
        return cached[1].key.token if cached else ""

    def search_fields(self, person: Person) -> list[str]:
        """Return the blind index's fields under which the person is found."""
        terms = search_terms(person.known)
        return [f"i:{blind_term(self._index_key, term)}" for term in sorted(terms)]

    def search_field(self, normalised: str) -> str:
        """Return the blind index's field of a normalised query."""
        return f"i:{blind_term(self._index_key, normalised)}"
