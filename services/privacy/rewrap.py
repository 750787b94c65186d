"""Changing the key-encryption key: every entry wrapped anew, then the old key destroyed.

An old key is destroyed only when the vault topic itself (not its mirror) was read to its end and
every last entry of it opens under the new key. Killed anywhere, it goes on where it was: two live
keys mean that a change is under way.
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass

import msgspec

from contracts.erasures import DestroyedKey
from contracts.vault import VAULT
from plumbing import log
from plumbing.clock import Clock
from plumbing.event_log import EventReader, whole_topic
from services.privacy import metrics
from services.privacy.patient_keys import KeyUnreadable
from services.privacy.people import PeopleCodec
from services.privacy.vault import Vault
from services.privacy.vault_records import RECORDS, is_person

CHUNK = 200
ROUNDS_MAX = 20
SEARCH = ("t:", "i:")

_log = log.get("privacy")


class NotSettled(Exception):
    """Somebody goes on writing under the old key: it is not destroyed, and tried again later."""


@dataclass(frozen=True)
class Rewrap:
    """``grace_s`` is how long a write may be under way that began under the old key."""

    vault: Vault
    codec: PeopleCodec
    reader: EventReader
    clock: Clock
    grace_s: float

    @property
    def is_under_way(self) -> bool:
        """Say whether a change was begun and not finished."""
        return len(self.codec.ring.live) > 1

    @property
    def current_id(self) -> str:
        """Return the id of the key that wraps now."""
        return self.codec.ring.current.id

    @property
    def can_change(self) -> bool:
        """Say whether the key can be changed at all."""
        return self.codec.ring.store.can_change()

    def make(self) -> None:
        """Make the next key: a change is under way then. Raises ``OSError``."""
        kek_id = self.codec.ring.store.make()
        _log.info("Key-encryption key made", kek_id=kek_id)

    async def sweep(self) -> int:
        """Wrap anew what the mirror has under an older key; return how many."""
        count = 0
        async for items in self.vault.mirror.fields():
            old = [name for name, raw in items if self._is_old(name, raw)]
            for first in range(0, len(old), CHUNK):
                count += await self.vault.wrap_anew(old[first : first + CHUNK])
        metrics.REWRAPPED.inc(count)
        return count

    async def finish(self, erased: Collection[str] = ()) -> tuple[list[DestroyedKey], int]:
        """Destroy the older keys once nothing is under them; return them, and how many entries were
        verified. ``erased`` are tokens of which no entry may be left.
        """
        for _ in range(ROUNDS_MAX):
            await self.sweep()
            await asyncio.sleep(self.grace_s)
            left, verified = await self._left(erased)
            if not left:
                break
            await self.vault.wrap_anew(left)
        else:
            raise NotSettled
        destroyed = [self._destroy(kek.id) for kek in self.codec.ring.live[:-1]]
        await self._drop_search_fields()
        return destroyed, verified

    def is_destroyed(self, kek_id: str) -> bool:
        """Say whether a key that once wrapped is gone: destroyed, not only missing here."""
        try:
            return self.codec.ring.find(kek_id) is None
        except KeyUnreadable:
            return False

    async def finish_destroyed(self, kek_id: str) -> tuple[DestroyedKey, int]:
        """Do what was left to do after a key was destroyed; return it and how many entries open."""
        key = self._destroy(kek_id)
        await self._drop_search_fields()
        left, count = await self._left(())
        return key, count - len(left)

    def _destroy(self, kek_id: str) -> DestroyedKey:
        until_ms = self.codec.ring.store.destroy(kek_id)
        _log.info("Key-encryption key destroyed", kek_id=kek_id)
        now_ms = self.clock.now_ms()
        return DestroyedKey(kek_id=kek_id, at_ms=now_ms, recoverable_until_ms=until_ms)

    async def _drop_search_fields(self) -> None:
        """Drop the fields of the mirror that were named under keys that are gone."""
        live = {kek.id for kek in self.codec.ring.live}
        async for items in self.vault.mirror.fields():
            names = [name for name, _ in items if name.startswith(SEARCH)]
            await self.vault.mirror.drop([n for n in names if n.split(":")[1] not in live])

    def _is_old(self, name: str, raw: bytes) -> bool:
        if name.startswith(SEARCH) or not is_person(raw):
            return False
        return not (self.codec.is_current(raw[1:]) or self.codec.is_destroyed(raw[1:]))

    async def _left(self, erased: Collection[str]) -> tuple[list[str], int]:
        """Return the links whose last entry on the topic is not under the new key, and how many
        entries there are. When one is of an erased person, written after all, the new key has to go
        too: a newer one is made, and ``NotSettled`` raised.
        """
        under: dict[str, bool] = {}
        async for records in whole_topic(self.reader, VAULT.name):
            for record in records:
                link = (record.key or b"").decode()
                under.pop(link, None)
                if record.value is not None:
                    under[link] = self._is_sound(link, record.value, erased)
            await asyncio.sleep(0)
        return [link for link, sound in under.items() if not sound], len(under)

    def _is_sound(self, link: str, raw: bytes, erased: Collection[str]) -> bool:
        if not self.codec.is_current(raw):
            return False
        try:
            if link.startswith(RECORDS):
                self.codec.open_record(raw)
                return True
            entry = VAULT.decode(raw)
            key = self.codec.ring.current.unwrap(entry.wrapped_key, link)
        except (KeyUnreadable, msgspec.DecodeError):
            return False
        if key.token in erased:
            self.make()
            raise NotSettled
        return True
