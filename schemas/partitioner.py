"""The partition of a key, as Kafka's default partitioner has it: all who write must agree where a persoon's records meet."""

from functools import lru_cache
from struct import Struct
from typing import Final

_SEED: Final = 0x9747B28C
_M: Final = 0x5BD1E995
_32_BITS: Final = 0xFFFFFFFF


@lru_cache(maxsize=4096)  # what a bron has of one persoon stands close together in what it delivers
def partition_of(key: bytes, partitions: int) -> int:
    """The number of the partition, from 0, of ``key`` in a topic of ``partitions``."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


def murmur2(data: bytes) -> int:
    """Kafka's murmur2 of ``data`` as an unsigned number of 32 bits; aiokafka's own goes byte by byte and takes twice as long."""
    length = len(data)
    h = _SEED ^ length
    for k in _words(length >> 2).unpack_from(data):
        k = k * _M & _32_BITS  # noqa: PLW2901 - the hot loop of publish
        h = (h * _M ^ (k ^ k >> 24) * _M) & _32_BITS
    if rest := length & 3:
        h = (h ^ int.from_bytes(data[-rest:], "little")) * _M & _32_BITS
    h = (h ^ h >> 13) * _M & _32_BITS
    return h ^ h >> 15


@lru_cache(maxsize=256)
def _words(number: int) -> Struct:
    return Struct(f"<{number}I")
