"""Faults of the input: delivered thrice, withdrawn before it was stated, and records that nobody can read."""

import asyncio
from random import Random

from aiokafka import AIOKafkaProducer

from connectors.bronnen.population import Delivery
from schemas.codec import Codec
from tests.faults.field import Fault, Run
from tests.faults.of_workers import killed_at_random

PERSOON = b"B" * 52


def thrice(rnd: Random, deliveries: list[Delivery]) -> list[Delivery]:
    """Each delivery comes three times, in any order."""
    found = deliveries[: len(deliveries) // 2] * 3
    rnd.shuffle(found)
    return found


def newest_first(rnd: Random, deliveries: list[Delivery]) -> list[Delivery]:
    """Of every record the last version, often a withdrawal, comes before those that it replaces."""
    places = {}
    for place, d in enumerate(deliveries):
        places.setdefault((d.soort, d.line["record_id"]), []).append(place)
    found = list(deliveries)
    for same in places.values():
        ordered = sorted((deliveries[p] for p in same), key=lambda d: -d.line["versie"])
        for place, d in zip(same, ordered, strict=True):
            found[place] = d
    return found


def poison(rnd: Random, codec: Codec) -> tuple[bytes, bytes | None]:
    """A key and a value that nobody can read."""
    good = codec.encode(
        1,
        {
            "record_id": f"vergiftigd-{rnd.randrange(10**9)}",
            "versie": 1,
            "registratietijd": 1_760_000_000_000,
            "feit": {"begindatum": 20_000, "einddatum": None, "houder": "gm0014", "kenmerk": "K", "wet": "IOAW"},
        },
    )
    values = [
        None,  # empty
        b"",
        b"\x01" + good[1:],  # wrong magic byte
        good[:1] + b"\x00\x00\x03\xe7" + good[5:],  # unknown schema
        good[: rnd.randrange(1, len(good))],  # truncated
        good[:1] + b"\x00\x00\x00\x02" + good[5:],  # a type of another topic
        rnd.randbytes(rnd.randrange(1, 200)).replace(b"\x00", b"\x01"),
        good + bytes(2 << 20),  # 2 MB
    ]
    return PERSOON, rnd.choice(values)


async def poisoned(run: Run) -> None:
    """One record in five cannot be read, while workers are killed."""
    codec, number = Codec(run.place.catalogue), len(run.deliveries) // 5
    run.quarantined = number
    killing = asyncio.create_task(killed_at_random(run))
    producer = AIOKafkaProducer(
        bootstrap_servers=run.node.brokers, enable_idempotence=True, compression_type="lz4", max_request_size=4 << 20
    )
    async with producer:
        for i in range(number):
            key, value = poison(run.rnd, codec)
            await producer.send("mutaties.gemeente.bijstand", value, key, partition=run.rnd.randrange(4))
            if i % 50 == 0:
                await asyncio.sleep(0.2)
        await producer.flush()
    await killing


FAULTS = [
    Fault("everything delivered thrice, workers killed", killed_at_random, shape=thrice),
    Fault("withdrawals before what they withdraw, workers killed", killed_at_random, shape=newest_first, fast=False),
    Fault("poison records, workers killed", poisoned),
]
