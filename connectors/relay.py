"""From what ontvangers report to what the engine is told: the signals that were handled, by the persoon whom they are about.

An ontvanger knows no persoon, and the engine no signaal by name. Between them stand the signal, which cites its basisfeit, and the
mutatie of that, whose key is the persoon. What is told twice, after a crash or a rebalance, changes nothing: so offsets are committed
last, and no more is needed.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, Final, NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import CommitFailedError

from connectors.bronnen.checks import utc_time
from connectors.ontvangers.topic_reader import read_places, read_topics
from schemas.brokers import client_options
from schemas.catalogue import Catalogue
from schemas.cloudevents import afhandeling_headers, source_of
from schemas.codec import Codec, WireError, decode_signaal
from schemas.sources import AFHANDELINGEN
from schemas.values import Afhandeling, Place, Terugmelding

_SIGNALEN, _TERUGMELDINGEN = "signalen.", "terugmeldingen."
_MOST: Final = 5_000  # terugmeldingen at a time: for each time the topics of signals that they are about are read

Named = tuple[str, str, int]  # ontvanger, signaal_id, versie
Told = Callable[[Counter[str]], None]


class _Found(NamedTuple):
    """A terugmelding that counts, and where the basisfeit of its signal stands."""

    terugmelding: Terugmelding
    place: Place


class Relay:
    """Reads all topics of terugmeldingen in one consumer group: several at work share them."""

    def __init__(self, brokers: str, catalogue: Catalogue, toepassing: str) -> None:
        self._brokers, self._codec = brokers, Codec(catalogue)
        self._group = f"{toepassing}-terugmeldingen"
        self._topics = [_TERUGMELDINGEN + o for o in catalogue.ontvangers]
        self._source = source_of(catalogue.bronnen["knooppunt"], toepassing)

    async def run(self, told: Told, *, once: bool = False) -> None:
        """Tell the engine what comes, for ever, or ``once`` what is there; ``told`` hears after each batch what became of it.

        Raises KafkaError.
        """
        consumer = AIOKafkaConsumer(
            *self._topics,
            **client_options(self._brokers),
            group_id=self._group,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        )
        async with consumer, AIOKafkaProducer(**client_options(self._brokers), enable_idempotence=True) as producer:
            while True:
                batch = await consumer.getmany(timeout_ms=1_000, max_records=_MOST)
                if batch:
                    told(await self._tell(producer, [r for records in batch.values() for r in records]))
                    with suppress(CommitFailedError):  # dealt to another in the meantime, who will tell it again
                        await consumer.commit()
                elif once and await _is_done(consumer):
                    return

    async def _tell(self, producer: AIOKafkaProducer, records: Iterable[Any]) -> Counter[str]:
        done = Counter[str]()
        wanted = dict(self._handled(records, done))
        found = [_Found(wanted[name], place) for name, place in (await self._places(wanted)).items()]
        done["onbekend"] += len(wanted) - len(found)
        there = await read_places(self._brokers, [f.place for f in found])
        sent = [await self._send(producer, there[f.place].key, f) for f in found if f.place in there]
        await asyncio.gather(*sent)
        done["gemeld"] += len(sent)
        done["verlopen"] += len(found) - len(sent)
        return Counter({what: number for what, number in done.items() if number})

    def _handled(self, records: Iterable[Any], done: Counter[str]) -> Iterable[tuple[Named, Terugmelding]]:
        """Those that say AFGEHANDELD; the others say nothing to the engine."""
        for record in records:
            try:
                found = self._codec.decode_terugmelding(record.value)
            except WireError:
                done["onleesbaar"] += 1
                continue
            if found.stand == "AFGEHANDELD":
                yield (record.topic.removeprefix(_TERUGMELDINGEN), found.signaal_id, found.versie), found
            else:
                done["niet_afgehandeld"] += 1

    async def _places(self, wanted: Mapping[Named, Terugmelding]) -> Mapping[Named, Place]:
        """Where the basisfeiten of these signals stand, of those that were sent to who reports them; keys alone are read of all others."""
        keys, found = {name.encode() for _, name, _ in wanted}, dict[Named, Place]()
        if not wanted:
            return found
        async for record in read_topics(self._brokers, sorted({_SIGNALEN + o for o, _, _ in wanted})):
            if record.key not in keys:
                continue
            with suppress(WireError):
                signaal = decode_signaal(record.value)
                name = record.topic.removeprefix(_SIGNALEN), signaal.signaal_id, signaal.versie
                if name in wanted:
                    found[name] = Place(signaal.basisfeit.topic, signaal.basisfeit.partition, signaal.basisfeit.offset)
        return found

    async def _send(self, producer: AIOKafkaProducer, persoon: bytes, found: _Found) -> Any:  # noqa: ANN401 - aiokafka's future
        t = found.terugmelding
        value = self._codec.encode_afhandeling(Afhandeling(t.signaal_id, t.versie, t.registratietijd))
        headers = afhandeling_headers(persoon.decode(), t.signaal_id, t.versie, utc_time(t.registratietijd), self._source)
        return await producer.send(AFHANDELINGEN, value, persoon, partition=found.place.partition, headers=headers)


async def _is_done(consumer: AIOKafkaConsumer) -> bool:
    tps = consumer.assignment()
    ends = await consumer.end_offsets(list(tps))
    return bool(tps) and all([await consumer.position(tp) >= end for tp, end in ends.items()])
