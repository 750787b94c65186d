"""Which partition a key belongs to: Kafka's own murmur2, so every client and topic agrees."""

from functools import lru_cache
from struct import unpack_from

_SEED = 0x9747B28C
_MIX = 0x5BD1E995
_MASK = 0xFFFFFFFF


def partition_of(key: bytes, partitions: int) -> int:
    """Return the partition of ``key`` among ``partitions``, as Kafka's default partitioner does."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions if partitions > 1 else 0


@lru_cache(maxsize=65_536)  # few keys at a time, and each comes back often
def murmur2(key: bytes) -> int:
    """Return the 32-bit MurmurHash2 of ``key``, unsigned."""
    length = len(key)
    digest = _SEED ^ length
    for word in unpack_from(f"<{length // 4}I", key):
        mixed = word * _MIX & _MASK
        mixed = (mixed ^ mixed >> 24) * _MIX & _MASK
        digest = (digest * _MIX & _MASK) ^ mixed
    if rest := key[length & ~3 :]:
        digest = (digest ^ int.from_bytes(rest, "little")) * _MIX & _MASK
    digest = (digest ^ digest >> 13) * _MIX & _MASK
    return digest ^ digest >> 15
