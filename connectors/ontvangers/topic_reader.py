"""Reads topics from their beginning to their present end."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.brokers import client_options


async def read_topics(brokers: str, topics: Sequence[str], *, isolation: str = "read_committed") -> AsyncIterator[Any]:
    """All records (aiokafka's ConsumerRecord) of ``topics`` up to where they end now; topics that do not exist have none."""
    consumer = AIOKafkaConsumer(
        *topics, **client_options(brokers), isolation_level=isolation, auto_offset_reset="earliest", enable_auto_commit=False
    )
    await consumer.start()
    try:
        tps = sorted(consumer.assignment())
        if not tps:
            return
        ends = {tp: end for tp, end in (await consumer.end_offsets(tps)).items() if end}
        begins = await consumer.beginning_offsets(tps)
        ends = {tp: end for tp, end in ends.items() if begins[tp] < end}
        while ends:
            for tp, records in (await consumer.getmany(timeout_ms=500)).items():
                for record in records:
                    if tp in ends and record.offset < ends[tp]:
                        yield record
            ends = {tp: end for tp, end in ends.items() if await consumer.position(tp) < end}
    finally:
        await consumer.stop()


async def read_places(brokers: str, places: Sequence[tuple[str, int, int]]) -> Mapping[tuple[str, int, int], Any]:
    """The records at (topic, partition, offset); those that the log no longer has are left out."""
    consumer = AIOKafkaConsumer(**client_options(brokers), isolation_level="read_committed", enable_auto_commit=False)
    await consumer.start()
    found: dict[tuple[str, int, int], Any] = {}
    try:
        for topic, partition, offset in places:
            tp = TopicPartition(topic, partition)
            consumer.assign([tp])
            begin, end = (await consumer.beginning_offsets([tp]))[tp], (await consumer.end_offsets([tp]))[tp]
            if not begin <= offset < end:
                continue
            consumer.seek(tp, offset)
            while await consumer.position(tp) <= offset:
                for record in (await consumer.getmany(tp, timeout_ms=500, max_records=1)).get(tp, []):
                    if record.offset == offset:
                        found[topic, partition, offset] = record
    finally:
        await consumer.stop()
    return found
