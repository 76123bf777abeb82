"""The klok: a tick for a day on every partition, the only way that today's date reaches a rule."""

import asyncio
from collections.abc import Callable
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from aiokafka import AIOKafkaProducer

from schemas.brokers import client_options
from schemas.catalogue import Catalogue
from schemas.cloudevents import klok_headers, source_of
from schemas.codec import Codec
from schemas.sources import KLOK

_EPOCH: Final = date(1970, 1, 1)
_STEP: Final = 10.0  # seconds after which to look at the clock again
_ZONE: Final = ZoneInfo("Europe/Amsterdam")  # the days of the law are those of the Netherlands


async def tick(brokers: str, catalogue: Catalogue, day: date) -> int:
    """Begin ``day`` on all partitions; how many there are. To begin it again, or one before it, changes nothing. Raises KafkaError."""
    value = Codec(catalogue).encode(catalogue.latest_schema(KLOK).id, {"datum": (day - _EPOCH).days})
    headers = klok_headers(day.isoformat(), source_of(catalogue.bronnen["knooppunt"], KLOK))
    async with AIOKafkaProducer(**client_options(brokers), enable_idempotence=True) as producer:
        partitions = sorted(await producer.partitions_for(KLOK))
        await asyncio.gather(*[await producer.send(KLOK, value, partition=p, headers=headers) for p in partitions])
    return len(partitions)


def today() -> date:
    """The day that it is in the Netherlands."""
    return datetime.now(_ZONE).date()


async def every_day(brokers: str, catalogue: Catalogue, told: Callable[[date, int], None] = lambda _day, _partitions: None) -> None:
    """Begin today, and each day that comes after it, until cancelled; raises KafkaError."""
    while True:
        day = today()
        told(day, await tick(brokers, catalogue, day))
        while today() == day:  # noqa: ASYNC110 - in steps: a machine may sleep, and its clock may be set
            await asyncio.sleep(_STEP)
