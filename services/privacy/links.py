"""Which tokens are one person: links made by merges, undone by unlinks, the same from both ends."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

import msgspec
from redis.asyncio import Redis

from contracts.merged import MERGED, IdentityMerged, TokenLink
from plumbing.errors import Unavailable
from plumbing.event_log import EventReader, EventWriter, Headers, Record
from services.privacy import metrics
from services.privacy.mirror import Entry, Fields, Mirror, Raw, redis_errors

LOCK = "prv:links:lock"
LOCK_MS = 10_000
LOCK_WAIT_S = 0.05
LOCK_TRIES = 200
RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"


@dataclass(frozen=True)
class LinkChange:
    """``event_id`` links (or unlinks) two tokens; the shifts are those of their patient keys."""

    one: str
    one_shift_days: int
    other: str
    other_shift_days: int
    is_link: bool
    event_id: str
    headers: Headers = ()


def changed(held: Mapping[str, IdentityMerged], change: LinkChange) -> list[IdentityMerged]:
    """Return the new whole records of both ends; nothing when the links are that way already.

    ``ours = theirs + delta``: a time shifted by fewer days is later.
    """
    delta = change.other_shift_days - change.one_shift_days
    ends = ((change.one, change.other, delta), (change.other, change.one, -delta))
    records = []
    for token, other, days in ends:
        before = held.get(token) or IdentityMerged(token=token, links=(), version=0, event_id="")
        links = tuple(link for link in before.links if link.other != other)
        if (len(links) < len(before.links)) == change.is_link:
            continue
        if change.is_link:
            links = (*links, TokenLink(other, days, change.event_id))
        records.append(
            IdentityMerged(
                token=token,
                links=links,
                version=before.version + 1,
                event_id=change.event_id,
            )
        )
    return records


class LinkBook:
    """The links of all tokens, on ``identity.merged.v1`` and mirrored in Redis."""

    def __init__(self, redis: Redis, writer: EventWriter, reader: EventReader) -> None:
        """Wire the mirror."""
        self.mirror = Mirror(MERGED.name, redis, writer, reader, _decide)
        self._redis = redis
        self._release = redis.register_script(RELEASE)
        self._here = asyncio.Lock()

    async def apply(self, changes: Sequence[LinkChange]) -> None:
        """Publish what the changes lead to; an event that was applied before changes nothing.

        Raises ``Unavailable``.
        """
        async with self._here, self._everywhere():
            for change in changes:
                await self._apply(change)

    async def one_person(self, tokens: Iterable[str]) -> list[str]:
        """Return the tokens and all that are linked to them, at any distance."""
        known = list(dict.fromkeys(tokens))
        fresh = known
        while fresh:
            records = await self._records(fresh)
            linked = (link.other for record in records.values() for link in record.links)
            fresh = [token for token in dict.fromkeys(linked) if token not in known]
            known += fresh
        return known

    async def _apply(self, change: LinkChange) -> None:
        done = f"e:{change.event_id}:{change.one}:{change.other}"
        if (await self.mirror.read([done]))[0]:
            return
        records = changed(await self._records([change.one, change.other]), change)
        entries = [Entry(r.token, MERGED.encode(r), change.headers) for r in records]
        fields = [[(r.token, e.value), (done, b"1")] for r, e in zip(records, entries, strict=True)]
        await self.mirror.publish(entries, fields)
        metrics.LINKS.labels("link" if change.is_link else "unlink").inc()

    async def _records(self, tokens: Sequence[str]) -> dict[str, IdentityMerged]:
        raws = await self.mirror.read(tokens)
        found = (MERGED.decode(raw) for raw in raws if raw)
        return {record.token: record for record in found}

    @asynccontextmanager
    async def _everywhere(self) -> AsyncIterator[None]:
        """One replica changes links at a time: a record is whole, so two must not both start from
        the same one.
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


def _decide(record: Record, held: Mapping[str, Raw]) -> Fields:
    token = (record.key or b"").decode()
    current = held.get(token)
    if record.value is None:
        return [(token, b"")] if current else []
    merged = MERGED.decode(record.value)
    if current and msgspec.json.decode(current, type=IdentityMerged).version > merged.version:
        return []
    done = [(f"e:{link.event_id}:{token}:{link.other}", b"1") for link in merged.links]
    return [(token, record.value), *done]
