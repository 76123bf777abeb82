"""Bytes made by hand, also such as no writer makes, and what reads each kind of topic."""

import struct
from collections.abc import Callable
from functools import partial
from typing import Any

from schemas.catalogue import Catalogue
from schemas.codec import Codec, WireError
from schemas.reasons import Reason
from tests.contract.examples import Example

CATALOGUE = Catalogue.load()
CODEC = Codec(CATALOGUE)
TOPICS = sorted(t.topic for t in CATALOGUE.mutatie_topics.values())
Read = Callable[[bytes], Any]
READERS: dict[str, Read] = {
    **{topic: partial(CODEC.decode_mutatie, topic) for topic in TOPICS},
    "klok": CODEC.decode_klok,
    "volgverzoeken": CODEC.decode_volgverzoek,
    "terugmeldingen": CODEC.decode_terugmelding,
    "afhandelingen": CODEC.decode_afhandeling,
    "nummerwijzigingen": CODEC.decode_nummerwijziging,
    "<toepassing>-overdrachten": CODEC.decode_overdracht,
}
SCHEMA_OF = {
    **{topic: CATALOGUE.latest_schema(topic).id for topic in TOPICS},
    "klok": 100,
    "volgverzoeken": 101,
    "terugmeldingen": 60,
    "afhandelingen": 61,
    "nummerwijzigingen": 62,
    "<toepassing>-overdrachten": 114,
}


def number(n: int) -> bytes:
    """An int or long as Avro writes it, of any size up to 64 bits."""
    rest = (n << 1) ^ (n >> 63)
    out = bytearray()
    while rest > 127:
        out.append(rest & 127 | 128)
        rest >>= 7
    return bytes([*out, rest])


def text(s: str) -> bytes:
    return number(len(s)) + s.encode("ascii")


def frame(schema_id: int, *parts: bytes) -> bytes:
    return struct.pack(">bI", 0, schema_id) + b"".join(parts)


def kind_of(example: Example) -> str:
    """Which of READERS reads it."""
    return example.topic if example.topic in READERS else example.topic.split(".")[0]


def reason_of(read: Read, data: bytes) -> Reason | None:
    """Why ``data`` is refused, None when it is taken; any other error fails the test."""
    try:
        read(data)
    except WireError as e:
        return e.reason
    return None


MUTATIE = text("r") + number(1) + number(0)  # record_id, versie, registratietijd; the feit follows
WITHDRAWN = number(0)
