"""A bron with a register at work: answers volgverzoeken and publishes mutaties of followed persons only."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Final, Self

import structlog
from aiokafka import AIOKafkaConsumer

from connectors.bronnen.lines import Published
from connectors.bronnen.producer import MutatieProducer
from connectors.bronnen.register import Register
from schemas.brokers import client_options
from schemas.catalogue import Catalogue
from schemas.codec import Codec, WireError
from schemas.reasons import Reason
from schemas.values import PERSOON, Volgverzoek

log = structlog.get_logger()
_MOST: Final = 2_000  # mutaties that are published before the outbox is cleared of them
_LOOK_SECONDS: Final = 1.0  # after which the outbox is looked at again: another process may fill it too


class RegisterBron:
    """Connects one register to Kafka. The volgverzoeken are read from the beginning: the topic is compacted, old ones change nothing.

    Either ``await run()``, or ``async with`` the bron and ``await drained()``.
    """

    def __init__(self, bron: str, catalogue: Catalogue, brokers: str, register: Register) -> None:
        self._topic = None if catalogue.bronnen[bron].filtert_zelf else f"volgverzoeken.{bron}"
        self._codec = Codec(catalogue)
        self._brokers = brokers
        self._register = register
        self._work = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    def deliver(self, deliveries: Sequence[tuple[str, Published]]) -> int:
        """Take (soort, mutatie) into the register, all or none; returns how many were new. They stand when it returns."""
        with self._register.batch():
            new = sum(self._register.deliver(soort, mutatie) for soort, mutatie in deliveries)
        self._work.set()
        return new

    async def run(self) -> None:
        """Work until cancelled; raises KafkaError or TopicMissingError when Kafka cannot be used."""
        async with MutatieProducer(self._brokers) as producer:
            tasks = [self._send(producer)]
            if self._topic is not None:
                await producer.require(self._topic)
                tasks.append(self._listen(self._topic))
            working = [asyncio.create_task(t) for t in tasks]
            try:
                ended, _ = await asyncio.wait(working, return_when=asyncio.FIRST_COMPLETED)
                for task in ended:
                    task.result()
            finally:
                for task in working:
                    task.cancel()
                await asyncio.gather(*working, return_exceptions=True)

    async def start(self) -> None:
        """Work in the background of this event loop."""
        self._running = asyncio.create_task(self.run())

    async def stop(self) -> None:
        """Stop; what is still in the outbox goes out after the next start. Raises what ended the work before."""
        if self._running is not None:
            self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running
            self._running = None

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        await self.stop()

    async def drained(self) -> None:
        """Wait until Kafka has all that is in the outbox; raises what ended the work."""
        while self._register.waiting():
            if self._running is None or self._running.done():
                await self.stop()
                raise RuntimeError("the outbox is not empty and nobody works on it")
            await asyncio.sleep(0.02)

    async def _listen(self, topic: str) -> None:
        consumer = AIOKafkaConsumer(
            topic, **client_options(self._brokers), isolation_level="read_committed", auto_offset_reset="earliest"
        )  # without a group: all partitions, from the beginning
        try:
            await consumer.start()
            await self._catch_up(consumer)
            while True:
                self._follow(await self._fetched(consumer))
        finally:
            await consumer.stop()

    async def _catch_up(self, consumer: AIOKafkaConsumer) -> None:
        """Read what stands, all of it; of a null that Kafka has cleaned up nothing tells but that the persoon is not there."""
        standing = dict[str, Volgverzoek | None]()
        for tp, end in (await consumer.end_offsets(consumer.assignment())).items():
            while await consumer.position(tp) < end:
                asked = await self._fetched(consumer)
                self._follow(asked)
                standing.update(asked)
        with self._register.batch():
            self._register.compare(standing)
        self._work.set()

    async def _fetched(self, consumer: AIOKafkaConsumer) -> list[tuple[str, Volgverzoek | None]]:
        """What comes next, of each persoon what is asked, or that it was erased."""
        found = await consumer.getmany(timeout_ms=1000, max_records=_MOST)
        return [*self._asked(record for records in found.values() for record in records)]

    def _follow(self, asked: Sequence[tuple[str, Volgverzoek | None]]) -> None:
        if not asked:
            return
        with self._register.batch():
            for persoon, volgverzoek in asked:
                if volgverzoek is None:
                    self._register.forget(persoon)
                else:
                    self._register.follow(persoon, volgverzoek)
        self._work.set()

    def _asked(self, records: Iterable[Any]) -> Iterator[tuple[str, Volgverzoek | None]]:  # Any: aiokafka has no types under strict
        for record in records:
            try:
                yield self._read(record)
            except WireError as e:
                log.warning("volgverzoek skipped", reason=e.reason, topic=record.topic, partition=record.partition, offset=record.offset)

    def _read(self, record: Any) -> tuple[str, Volgverzoek | None]:  # noqa: ANN401
        if record.key is None or not PERSOON.fullmatch(record.key):
            raise WireError(Reason.SLEUTEL_ONGELDIG)
        return record.key.decode(), None if record.value is None else self._codec.decode_volgverzoek(record.value)

    async def _send(self, producer: MutatieProducer) -> None:
        while True:
            self._work.clear()
            outgoing = self._register.outgoing(_MOST)
            if not outgoing:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._work.wait(), _LOOK_SECONDS)
                continue
            for number, m in enumerate(outgoing):
                await producer.send(f"mutaties.{m.soort}", m.persoon, m.value, m.headers, number)
            await producer.flush()
            self._register.sent(outgoing)
