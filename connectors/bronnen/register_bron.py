"""A bron with a register at work: answers volgverzoeken and publishes mutaties of followed persons only."""

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from connectors.bronnen.lines import Published
from connectors.bronnen.producer import MutatieProducer
from connectors.bronnen.register import Register
from schemas.catalogue import Catalogue
from schemas.codec import Codec, WireError

log = structlog.get_logger()
_MOST: Final = 2_000  # mutaties that are published before the outbox is cleared of them


class RegisterBron:
    """Connects one register to Kafka. The volgverzoeken are read from the beginning: the topic is compacted, old ones change nothing."""

    def __init__(self, bron: str, catalogue: Catalogue, brokers: str, register: Register) -> None:
        self._topic = f"volgverzoeken.{bron}"
        self._codec = Codec(catalogue)
        self._brokers = brokers
        self._register = register
        self._work = asyncio.Event()

    def deliver(self, deliveries: Sequence[tuple[str, Published]]) -> int:
        """Take (soort, mutatie) into the register; returns how many were new."""
        with self._register.batch():
            new = sum(self._register.deliver(soort, mutatie) for soort, mutatie in deliveries)
        self._work.set()
        return new

    async def run(self) -> None:
        """Work until cancelled; raises aiokafka's errors."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen())
            group.create_task(self._send())

    async def _listen(self) -> None:
        consumer = AIOKafkaConsumer(bootstrap_servers=self._brokers, isolation_level="read_committed", enable_auto_commit=False)
        await consumer.start()
        try:
            await consumer.client.set_topics([self._topic])
            tps = [TopicPartition(self._topic, p) for p in sorted(consumer.partitions_for_topic(self._topic) or ())]
            consumer.assign(tps)
            await consumer.seek_to_beginning(*tps)
            while True:
                found = await consumer.getmany(timeout_ms=1000, max_records=_MOST)
                self._follow([record for records in found.values() for record in records])
        finally:
            await consumer.stop()

    def _follow(self, records: Sequence[object]) -> None:
        if not records:
            return
        with self._register.batch():
            for record in records:
                try:
                    asked = self._codec.decode_volgverzoek(record.value)  # type: ignore[attr-defined]  # aiokafka's ConsumerRecord
                    self._register.follow(record.key.decode(), asked)  # type: ignore[attr-defined]
                except WireError as e:
                    log.warning("volgverzoek skipped", reason=e.reason, topic=self._topic, offset=record.offset)  # type: ignore[attr-defined]
        self._work.set()

    async def _send(self) -> None:
        async with MutatieProducer(self._brokers) as producer:
            while True:
                outgoing = self._register.outgoing(_MOST)
                if not outgoing:
                    await self._work.wait()
                    self._work.clear()
                    continue
                for number, m in enumerate(outgoing):
                    await producer.send(f"mutaties.{m.soort}", m.persoon, m.value, m.headers, number)
                await producer.flush()
                self._register.sent(outgoing)
