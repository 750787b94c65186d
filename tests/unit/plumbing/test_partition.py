"""Our murmur2 is Kafka's: a key must be where every other client looks for it."""

from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner.default import murmur2 as kafkas_murmur2

from plumbing.partition import murmur2, partition_of


@given(st.binary(max_size=70))
def test_equal_to_kafkas_own(key: bytes) -> None:
    assert murmur2(key) == kafkas_murmur2(key) & 0xFFFFFFFF


@given(st.binary(max_size=40), st.integers(1, 64))
def test_partition_is_kafkas_choice(key: bytes, partitions: int) -> None:
    assert partition_of(key, partitions) == (kafkas_murmur2(key) & 0x7FFFFFFF) % partitions


def test_known_vector() -> None:
    assert murmur2(b"21") == -973932308 & 0xFFFFFFFF  # from Kafka's own UtilsTest
