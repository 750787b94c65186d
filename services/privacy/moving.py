"""From key files to a token: everything wrapped anew under its key, then the files destroyed.

With privacy stopped. Killed anywhere it is begun again and goes on: while a file is left, both
hold live keys, and the token's wraps. A file is destroyed only when the vault topic shows that
nothing is under it (``rewrap.py``). What was destroyed before stays known as destroyed: the topic
may still have old bytes of it.
"""

import asyncio
from dataclasses import dataclass

from redis.asyncio import Redis

from plumbing.clock import Clock
from plumbing.event_log import EventReader, EventWriter
from plumbing.key_files import KeyMissing, Random, read_key
from services.privacy.erasure_book import ErasureBook
from services.privacy.keks import FileKeks, Keks, KeyRing
from services.privacy.keks_pkcs11 import Pkcs11Keks
from services.privacy.people import PeopleCodec
from services.privacy.rewrap import Rewrap
from services.privacy.settings import PrivacySettings
from services.privacy.vault import Vault


class CannotMove(Exception):
    """Nothing was changed; the message says why."""


@dataclass(frozen=True)
class Moved:
    """Which key wraps now, how many entries were verified to open under it, which are gone."""

    kek_id: str
    entries: int
    destroyed: tuple[str, ...]


class MovingKeks:
    """The keys of a folder and of a token; the token's wraps. Calls raise ``OSError``."""

    def __init__(self, folder: FileKeks, token: Pkcs11Keks) -> None:
        """Take both."""
        self._folder, self._token = folder, token

    def state(self) -> object:
        """Return something that is another after each change of either."""
        return self._folder.state(), self._token.state()

    def load(self) -> Keks:
        """Return the keys of both; raise ``KeyMissing`` when neither has one."""
        folder, token = _or_none(self._folder), _or_none(self._token)
        live = (*folder.live, *token.live)
        if not live:
            raise KeyMissing("neither the folder nor the token has a key-encryption key")
        return Keks(live, self._folder.destroyed() | token.destroyed)

    def can_change(self) -> bool:
        """Say whether both can be changed."""
        return self._folder.can_change() and self._token.can_change()

    def make(self) -> str:
        """Make the next key in the token."""
        return self._token.make()

    def destroy(self, kek_id: str) -> int:
        """Have the token know the key as destroyed, then destroy it where it is."""
        self._token.remember_destroyed([kek_id])
        return max(self._folder.destroy(kek_id), self._token.destroy(kek_id))

    def begin(self) -> None:
        """Have the token know what was destroyed before, and make its first key.

        Raises ``CannotMove`` when the folder has no key (any more) or cannot be changed.
        """
        if not _or_none(self._folder).live:
            raise CannotMove("the folder has no key-encryption key: nothing is to be moved")
        if not self.can_change():
            raise CannotMove("the key files or the token are read-only here")
        self._token.remember_destroyed(sorted(self._folder.destroyed()))
        if not _or_none(self._token).live:
            self._token.make()


async def move(
    settings: PrivacySettings,
    token: Pkcs11Keks,
    log: tuple[EventWriter, EventReader],
    clock: Clock,
    random_bytes: Random,
) -> Moved:
    """Move the site of ``settings`` to ``token``. Privacy must not run.

    Raises ``CannotMove``, ``Unavailable``, ``OSError``, ``KeyMissing`` and ``KeyUnreadable``;
    then nothing is lost, and it is to be called again.
    """
    writer, reader = log
    keys = settings.keys_dir / "privacy"
    folder = FileKeks(settings.kek_dir or keys, random_bytes)
    store = MovingKeks(folder, token)
    redis = Redis.from_url(settings.redis_url, socket_timeout=settings.redis_timeout_s)
    try:
        codec = PeopleCodec(KeyRing(store), read_key(keys / "index.key"), random_bytes)
        vault = Vault(redis, writer, reader, codec)
        await vault.open()
        book = ErasureBook(vault, codec, redis)
        if any(one.state == "confirmed" for one in (await book.read()).values()):
            raise CannotMove("an erasure is under way: start privacy and let it finish first")
        await asyncio.to_thread(store.begin)
        await book.seal_waiting_anew()
        rewrap = Rewrap(vault, codec, reader, clock, grace_s=0.0)
        destroyed, entries = await rewrap.finish()
        return Moved(rewrap.current_id, entries, tuple(one.kek_id for one in destroyed))
    finally:
        await redis.aclose()


def _or_none(store: FileKeks | Pkcs11Keks) -> Keks:
    try:
        return store.load()
    except KeyMissing:
        return Keks((), store.destroyed())
