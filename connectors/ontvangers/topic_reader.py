"""Reads topics from their beginning to their present end."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.brokers import client_options
from schemas.values import Place

_NEAR: Final = 2_000  # offsets


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
        async for record in _until(consumer, await consumer.end_offsets(tps)):
            yield record
    finally:
        await consumer.stop()


async def read_partition(brokers: str, partition: int, until: Mapping[str, int | None]) -> AsyncIterator[Any]:
    """The records of one partition of some topics: topic → the offset to stop before, None for its present end."""
    consumer = AIOKafkaConsumer(
        **client_options(brokers), isolation_level="read_committed", auto_offset_reset="earliest", enable_auto_commit=False
    )
    await consumer.start()
    try:
        tps = {TopicPartition(topic, partition): end for topic, end in until.items()}
        consumer.assign(list(tps))
        await consumer.seek_to_beginning(*tps)
        now = await consumer.end_offsets(list(tps))
        async for record in _until(consumer, {tp: now[tp] if end is None else min(end, now[tp]) for tp, end in tps.items()}):
            yield record
    finally:
        await consumer.stop()


async def _until(consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> AsyncIterator[Any]:
    begins = await consumer.beginning_offsets(list(ends))
    open_ = {tp: end for tp, end in ends.items() if begins[tp] < end}
    while open_:
        for tp, records in (await consumer.getmany(*open_, timeout_ms=500)).items():
            for record in records:
                if record.offset < open_[tp]:
                    yield record
        open_ = {tp: end for tp, end in open_.items() if await consumer.position(tp) < end}


async def read_places(brokers: str, places: Sequence[Place]) -> Mapping[Place, Any]:
    """The records at (topic, partition, offset); those that the log no longer has are left out."""
    consumer = AIOKafkaConsumer(**client_options(brokers), isolation_level="read_committed", enable_auto_commit=False)
    await consumer.start()
    found: dict[Place, Any] = {}
    wanted: dict[TopicPartition, list[int]] = {}
    for place in sorted(set(places)):
        wanted.setdefault(TopicPartition(place.topic, place.partition), []).append(place.offset)
    try:
        for tp, offsets in wanted.items():
            consumer.assign([tp])
            begin, end = (await consumer.beginning_offsets([tp]))[tp], (await consumer.end_offsets([tp]))[tp]
            async for record in _at(consumer, tp, [o for o in offsets if begin <= o < end]):
                found[Place(tp.topic, tp.partition, record.offset)] = record
    finally:
        await consumer.stop()
    return found


async def _at(consumer: AIOKafkaConsumer, tp: TopicPartition, offsets: Sequence[int]) -> AsyncIterator[Any]:
    """The records at ``offsets``, rising; what lies near behind another is read on to, which is less than to fetch anew."""
    position = -_NEAR
    for offset in offsets:
        if offset >= position + _NEAR:
            consumer.seek(tp, offset)
            position = offset
        while position <= offset:
            for record in (await consumer.getmany(tp, timeout_ms=500, max_records=offset - position + 1)).get(tp, []):
                if record.offset == offset:
                    yield record
            position = await consumer.position(tp)
