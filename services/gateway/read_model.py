"""The read model in Redis. Writes go through ``read_model.lua``.

Every failure of Redis comes out as ``Unavailable``. Keys and values hold tokens, units and numbers:
nothing that identifies a patient.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, cast

from contracts.reviewed import REVIEWED, Review
from services.gateway.redis_store import RedisStore
from services.gateway.stored import Detail, Point, decode_detail, decode_point
from services.gateway.writes import (
    Done,
    EventWrite,
    Kind,
    Lost,
    Marks,
    RowWrite,
    Slot,
    Step,
    StoredRow,
)

SCAN_COUNT = 2_000


class ReadModel(RedisStore):
    """Reads and writes the ``gw:`` keys."""

    async def begin(self, slot: Slot, offset: int, epoch: str, lag_ms: int) -> None:
        """Say that ``slot`` is projected anew from ``offset``."""
        await self.call("begin", slot.kind, slot.partition, slot.field, offset, epoch, lag_ms)

    async def write_rows(self, step: Step, rows: Sequence[RowWrite]) -> Done | Lost:
        """Write rows and progress together, or say what is lost and write nothing."""
        return await self._write("rows", step, [part for row in rows for part in _row_parts(row)])

    async def write_events(self, step: Step, events: Sequence[EventWrite]) -> Done | Lost:
        """Write results and progress together, or say what is lost and write nothing."""
        return await self._write("events", step, [part for e in events for part in _event_parts(e)])

    async def sweep(self, partition: int, keep_ms: int, now_ms: int) -> Done:
        """Drop old points of a partition; ``new`` of the answer counts tokens not whole."""
        return _done(await self.call("sweep", partition, keep_ms, now_ms))

    async def marks(self) -> Marks:
        """Return where the read model stands, in one round trip."""
        async with self.errors():
            pipe = self.redis.pipeline(transaction=True)
            pipe.get("gw:epoch").hgetall("gw:lag").hgetall("gw:progress")
            epoch, lag_ms, progress = await pipe.execute()
        offsets = _int_values(progress)
        return Marks((epoch or b"").decode(), sum(offsets.values()), _int_values(lag_ms), offsets)

    async def changed(self, since: int) -> list[tuple[Kind, int, str]]:
        """Return (kind, partition, token) of what changed after version ``since``."""
        async with self.errors():
            found = await self.redis.zrangebyscore("gw:changes", f"({since}", "+inf")
        names = (name.decode().split(":", 2) for name in found)
        return [(cast("Kind", kind), int(number), token) for kind, number, token in names]

    async def rows(self, wanted: Sequence[tuple[Kind, int, str]]) -> list[StoredRow | None]:
        """Return the rows named, None for one that is not there."""
        async with self.errors():
            pipe = self.redis.pipeline(transaction=False)
            for kind, partition, token in wanted:
                pipe.hget(f"gw:{kind}:{partition}", token)
            return [_row(value) if value else None for value in await pipe.execute()]

    async def all_rows(self, kind: Kind, partition: int) -> AsyncIterator[tuple[str, StoredRow]]:
        """Yield every row of a partition."""
        async with self.errors():
            async for token, value in self.redis.hscan_iter(
                f"gw:{kind}:{partition}", count=SCAN_COUNT
            ):
                yield token.decode(), _row(value)

    async def tails(self, tokens: Sequence[str], window_ms: int) -> list[tuple[Point, ...]]:
        """Return for each token its points of the last ``window_ms`` before its newest, by time."""
        async with self.errors():
            pipe = self.redis.pipeline(transaction=False)
            for token in tokens:
                pipe.zrange(f"gw:time:{token}", 0, 0, desc=True, withscores=True)
            newest = [int(found[0][1]) if found else 0 for found in await pipe.execute()]
            found = await self._points(
                [(t, at - window_ms, at) for t, at in zip(tokens, newest, strict=True)]
            )
        return [tuple(one for _, _, one in points) for points in found]

    async def before(
        self, wanted: Sequence[tuple[str, int]], count: int
    ) -> list[tuple[Point, ...]]:
        """Return for each (token, shifted time) at most ``count`` of its points from before that
        time, the newest ones, by time.
        """
        if not wanted:
            return []
        async with self.errors():
            pipe = self.redis.pipeline(transaction=False)
            for token, at_ms in wanted:
                pipe.zrevrangebyscore(f"gw:time:{token}", f"({at_ms}", "-inf", start=0, num=count)
            ids = [found[::-1] for found in await pipe.execute()]
            found = await self._values([token for token, _ in wanted], ids)
        return [tuple(one for _, _, one in points) for points in found]

    async def points(self, token: str, start_ms: int, stop_ms: int) -> list[tuple[str, Point]]:
        """Return (event id, point) of ``token`` between two shifted times, by time."""
        async with self.errors():
            (found,) = await self._points([(token, start_ms, stop_ms)])
        return [(event, one) for event, _, one in found]

    async def last_events(self, token: str, count: int) -> list[tuple[str, Point]]:
        """Return (event id, point) of the newest events of ``token``, the newest first."""
        async with self.errors():
            found = await self.redis.zrange(f"gw:time:{token}", 0, count - 1, desc=True)
            values = await self.redis.hmget(f"gw:point:{token}", found) if found else []
        return [
            (event.decode(), decode_point(value)[1])
            for event, value in zip(found, values, strict=True)
            if value
        ]

    async def details(self, token: str, event_ids: Sequence[str]) -> list[Detail | None]:
        """Return the details of events of ``token``."""
        if not event_ids:
            return []
        async with self.errors():
            found = await self.redis.hmget(f"gw:detail:{token}", list(event_ids))
        return [decode_detail(value) if value else None for value in found]

    async def superseded(self, token: str, event_id: str) -> list[tuple[int, Point]]:
        """Return (model epoch, point) of earlier answers for one event."""
        prefix = f"{event_id}:"
        async with self.errors():
            found = await self.redis.hgetall(f"gw:old:{token}")
        return sorted(
            decode_point(value) for key, value in found.items() if key.decode().startswith(prefix)
        )

    async def token_of(self, event_id: str, partitions: int) -> str | None:
        """Return whose event it is, or None."""
        async with self.errors():
            pipe = self.redis.pipeline(transaction=False)
            for partition in range(partitions):
                pipe.hget(f"gw:evt:{partition}", event_id)
            found = [value for value in await pipe.execute() if value]
        return found[0].decode() if found else None

    async def counts(self, partitions: int) -> tuple[int, int, int]:
        """Return how many events are visible, how many answers are superseded, how many tokens."""
        async with self.errors():
            pipe = self.redis.pipeline(transaction=False)
            for partition in range(partitions):
                pipe.hlen(f"gw:evt:{partition}").hlen(f"gw:held:{partition}")
                pipe.hget("gw:count", f"old:{partition}")
            found = await pipe.execute()
        old = sum(int(number or 0) for number in found[2::3])
        return sum(found[::3]), old, sum(found[1::3])

    async def visible_event_ids(self, partitions: int) -> set[str]:
        """Return the ids of all visible events (for the accounting of a demo or a test)."""
        async with self.errors():
            return {
                event.decode()
                for partition in range(partitions)
                async for event, _ in self.redis.hscan_iter(f"gw:evt:{partition}", count=SCAN_COUNT)
            }

    async def decision(self, token: str, review_id: str) -> Review | None:
        """Return the decision that was recorded under an id, or None."""
        async with self.errors():
            found = await self.redis.hget(f"gw:decided:{token}", review_id)
        return REVIEWED.decode(found) if found else None

    async def keep_decision(self, review: Review) -> None:
        """Know a decision at once, before the projection brings it back from the topic."""
        async with self.errors():
            await self.redis.hsetnx(
                f"gw:decided:{review.token}", review.review_id, REVIEWED.encode(review)
            )

    async def revoke(self, session: str, until_ms: int) -> None:
        """Remember until then that a session was ended."""
        async with self.errors():
            await self.redis.zadd("gw:revoked", {session: until_ms})

    async def revoked(self, now_ms: int) -> set[str]:
        """Return the sessions that were ended and would still be good; forget the others."""
        async with self.errors():
            pipe = self.redis.pipeline(transaction=False)
            pipe.zremrangebyscore("gw:revoked", "-inf", now_ms).zrange("gw:revoked", 0, -1)
            _, found = await pipe.execute()
        return {session.decode() for session in found}

    async def _points(
        self, spans: Iterable[tuple[str, int, int]]
    ) -> list[list[tuple[str, int, Point]]]:
        wanted = list(spans)
        pipe = self.redis.pipeline(transaction=False)
        for token, start, stop in wanted:
            pipe.zrangebyscore(f"gw:time:{token}", start, stop)
        return await self._values([token for token, _, _ in wanted], await pipe.execute())

    async def _values(
        self, tokens: Sequence[str], ids: Sequence[Sequence[bytes]]
    ) -> list[list[tuple[str, int, Point]]]:
        """Return (event id, model epoch, point) of some events of each token."""
        pipe = self.redis.pipeline(transaction=False)
        named = [(token, found) for token, found in zip(tokens, ids, strict=True) if found]
        for token, found in named:
            pipe.hmget(f"gw:point:{token}", found)
        values = iter(await pipe.execute() if named else [])
        return [
            [
                (event.decode(), *decode_point(value))
                for event, value in zip(found, next(values), strict=True)
                if value
            ]
            if found
            else []
            for found in ids
        ]

    async def _write(self, verb: str, step: Step, flat: Sequence[object]) -> Done | Lost:
        slot = step.slot
        lag_ms = "" if step.lag_ms is None else step.lag_ms
        answer = await self.call(
            verb,
            slot.kind,
            slot.partition,
            slot.field,
            step.known,
            step.next_offset,
            step.epoch,
            lag_ms,
            *flat,
        )
        if answer[0] == b"lost":
            resume = int(answer[1])
            return Lost(None if resume < 0 else resume)
        return _done(answer)


def _row_parts(row: RowWrite) -> tuple[object, ...]:
    return (row.token, row.group, row.rank, row.offset, row.mark, row.at_ms, row.value)


def _event_parts(one: EventWrite) -> tuple[object, ...]:
    return (one.event_id, one.token, one.model_epoch, one.at_ms, one.point, one.detail)


def _done(answer: Sequence[Any]) -> Done:
    return Done(int(answer[1]), int(answer[2]), int(answer[3]))


def _row(value: bytes) -> StoredRow:
    _, _, _, mark, at_ms, packed = value.split(b";", 5)
    return StoredRow(mark.decode(), int(at_ms), packed)


def _int_values(found: dict[bytes, bytes]) -> dict[str, int]:
    return {key.decode(): int(value) for key, value in found.items()}
