"""Which tokens are one person: links made by merges, undone by unlinks, the same from both ends.

What a record says follows from the decisions in it (``decisions.py``). Here they are kept: on
``identity.merged.v1``, mirrored in Redis.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from uuid import uuid4

from redis.asyncio import Redis

from contracts.merged import MERGED, IdentityMerged
from plumbing.errors import Unavailable
from plumbing.event_log import EventReader, EventWriter, Record
from services.privacy import metrics
from services.privacy.decisions import (
    LinkChange,
    changed,
    decisions_of,
    forgetting,
    joined,
    same,
)
from services.privacy.mirror import Entry, Fields, Mirror, Raw, redis_errors

LOCK = "prv:links:lock"
LOCK_MS = 10_000
LOCK_WAIT_S = 0.05
LOCK_TRIES = 200
RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"
ROUNDS_MAX = 8


class LinkBook:
    """The links of all tokens, on ``identity.merged.v1`` and mirrored in Redis."""

    def __init__(self, redis: Redis, writer: EventWriter, reader: EventReader) -> None:
        """Wire the mirror."""
        self.mirror = Mirror(MERGED.name, redis, writer, reader, mirror_links)
        self._redis = redis
        self._release = redis.register_script(RELEASE)
        self._here = asyncio.Lock()

    async def apply(self, changes: Sequence[LinkChange]) -> None:
        """Publish what the changes lead to; changes that were applied before publish nothing.

        Returns once a read shows them at both ends. Raises ``Unavailable``; then some ends may
        have been written, and applying the changes again writes the others.
        """
        headers = {change.event_id: change.headers for change in changes}
        async with self._here, self._everywhere():
            for attempt in range(ROUNDS_MAX):
                records = await self._due(changes)
                if not records:
                    return
                entries = [
                    Entry(record.token, MERGED.encode(record), headers.get(record.event_id, ()))
                    for record in records
                ]
                await self.mirror.append(entries)
                if attempt == 0:
                    _count(changes, records)
        raise Unavailable("the links do not settle")

    async def one_person(self, tokens: Iterable[str]) -> list[str]:
        """Return the tokens and all that are linked to them, at any distance."""
        known = list(dict.fromkeys(tokens))
        fresh = known
        while fresh:
            records = _records(await self.mirror.read(fresh))
            linked = (link.other for record in records.values() for link in record.links)
            fresh = [token for token in dict.fromkeys(linked) if token not in known]
            known += fresh
        return known

    async def ever_linked(self, tokens: Iterable[str]) -> list[str]:
        """Return the tokens that are or were linked with one of ``tokens``."""
        records = _records(await self.mirror.read(list(tokens)))
        return list(dict.fromkeys(d.other for one in records.values() for d in decisions_of(one)))

    async def naming(self, tokens: Iterable[str]) -> list[str]:
        """Return the tokens in whose records one of ``tokens`` stands, from whichever end: of a
        link that was written while the lock expired one end may be there alone.
        """
        wanted = [token.encode() for token in tokens]
        await self.mirror.read(())  # a hash that was emptied is filled first
        found = [
            name
            async for items in self.mirror.fields()
            for name, raw in items
            if any(token in raw for token in wanted)
        ]
        return list(dict.fromkeys(found))

    async def erase(self, tokens: Sequence[str]) -> None:
        """Write tombstones for ``tokens``, and the records of others without them."""
        naming = await self.naming(tokens)
        async with self._here, self._everywhere():
            naming += await self.ever_linked(tokens)  # once more: one may have been written since
            others = [token for token in dict.fromkeys(naming) if token not in tokens]
            held = _records(await self.mirror.read(others)) if others else {}
            entries = [Entry(token, None) for token in tokens]
            for record in held.values():
                kept = forgetting(record, tokens)
                entries.append(Entry(record.token, MERGED.encode(kept)))
            await self.mirror.append(entries)

    async def _due(self, changes: Sequence[LinkChange]) -> list[IdentityMerged]:
        """Return the records to publish: those that change, and those that only Redis has."""
        tokens = sorted({token for change in changes for token in (change.one, change.other)})
        raws = await self.mirror.read([*tokens, *map(_unpublished, tokens)])
        held = _records(raws[: len(tokens)])
        marks = zip(tokens, raws[len(tokens) :], strict=True)
        due = {token: held[token] for token, mark in marks if mark and token in held}
        return list((due | changed(held, changes)).values())

    @asynccontextmanager
    async def _everywhere(self) -> AsyncIterator[None]:
        """One replica changes links at a time: a record is whole, so two should not both start from
        the same one. When they did (the lock expired, Redis was emptied), ``mirror_links`` sees it.
        """
        mine = uuid4().hex
        async with redis_errors():
            for _ in range(LOCK_TRIES):
                if await self._redis.set(LOCK, mine, nx=True, px=LOCK_MS):
                    break
                await asyncio.sleep(LOCK_WAIT_S)
            else:
                raise Unavailable("the links are locked")
        try:
            yield
        finally:
            async with redis_errors():
                await self._release(keys=[LOCK], args=[mine])


def mirror_links(record: Record, held: Mapping[str, Raw]) -> Fields:
    """Say what a record does to the mirror.

    Versions grow by one from the record that a writer has read. A record whose version is not
    greater was written by one who had not read the current: what both know together is kept, as a
    newer record if that is more than was known, and marked: it has to be published after this one.
    The writer itself does so, for it returns when nothing is marked and its changes show.
    """
    token = (record.key or b"").decode()
    current = held.get(token)
    mark = _unpublished(token)
    if record.value is None:
        return [(token, b""), (mark, b"")] if current else []
    if not current:
        return [(token, record.value), (mark, b"")]
    known, said = MERGED.decode(current), MERGED.decode(record.value)
    if said.version > known.version or (said.version == known.version and same(said, known)):
        return [(token, record.value), (mark, b"")]
    if not said.decisions:
        return []  # from before decisions were kept: a late repetition
    both = joined(known, said)
    if same(both, known):
        return [(mark, b"1")]
    return [(token, MERGED.encode(both)), (mark, b"1")]


def _unpublished(token: str) -> str:
    return f"r:{token}"


def _records(raws: Iterable[Raw]) -> dict[str, IdentityMerged]:
    found = (MERGED.decode(raw) for raw in raws if raw)
    return {record.token: record for record in found}


def _count(changes: Sequence[LinkChange], records: Sequence[IdentityMerged]) -> None:
    known = {decision.event_id for record in records for decision in record.decisions}
    for change in changes:
        if change.event_id in known:
            metrics.LINKS.labels("link" if change.is_link else "unlink").inc()
