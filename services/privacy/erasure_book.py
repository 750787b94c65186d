"""Which erasures were asked for and how far they are: one sealed record on the vault topic.

Who an erasure is about is sealed once more, for itself alone, under the key-encryption key that is
destroyed with the person: no old copy of the book tells later which identifier had which token.
"""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace
from redis.asyncio import Redis
from redis.exceptions import LockError

from contracts.erasures import Basis, Others, Place, Refusal, State
from plumbing.errors import Unavailable
from services.privacy import metrics
from services.privacy.identity import KnownIdentity
from services.privacy.mirror import redis_errors
from services.privacy.patient_keys import KeyUnreadable
from services.privacy.people import PeopleCodec
from services.privacy.vault import Vault

BOOK = "@erasures"
ABOUT = "@erasure:"
PROOF = "@proof:"
LOCK = "prv:erasures:lock"
LOCK_S = 15.0
# All of the book is one record: this, sealed and in base64, is one that Kafka takes. What is asked
# for leaves room for what is being erased, and that for its tombstones.
BOOK_BYTES_MAX = 740_000
TO_ERASE, TO_FINISH = 240_000, 40_000
LINKS_MAX = 1_000
ABOUT_BYTES_MAX = 100_000  # in the book it is in base64 twice: 178,000


class BookFull(Unavailable):
    """Too much waits at once: what is finished or withdrawn makes room."""


class Told(msgspec.Struct, frozen=True):
    """What the erased person's identifiers said, and whose entries (``links``) were told of it."""

    people: tuple[KnownIdentity, ...]
    links: tuple[str, ...]


class About(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whom an erasure is about. ``told`` still has to be taken out of others' entries once more.
    ``asked``: the token it was asked for by, and what of ``others`` who share an identifier.
    """

    tokens: tuple[str, ...]
    links: tuple[str, ...]
    told: tuple[Told, ...] = ()
    asked: str = ""
    others: Others = ""


NOBODY = About((), ())


class Erasure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One erasure. ``sealed`` is an ``About``, empty when it is over. ``requested_by`` and
    ``confirmed_by`` are staff tokens. ``kek_id``: the key-encryption key that was in use when the
    person was erased, and has to go. ``others_kept``: who shares an identifier, and stays.
    """

    id: str
    state: State
    basis: Basis
    requested_by: str
    requested_at_ms: int
    sealed: bytes = b""
    identifiers: int = 0
    others_kept: int = 0
    confirmed_by: str = ""
    confirmed_at_ms: int = 0
    erased_at_ms: int = 0
    kek_id: str = ""
    tombstones: tuple[Place, ...] = ()
    refusal: Refusal = ""


Book = dict[str, Erasure]
_decoder = msgspec.json.Decoder(Book)


@dataclass(frozen=True)
class ErasureBook:
    """Reads and changes the record; changes are made one at a time, by any replica."""

    vault: Vault
    codec: PeopleCodec
    redis: Redis

    async def read(self) -> Book:
        """Return all erasures by id. Raises ``Unavailable``."""
        plain, _ = await self.vault.record(BOOK)
        return _decoder.decode(plain) if plain else {}

    async def change(self, make: Callable[[Book], None], spare: int = 0) -> Book:
        """Have ``make`` change the book as it stands, write it, and return it. What ``make`` raises
        leaves it as it was. Raises ``Unavailable``; ``BookFull`` where it would grow and not leave
        ``spare`` bytes.
        """
        lock = self.redis.lock(LOCK, timeout=LOCK_S, blocking_timeout=LOCK_S)
        try:
            async with redis_errors(), lock:
                plain, version = await self.vault.record(BOOK)
                book = _decoder.decode(plain) if plain else {}
                make(book)
                kept = msgspec.json.encode(_bounded(book, BOOK_BYTES_MAX - spare, len(plain)))
                await self.vault.keep_record(BOOK, kept, version + 1)
        except LockError as error:
            raise Unavailable("the book of erasures is locked") from error
        return book

    async def put(self, erasure: Erasure, spare: int = 0) -> None:
        """Replace one erasure; as ``change``."""
        await self.change(lambda book: book.update({erasure.id: erasure}), spare)

    async def seal_waiting_anew(self) -> None:
        """Seal whom the erasures are about of which nothing is written yet under the key of now,
        before older keys are destroyed.
        """

        def make(book: Book) -> None:
            for one in book.values():
                if not _is_waiting(one):
                    continue
                about = self.readable(one)
                if about is None:
                    book[one.id] = replace(finished(one, "refused"), refusal="unreadable")
                    metrics.ERASURES.labels("refused").inc()
                else:
                    book[one.id] = replace(one, sealed=self.seal_about(one.id, about))

        if any(_is_waiting(one) for one in (await self.read()).values()):
            await self.change(make)

    def seal_about(self, erasure: str, about: About) -> bytes:
        """Return whom an erasure is about, sealed under the key-encryption key of now."""
        plain = msgspec.json.encode(about)
        if len(plain) > ABOUT_BYTES_MAX:
            plain = msgspec.json.encode(_numbers_and_names(about))
        return self.codec.seal_record(ABOUT + erasure, plain, 1)

    def about(self, erasure: Erasure) -> About:
        """Return whom an erasure is about; nobody when it is over. Raises ``KeyUnreadable``."""
        if not erasure.sealed:
            return NOBODY
        plain, _ = self.codec.open_record(erasure.sealed)
        return msgspec.json.decode(plain, type=About)

    def readable(self, erasure: Erasure) -> About | None:
        """Return whom an erasure is about; None when that does not open: nobody can do it."""
        try:
            return self.about(erasure)
        except KeyUnreadable:
            metrics.VAULT_UNREADABLE.inc()
            return None

    async def proof(self, erasure: str) -> bytes:
        """Return the signed proof of an erasure, empty when there is none."""
        plain, _ = await self.vault.record(PROOF + erasure)
        return plain

    async def keep_proof(self, erasure: str, proof: bytes) -> None:
        """Keep a signed proof."""
        _, version = await self.vault.record(PROOF + erasure)
        await self.vault.keep_record(PROOF + erasure, proof, version + 1)


def _is_waiting(erasure: Erasure) -> bool:
    """Say whether nothing was written yet of an erasure: its key is not known."""
    return erasure.state in {"requested", "confirmed"} and not erasure.erased_at_ms


def finished(erasure: Erasure, state: State) -> Erasure:
    """Return an erasure that is over, without what leads to the person."""
    return replace(erasure, state=state, sealed=b"")


def _numbers_and_names(about: About) -> About:
    """Return ``about`` with the least that identifies: a sender may have said far too much. In
    whose entries the numbers stand is looked up again.
    """
    told = []
    for one in about.told:
        people = tuple(replace(known, others={}) for known in one.people)
        told.append(replace(one, people=people, links=one.links[:LINKS_MAX]))
    return replace(about, told=tuple(told))


def _bounded(book: Book, bytes_max: int, before: int) -> Book:
    """Forget the oldest that are over when the book grows too large: their proofs stay."""
    sizes = {name: len(msgspec.json.encode({name: one})) - 1 for name, one in book.items()}
    size = 1 + sum(sizes.values())  # exactly: the braces of each but for a comma
    for name, one in list(book.items()):
        if size > bytes_max and not one.sealed:
            size -= sizes[name]
            del book[name]
    if size > max(bytes_max, before):
        raise BookFull("too many erasures wait")
    return book
