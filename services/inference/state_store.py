"""The patient states in Redis, and the only importer of redis here beside ``app``.

All states of a partition are the fields of one hash, with the partition's progress beside them:
one command writes both or neither, one round trip reads both, and the number of fields tells
whether any state has gone. A hash has no TTL, so ``volatile-lru`` never takes it.
"""

from collections.abc import AsyncIterator, Awaitable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from plumbing.errors import Unavailable

_PROGRESS = b"@"
# KEYS[1] the partition's states; ARGV[1] the progress it must have ("" for none), ARGV[2] how many
# states go, their names, then pairs. HSET takes its pairs in slices: Lua's stack is limited.
WRITE_LUA = """
if (redis.call('HGET', KEYS[1], '@') or '') ~= ARGV[1] then return 0 end
local pairs_from = 3 + tonumber(ARGV[2])
for gone = 3, pairs_from - 1 do redis.call('HDEL', KEYS[1], ARGV[gone]) end
for first = pairs_from, #ARGV, 2000 do
  redis.call('HSET', KEYS[1], unpack(ARGV, first, math.min(first + 1999, #ARGV)))
end
return 1
"""
_encode = msgspec.msgpack.Encoder().encode


class Progress(msgspec.Struct, frozen=True, array_like=True):
    """How far a partition's states are. ``applied`` is the last offset in them, ``count`` how many
    states there are, ``epoch`` how often they were brought back, ``snapshot`` the offset through
    which the snapshot topic has them all, ``incomplete`` whether events were missing on the way.
    """

    epoch: int = 0
    applied: int = -1
    count: int = 0
    snapshot: int = -1
    incomplete: bool = False


@dataclass(frozen=True, slots=True)
class Stored:
    """What one round trip found. ``progress`` None: nothing usable; ``states`` in the order asked;
    ``due`` are persons of this partition to report, as members of ``Due``.
    """

    progress: Progress | None
    fields: int
    states: tuple[bytes | None, ...]
    due: frozenset[bytes]

    @property
    def intact(self) -> bool:
        """Return whether the progress is there and every state it counted."""
        return self.progress is not None and self.fields == self.progress.count + 1


class StateStore:
    """Reads and writes the states of partitions. Raises ``Unavailable`` while Redis is away."""

    def __init__(self, client: "Redis") -> None:
        """``client`` gives bytes (no decoding)."""
        self._client = client
        self._write = client.register_script(WRITE_LUA)

    async def read(self, partition: int, tokens: Sequence[str]) -> Stored:
        """Return progress, the states of ``tokens`` and the persons due, in one round trip."""
        key = _states(partition)
        async with _redis():
            pipe = self._client.pipeline(transaction=False)
            pipe.hlen(key)
            pipe.hmget(key, [_PROGRESS, *(token.encode() for token in tokens)])
            pipe.smembers(_due(partition))
            fields, found, due = await pipe.execute()
        return Stored(_progress(found[0]), fields, tuple(found[1:]), frozenset(due))

    async def write(
        self,
        partition: int,
        expected: Progress | None,
        progress: Progress,
        states: Mapping[str, bytes],
        gone: Collection[str] = (),
    ) -> None:
        """Write states and progress, and drop the states that are ``gone``, all or nothing, if the
        progress is still ``expected``.

        Raises ``Unavailable`` when it is not: somebody else wrote, or an older dump came back.
        """
        pairs: list[Any] = [_PROGRESS, _encode(progress)]
        for token, state in states.items():
            pairs += (token.encode(), state)
        known = b"" if expected is None else _encode(expected)
        async with _redis():
            done = await self._write(
                keys=[_states(partition)], args=[known, len(gone), *gone, *pairs]
            )
        if not done:
            raise Unavailable("the partition's progress moved")

    async def states(
        self, wanted: Mapping[int, Sequence[str]]
    ) -> dict[str, tuple[Progress | None, bytes | None]]:
        """Return the states of tokens of several partitions, each with its partition's progress."""
        async with _redis():
            pipe = self._client.pipeline(transaction=False)
            for partition, tokens in wanted.items():
                pipe.hmget(_states(partition), [_PROGRESS, *(token.encode() for token in tokens)])
            answers = await pipe.execute()
        return {
            token: (_progress(found[0]), state)
            for (_, tokens), found in zip(wanted.items(), answers, strict=True)
            for token, state in zip(tokens, found[1:], strict=True)
        }

    async def rebuild_from_nothing(self, partition: int) -> None:
        """Empty the place where a partition's states are built anew."""
        async with _redis():
            await self._client.delete(_rebuilding(partition))

    async def rebuild_load(self, partition: int, states: Mapping[str, bytes | None]) -> None:
        """Put snapshots into that place; None takes one out."""
        there = {token.encode(): state for token, state in states.items() if state is not None}
        gone = [token.encode() for token, state in states.items() if state is None]
        async with _redis():
            pipe = self._client.pipeline(transaction=False)
            if there:
                pipe.hset(_rebuilding(partition), mapping=cast("Any", there))
            if gone:
                pipe.hdel(_rebuilding(partition), *cast("Any", gone))
            await pipe.execute()

    async def rebuild_read(self, partition: int, tokens: Iterable[str]) -> list[bytes | None]:
        """Return states from that place."""
        fields = [_PROGRESS, *(token.encode() for token in tokens)]
        async with _redis():
            found = await _wait(self._client.hmget(_rebuilding(partition), cast("Any", fields)))
        return list(cast("Any", found))[1:]

    async def rebuild_finish(self, partition: int, progress: Progress) -> Progress:
        """Put the built states in the place of the old ones, at once; return their progress."""
        key = _rebuilding(partition)
        async with _redis():
            await _wait(self._client.hset(key, mapping=cast("Any", {_PROGRESS: b""})))
            counted = msgspec.structs.replace(
                progress, count=await _wait(self._client.hlen(key)) - 1
            )
            pipe = self._client.pipeline(transaction=True)
            pipe.hset(key, mapping=cast("Any", {_PROGRESS: _encode(counted)}))
            pipe.rename(key, _states(partition))
            await pipe.execute()
        return counted

    async def reported(self, partition: int) -> dict[str, bytes]:
        """Return the fingerprint of the alias set for which each person was last reported."""
        async with _redis():
            found = await _wait(self._client.hgetall(_reported(partition)))
        return {token.decode(): mark for token, mark in cast("Any", found).items()}

    async def mark_reported(
        self, partition: int, marks: Mapping[str, bytes], due: Iterable[bytes]
    ) -> None:
        """Keep the fingerprints of reports written, and strike out the ``due`` they answer."""
        members = list(due)
        async with _redis():
            pipe = self._client.pipeline(transaction=False)
            if marks:
                pipe.hset(_reported(partition), mapping=cast("Any", dict(marks)))
            if members:
                pipe.srem(_due(partition), *members)
            await pipe.execute()

    async def forget_reported(self, partition: int, tokens: Iterable[str]) -> None:
        """Forget that persons were reported who are erased."""
        async with _redis():
            await _wait(self._client.hdel(_reported(partition), *tokens))

    async def mark_due(self, due: Mapping[int, Iterable[bytes]]) -> None:
        """Ask the owners of other partitions to report persons: members made by ``due_member``."""
        async with _redis():
            pipe = self._client.pipeline(transaction=False)
            for partition, members in due.items():
                pipe.sadd(_due(partition), *members)
            await pipe.execute()


def due_member(head: str, token: str, applied: int) -> bytes:
    """Return the member that says: report ``head``, whose ``token`` got facts at ``applied``.

    The offset makes each demand its own, so striking out one never loses a later one.
    """
    return f"{head} {token} {applied}".encode()


def demand_of(member: bytes) -> tuple[str, int]:
    """Return the token that got facts, and their offset, from a member of the due set."""
    _, token, applied = member.decode().split(" ")
    return token, int(applied)


def _states(partition: int) -> str:
    return f"inf:{{p{partition}}}:states"


def _rebuilding(partition: int) -> str:
    return f"inf:{{p{partition}}}:rebuilding"


def _due(partition: int) -> str:
    return f"inf:{{p{partition}}}:due"


def _reported(partition: int) -> str:
    return f"inf:{{p{partition}}}:reported"


def _progress(raw: bytes | None) -> Progress | None:
    if not raw:
        return None
    try:
        return msgspec.msgpack.decode(raw, type=Progress)
    except msgspec.MsgspecError:
        return None


async def _wait(answer: Any) -> Any:
    """Await what redis types as either a value or an awaitable."""
    return await cast("Awaitable[Any]", answer)


@asynccontextmanager
async def _redis() -> AsyncIterator[None]:
    try:
        yield
    except (RedisError, OSError, TimeoutError) as error:
        raise Unavailable("redis") from error
