"""The edge's partitioner is Kafka's: all bronnen send a persoon's records to one partition."""

import pytest
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from schemas.partitioner import murmur2, partition_of


@pytest.mark.parametrize(
    ("key", "hashed"),
    [(b"21", -973932308), (b"foobar", -790332482), (b"a-little-bit-long-string", -985981536), (b"a-little-bit-longer-string", -1486304829)],
)
def test_it_hashes_as_apache_kafka_does(key: bytes, hashed: int) -> None:
    """The figures of Apache Kafka's own test of murmur2."""
    assert murmur2(key) == hashed & 0xFFFFFFFF


@given(st.binary(max_size=70), st.integers(1, 1024))
def test_any_key_has_the_partition_that_aiokafka_gives_it(key: bytes, partitions: int) -> None:
    every = list(range(partitions))
    assert partition_of(key, partitions) == DefaultPartitioner()(key, every, every)
