"""What a mirror has in Redis: one hash, with how far it is mirrored in the same hash.

Field ``@<partition>`` is the offset of the next record to apply. Progress only moves by
compare-and-set, one way: forward. Field ``due:<partition>`` names the fields whose value is to be
written to the topic once more, so that whoever comes next does it where one was killed before.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from plumbing.errors import Unavailable
from services.privacy.mirror_scripts import APPLY, DUE, OFFER

Raw = bytes | None

SCAN_COUNT = 1_000


class MirrorHash:
    """The hash of one topic. Every call raises ``Unavailable``."""

    def __init__(self, topic: str, redis: Redis) -> None:
        """Register what is done in one step."""
        self.hash = f"prv:{topic}"
        self._redis = redis
        self._apply_script = redis.register_script(APPLY)
        self._offer_script = redis.register_script(OFFER)

    async def some(self, count: int) -> list[tuple[str, bytes]]:
        """Return fields and values, ``count`` at most, whichever."""
        async with redis_errors():
            found: Any = await self._redis.hrandfield(self.hash, count, withvalues=True)
        return [(at.decode(), raw) for at, raw in zip(found[::2], found[1::2], strict=True)]

    async def put_if_absent(
        self, values: Mapping[str, bytes], mark: bytes, dead: Mapping[str, bytes]
    ) -> bool:
        """Set fields that are not there, or hold no more than a ``mark`` (one byte, with what
        follows it) or what is ``dead``; return whether none of them was.
        """
        async with redis_errors():
            pipe = self._redis.pipeline(transaction=False)
            for field, value in values.items():
                given: list[str | bytes] = [field, value, mark, dead.get(field, b"")]
                await self._offer_script(keys=[self.hash], args=given, client=pipe)
            return all(await pipe.execute())

    async def fields(self) -> AsyncIterator[list[tuple[str, bytes]]]:
        """Yield all fields of the hash, some of them twice; not the mirror's own."""
        cursor = 0
        while True:
            async with redis_errors():
                answer: Any = await self._redis.hscan(self.hash, cursor, count=SCAN_COUNT)
            cursor, found = answer
            items = [(name.decode(), value) for name, value in found.items()]
            yield [(name, value) for name, value in items if not _is_own(name)]
            if cursor == 0:
                return

    async def drop(self, names: Sequence[str]) -> None:
        """Delete fields that no record of the topic stands for any more."""
        if names:
            async with redis_errors():
                await self._redis.hdel(self.hash, *names)

    async def held(self, names: Sequence[str]) -> dict[str, Raw]:
        """Return what fields hold, behind or not."""
        async with redis_errors():
            found: Any = await self._redis.hmget(self.hash, names) if names else []
        return dict(zip(names, found, strict=True))

    async def progress(self, partition: int) -> int:
        """Return the offset of the next record to apply."""
        name = f"@{partition}"
        return int((await self.held([name]))[name] or 0)

    async def due(self, partition: int) -> list[str]:
        """Return the fields of a partition that were due when something was last applied."""
        name = _due_field(partition)
        return ((await self.held([name]))[name] or b"").decode().split()

    async def due_fields(
        self, partition: int, before: Sequence[str], held: Mapping[str, Raw]
    ) -> list[tuple[str, bytes]]:
        """Return what to set so that ``due`` knows those of ``held`` too; nothing where it does."""
        rest = await self.held([name for name in before if name not in held])
        values = rest | dict(held)
        due = [name for name in dict.fromkeys([*before, *held]) if is_due(values[name])]
        return [(_due_field(partition), " ".join(due).encode())] if due != before else []

    async def apply_steps(self, steps: Iterable[Sequence[str | int | bytes]]) -> list[bool]:
        """Do steps (``apply_arguments``) in one round trip; return of each whether it was done."""
        async with redis_errors():
            pipe = self._redis.pipeline(transaction=False)
            for arguments in steps:
                await self._apply_script(keys=[self.hash], args=arguments, client=pipe)
            return [bool(done) for done in await pipe.execute()]


def is_due(raw: Raw) -> bool:
    """Say whether a value is to be written to the topic once more."""
    return (raw or b"")[:1] == DUE


def _due_field(partition: int) -> str:
    return f"due:{partition}"


def _is_own(name: str) -> bool:
    return name.startswith("due:") or (name[:1] == "@" and name[1:].isdecimal())


@asynccontextmanager
async def redis_errors() -> AsyncIterator[None]:
    """Turn whatever Redis has into ``Unavailable``: the same work is tried again."""
    try:
        yield
    except (RedisError, OSError) as error:
        raise Unavailable("Redis") from error
