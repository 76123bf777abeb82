"""The frame transport on a real Kafka: what was fetched and left comes again, and the bytes hold what aiokafka reads."""

from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.structs import OffsetAndMetadata

from schemas.catalogue import Catalogue
from streams.app import build_app
from streams.fetch import fetch_runs
from streams.settings import EngineSettings

FRESH, READ = TopicPartition("fetched-and-left", 0), TopicPartition("fetched-and-committed", 0)


async def test_what_was_fetched_and_left_comes_again_also_where_nothing_was_ever_committed(
    brokers: str, catalogue: Catalogue, tmp_path: Path
) -> None:
    await _make(brokers, FRESH, READ)
    async with AIOKafkaProducer(bootstrap_servers=brokers) as producer:
        for tp in (FRESH, READ):
            for i in range(5):
                await producer.send_and_wait(tp.topic, b"%d" % i, partition=0)
    app = build_app(EngineSettings(brokers, "left", 1, tmp_path), catalogue)
    thread: Any = app.consumer._new_consumer_thread()
    async with AIOKafkaConsumer(
        FRESH.topic, READ.topic, bootstrap_servers=brokers, group_id="left", auto_offset_reset="earliest", enable_auto_commit=False
    ) as thread._consumer:
        found = 0
        while found < 10:
            found += sum(map(len, (await thread._consumer.getmany(timeout_ms=500)).values()))
        await thread._consumer.commit({READ: OffsetAndMetadata(3, "")})

        await thread._seek_to_committed()

        assert [await thread._consumer.position(tp) for tp in (FRESH, READ)] == [0, 3]


@pytest.mark.parametrize("codec", [None, "gzip", "snappy", "lz4", "zstd"])
async def test_runs_hold_what_aiokafka_reads_and_nothing_that_a_transaction_took_back(brokers: str, codec: str | None) -> None:
    tp = TopicPartition(f"runs-{codec}", 0)
    await _make(brokers, tp)
    await _write(brokers, tp, codec)
    read, runs = [AIOKafkaConsumer(bootstrap_servers=brokers, isolation_level="read_committed") for _ in range(2)]
    async with read, runs:
        fetch_runs(runs, 7)
        for consumer in (read, runs):
            consumer.assign([tp])
            consumer.seek(tp, 13)
        wanted = await _all(read, tp)
        found = await _all(runs, tp)
    assert [(r.key, r.value, r.offset) for run in found for r in run] == [(r.key, r.value, r.offset) for r in wanted]
    assert {r.value for r in wanted} == {b"kept"}
    assert max(map(len, found)) <= 7 + 10


async def _make(brokers: str, *tps: TopicPartition) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=brokers)
    await admin.start()
    await admin.create_topics([NewTopic(tp.topic, 1, 1) for tp in tps])
    await admin.close()


async def _write(brokers: str, tp: TopicPartition, codec: str | None) -> None:
    """Transactions of ten records in one batch, each third of them taken back."""
    async with AIOKafkaProducer(bootstrap_servers=brokers, transactional_id=tp.topic, compression_type=codec) as producer:
        for number in range(12):
            await producer.begin_transaction()
            kept, batch = number % 3 != 1, producer.create_batch()
            value = b"kept" if kept else b"taken back"
            for i in range(10):
                batch.append(timestamp=None, key=b"%d-%d" % (number, i), value=value, headers=[("ce_id", b"1")])
            await (await producer.send_batch(batch, tp.topic, partition=tp.partition))
            await (producer.commit_transaction() if kept else producer.abort_transaction())


async def _all(consumer: Any, tp: TopicPartition) -> list[Any]:
    """What a consumer gives up to the end of a partition."""
    found: list[Any] = []
    while await consumer.position(tp) < (await consumer.end_offsets([tp]))[tp]:
        found += (await consumer.getmany(timeout_ms=200)).get(tp, [])
    return found
