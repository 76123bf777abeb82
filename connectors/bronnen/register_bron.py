"""A bron with a register at work: answers volgverzoeken and publishes mutaties of followed persons only."""

import asyncio
from collections.abc import Sequence
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
            while True:
                found = await consumer.getmany(timeout_ms=1000, max_records=_MOST)
                self._follow([record for records in found.values() for record in records])
        finally:
            await consumer.stop()

    def _follow(self, records: Sequence[Any]) -> None:  # aiokafka's ConsumerRecord has no type under strict
        if not records:
            return
        with self._register.batch():
            for record in records:
                try:
                    self._register.follow(*self._asked(record))
                except WireError as e:
                    log.warning(
                        "volgverzoek skipped", reason=e.reason, topic=record.topic, partition=record.partition, offset=record.offset
                    )
        self._work.set()

    def _asked(self, record: Any) -> tuple[str, Volgverzoek]:  # noqa: ANN401
        if record.key is None or not PERSOON.fullmatch(record.key):
            raise WireError(Reason.SLEUTEL_ONGELDIG)
        return record.key.decode(), self._codec.decode_volgverzoek(record.value)

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
