"""A connection to Redis, and calls of ``read_model.lua`` over it: the only importer of redis here.

Every failure of Redis comes out as ``Unavailable``.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any, Self, cast

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff
from redis.exceptions import (
    ConnectionError as RedisGone,
)
from redis.exceptions import (
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
)
from redis.exceptions import (
    TimeoutError as RedisSilent,
)

from plumbing.errors import Unavailable

SCRIPT = files("services.gateway").joinpath("read_model.lua").read_text()
TIMEOUT_S = 5.0
CONNECTIONS_MAX = 16
RETRY_S = 0.05
RETRIES = 2  # enough for a connection that a restart of Redis has cut
# Any other error of Redis is a bug here and stops the process.
AWAY = (RedisGone, RedisSilent, OutOfMemoryError, ReadOnlyError, OSError)


class RedisStore:
    """What every reader and writer of the ``gw:`` keys needs."""

    def __init__(self, redis: Any) -> None:
        """Use an asyncio ``Redis`` (``Any``: redis-py's types mix its two kinds of client)."""
        self.redis = redis
        self._sha = ""

    @classmethod
    def at(cls, url: str) -> Self:
        """Return the read model at a Redis URL; nothing is reached yet."""
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=CONNECTIONS_MAX,
            timeout=TIMEOUT_S,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            retry=Retry(ConstantBackoff(RETRY_S), RETRIES),
        )
        return cls(Redis.from_pool(pool))

    async def close(self) -> None:
        """Close the connections."""
        await self.redis.aclose()

    async def call(self, *arguments: object) -> list[Any]:
        """Run the script with these arguments."""
        async with self.errors():
            if not self._sha:
                self._sha = await self.redis.script_load(SCRIPT)
            try:
                found = await self.redis.evalsha(self._sha, 0, *arguments)
            except NoScriptError:
                found = await self.redis.eval(SCRIPT, 0, *arguments)
        return cast("list[Any]", found)

    @asynccontextmanager
    async def errors(self) -> AsyncIterator[None]:
        """Within it, a Redis that is away raises ``Unavailable``."""
        try:
            yield
        except AWAY as error:
            raise Unavailable("the read model cannot be reached") from error
