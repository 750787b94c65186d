"""Risks by content: what a model (its digest) said of exactly these inputs (their digest).

It pays off when an event is delivered again. It is a cache: away, empty or broken, the model is
asked instead. No token and no event id is in a key.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import cast

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from contracts.assessed import Risk
from plumbing import log
from services.inference import metrics

JITTER = 0.1  # of the time to live, so that entries of one moment do not go at one moment
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Risk).decode
_log = log.get("inference")

Key = tuple[str, str]  # digest of the model, digest of the inputs


class ResultCache:
    """Reads and writes risks in Redis with a time to live."""

    def __init__(self, client: "Redis", ttl_s: int, random: Callable[[], float]) -> None:
        """``random`` gives numbers in [0, 1)."""
        self._client = client
        self._ttl_s = ttl_s
        self._random = random

    async def get(self, keys: Sequence[Key]) -> dict[Key, Risk]:
        """Return what is there of ``keys``, in one round trip."""
        if not keys:
            return {}
        try:
            raw = await self._client.mget([_name(key) for key in keys])
            held = zip(keys, cast("list[bytes | None]", raw), strict=True)
            found = {key: _decode(value) for key, value in held if value}
        except (RedisError, OSError, msgspec.MsgspecError) as error:
            metrics.CACHE_REQUESTS.labels("result", "error").inc(len(keys))
            _log.warning("result cache unreadable", error=error)
            return {}
        metrics.CACHE_REQUESTS.labels("result", "hit").inc(len(found))
        metrics.CACHE_REQUESTS.labels("result", "miss").inc(len(keys) - len(found))
        return found

    async def put(self, risks: Mapping[Key, Risk]) -> None:
        """Keep ``risks``, in one round trip."""
        if not risks:
            return
        try:
            pipe = self._client.pipeline(transaction=False)
            for key, risk in risks.items():
                ttl_s = round(self._ttl_s * (1 + JITTER * (2 * self._random() - 1)))
                pipe.set(_name(key), _encode(risk), ex=max(1, ttl_s))
            await pipe.execute()
        except (RedisError, OSError) as error:
            _log.warning("result cache not written", error=error, count=len(risks))


def _name(key: Key) -> str:
    return f"inf:r:{key[0]}:{key[1]}"
