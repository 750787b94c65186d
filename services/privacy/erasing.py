"""The work of an erasure, in steps that may each be done again: killed anywhere, it is finished.

Once confirmed there is no way back. The old key-encryption key is destroyed last, when the vault
topic itself shows that every other entry opens under the new one (docs/decisions/0026-erasure.md).
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace
from redis.asyncio import Redis
from redis.exceptions import LockError

from contracts.deidentified import DEIDENTIFIED
from contracts.erasures import DestroyedKey, Place, Refusal
from contracts.relations import RELATIONS
from plumbing import log
from plumbing.clock import Clock
from plumbing.errors import Unavailable
from plumbing.event_log import EventReader, EventWriter, Output
from services.privacy import metrics
from services.privacy.erasure_book import (
    TO_FINISH,
    About,
    BookFull,
    Erasure,
    ErasureBook,
    Told,
    finished,
)
from services.privacy.identity import apart
from services.privacy.links import LinkBook
from services.privacy.mirror import Entry, Mirror, redis_errors
from services.privacy.others import Others
from services.privacy.patient_keys import KeyUnreadable
from services.privacy.proof import sign_proof
from services.privacy.rewrap import NotSettled, Rewrap
from services.privacy.stage import DeidentifyStage
from services.privacy.vault import Vault
from services.privacy.whom import changed

LOCK = "prv:erasing:lock"
LOCK_S = 60.0
EVERY_S = 10.0
ROUNDS_MAX = 20
AHEAD_MS = 2_000  # how far the clock of an ingest may be ahead of this one

_log = log.get("privacy")


@dataclass(frozen=True)
class Eraser:
    """Does what the book of erasures asks for. ``sealed_days``: how long sealed events are kept."""

    book: ErasureBook
    vault: Vault
    links: LinkBook
    relations: Mirror
    stage: DeidentifyStage
    rewrap: Rewrap
    writer: EventWriter
    reader: EventReader
    redis: Redis
    clock: Clock
    key: Ed25519PrivateKey
    sealed_days: int
    due: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def others(self) -> Others:
        """Return what knows whom else an erasure is about."""
        return Others(self.vault)

    async def keep(self) -> None:
        """Do what is due, for ever."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.due.wait(), EVERY_S)
            self.due.clear()
            try:
                await self.work()
            except (Unavailable, NotSettled, OSError, KeyUnreadable) as error:
                _log.warning("Erasure goes on later", error=error)

    async def work(self, *, new_key: bool = False) -> tuple[list[DestroyedKey], int]:
        """Finish what is confirmed, and a change of key that is under way or asked for; return the
        keys that were destroyed and how many entries were verified. Raises ``Unavailable``,
        ``OSError``, ``NotSettled`` and ``KeyUnreadable``; then it is to be called again.
        """
        waiting = await self._confirmed()
        metrics.ERASURES_WAITING.set(len(waiting))
        if not (waiting or new_key or self.rewrap.is_under_way):
            return [], 0
        async with self._alone():
            await self._prove_what_is_over()
            due = [one for one in await self._confirmed() if await self._may_go_on(one)]
            if due:
                due = [await self._erase(one) for one in await self._begin(due)]
                due = await self._stay_erased(due)
                # What was written of them is under this key or older ones, which now can go.
                if self.rewrap.current_id in {one.kek_id for one in due}:
                    self.rewrap.make()
            elif not self.rewrap.is_under_way:
                if not new_key:
                    return [], 0
                self.rewrap.make()  # not before the lock: what is erased now is under the old one
            await self.book.seal_waiting_anew()
            tokens = {token for one in due for token in self.book.about(one).tokens}
            destroyed, verified = await self.rewrap.finish(tokens)
            for one in due:
                await self._prove(one, destroyed, verified)
            metrics.ERASURES_WAITING.set(len(await self._confirmed()))
            return destroyed, verified

    async def _prove_what_is_over(self) -> None:
        """Finish erasures that were cut short after their key was destroyed: the proof is due."""
        for one in await self._confirmed():
            if self.is_proof_due(one):
                key, count = await self.rewrap.finish_destroyed(one.kek_id)
                await self._prove(one, [key], count)

    def is_proof_due(self, erasure: Erasure) -> bool:
        """Say whether the key is gone with which the person was erased."""
        return bool(erasure.kek_id) and self.rewrap.is_destroyed(erasure.kek_id)

    async def change_key(self) -> tuple[list[DestroyedKey], int]:
        """Change the key-encryption key; as ``work``."""
        return await self.work(new_key=True)

    async def refusal(self, tokens: Sequence[str]) -> Refusal:
        """Return why a person may not be erased now, or "". Raises ``Unavailable``."""
        if any(person.legal_hold for person in await self.vault.resolve(tokens)):
            return "legal_hold"
        found = [RELATIONS.decode(raw) for raw in await self.relations.read(tokens) if raw]
        return "open_encounter" if any(one.status == "open" for one in found) else ""

    async def _refusal_now(self, about: About) -> Refusal:
        return await changed(self.vault, self.links, about) or await self.refusal(about.tokens)

    async def _confirmed(self) -> list[Erasure]:
        return [one for one in (await self.book.read()).values() if one.state == "confirmed"]

    async def _may_go_on(self, erasure: Erasure) -> bool:
        """Refuse at the last moment; not once its first tombstone is written."""
        about = self.book.readable(erasure)
        if erasure.erased_at_ms:
            if about is None:  # it waits for its key; the others do not wait for it
                _log.error("An erasure that was begun cannot be read", erasure=erasure.id)
            return about is not None
        refusal = "unreadable" if about is None else await self._refusal_now(about)
        if refusal:
            await self.book.put(replace(finished(erasure, "refused"), refusal=refusal))
            metrics.ERASURES.labels("refused").inc()
        return not refusal

    async def _begin(self, due: Sequence[Erasure]) -> list[Erasure]:
        """Begin as many as the book has room for: the turn of the others is the next."""
        begun: list[Erasure] = []
        for one in sorted(due, key=lambda one: not one.erased_at_ms):
            try:
                begun.append(await self._begin_one(one))
            except BookFull:
                if one.erased_at_ms or not begun:
                    raise
                break
        return begun

    async def _begin_one(self, erasure: Erasure) -> Erasure:
        """Note what is to be taken out of whom, and the key-encryption key (``kek_id``): all that
        was written of the person is under it or older ones.
        """
        about = self.book.about(erasure)
        people = [person.known for person in await self.vault.resolve(about.tokens)]
        linked = await self.links.ever_linked(about.tokens)
        others = await self.others.told(people, about.links, linked)
        living = [other.known for other in others]
        # What was told of one of them is the other's, who stays: it is not taken from anybody.
        told = Told(
            tuple(apart(known, living) for known in people), tuple(other.link for other in others)
        )
        if people and told not in about.told:
            about = replace(about, told=(*about.told, told))
        spare = 0 if erasure.erased_at_ms else TO_FINISH
        erasure = replace(
            erasure,
            erased_at_ms=erasure.erased_at_ms or self.clock.now_ms(),
            kek_id=self.rewrap.current_id,
            sealed=self.book.seal_about(erasure.id, about),
        )
        await self.book.put(erasure, spare)
        return erasure

    async def _erase(self, erasure: Erasure) -> Erasure:
        """Write the tombstones."""
        about = self.book.about(erasure)
        await self.others.strip(about.told)
        await self.links.erase(about.tokens)
        people = await self.vault.resolve(about.tokens)
        await self.vault.erase(people, erasure.erased_at_ms + AHEAD_MS)
        self.stage.forget(about.links, about.tokens)
        erasure = replace(erasure, tombstones=await self._tombstones(about.tokens))
        await self.book.put(erasure)
        return erasure

    async def _strip_again(self, erasure: Erasure) -> Erasure:
        """Take it out once more, for a batch in hand may have told it again, or others; what comes
        after that is the others' own. That it is still to be done is kept: another process may
        have to.
        """
        about = self.book.about(erasure)
        if not about.told:
            return erasure
        people = [known for one in about.told for known in one.people]
        now = [other.link for other in await self.others.told(people, about.links)]
        again = [replace(one, links=tuple({*one.links, *now})) for one in about.told]
        await self.others.strip(again)
        sealed = self.book.seal_about(erasure.id, replace(about, told=()))
        erasure = replace(erasure, sealed=sealed, kek_id=self.rewrap.current_id)
        await self.book.put(erasure)
        return erasure

    async def _tombstones(self, tokens: Sequence[str]) -> tuple[Place, ...]:
        """Write the tombstones that inference, and after it the gateway, drop the person by."""
        entries = [Entry(token, None) for token in tokens]
        await self.relations.publish(entries, [[(token, b"")] for token in tokens])
        outputs = [Output(DEIDENTIFIED.name, token.encode(), None) for token in tokens]
        offsets = await self.writer.write(outputs)
        partitions = [self._partition(token) for token in tokens]
        return tuple(
            Place(DEIDENTIFIED.name, partition, offset)
            for partition, offset in zip(partitions, offsets, strict=True)
        )

    def _partition(self, token: str) -> int:
        return self.relations.partition_of(token)  # topics keyed by token are cut alike

    async def _stay_erased(self, erasures: list[Erasure]) -> list[Erasure]:
        """Wait until no write is under way that began before; erase again what one brought back."""
        for _ in range(ROUNDS_MAX):
            await asyncio.sleep(self.rewrap.grace_s)
            erasures = [await self._strip_again(one) for one in erasures]
            back = [one for one in erasures if await self._came_back(one)]
            if not back:
                return erasures
            again = {one.id: await self._erase(await self._begin_one(one)) for one in back}
            erasures = [again.get(one.id, one) for one in erasures]
        raise NotSettled

    async def _came_back(self, erasure: Erasure) -> bool:
        """Say whether a batch that was in hand wrote something of the person after all."""
        about = self.book.about(erasure)
        tokens = about.tokens
        if await self.vault.resolve(tokens) or await self.vault.holds(about.links, tokens):
            return True
        if any(await self.relations.read(tokens)) or await self.links.naming(tokens):
            return True
        wanted = {token.encode() for token in tokens}
        for place in erasure.tombstones:
            end = await self.reader.end_offset(place.topic, place.partition)
            start = place.offset + 1
            async for records in self.reader.read(place.topic, place.partition, start, end):
                if any(one.key in wanted and one.value is not None for one in records):
                    return True
        return False

    async def _prove(self, erasure: Erasure, destroyed: list[DestroyedKey], count: int) -> None:
        now_ms = self.clock.now_ms()
        day = datetime.fromtimestamp(now_ms / 1000, UTC).replace(hour=0, minute=0, second=0)
        until = day.replace(microsecond=0) + timedelta(days=self.sealed_days + 2)
        sealed_until_ms = int(until.timestamp() * 1000)
        proof = sign_proof(erasure, destroyed, count, now_ms, sealed_until_ms, self.key)
        await self.book.keep_proof(erasure.id, proof)
        await self.book.put(finished(erasure, "done"))
        metrics.ERASURES.labels("done").inc()

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """One replica at a time. The lock is kept as long as the work takes."""
        lock = self.redis.lock(LOCK, timeout=LOCK_S, blocking_timeout=1.0)
        try:
            async with redis_errors(), lock:
                keeping = asyncio.create_task(_keep_locked(lock))
                try:
                    yield
                finally:
                    keeping.cancel()
        except LockError as error:
            raise Unavailable("another replica erases") from error


async def _keep_locked(lock: "object") -> None:
    while True:
        await asyncio.sleep(LOCK_S / 4)
        await lock.reacquire()  # type: ignore[attr-defined]
