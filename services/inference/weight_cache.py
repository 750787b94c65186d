"""Model weights in Redis, so that a new worker starts without a copy of the model folder.

What is read is verified like a file is; Redis being away is a miss.
"""

from typing import cast

from redis import Redis
from redis.exceptions import RedisError


class RedisWeightCache:
    """A ``registry.WeightCache`` on a blocking Redis client that gives bytes."""

    def __init__(self, client: "Redis") -> None:
        """Use ``client``, whose timeouts bound how long a load may hang on Redis."""
        self._client = client

    def get(self, key: str) -> bytes | None:
        """Return the value, or None; raise ``OSError`` when Redis does not answer."""
        try:
            return cast("bytes | None", self._client.get(key))
        except RedisError as error:
            raise OSError("redis does not answer") from error

    def put(self, key: str, value: bytes, ttl_s: int) -> None:
        """Keep the value for a while; raise ``OSError`` when Redis does not take it."""
        try:
            self._client.set(key, value, ex=ttl_s)
        except RedisError as error:
            raise OSError("redis does not take it") from error
