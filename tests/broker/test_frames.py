"""The frame transport on a real Kafka: what was fetched and left comes again."""

from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.structs import OffsetAndMetadata

from schemas.catalogue import Catalogue
from streams.app import build_app
from streams.settings import EngineSettings

FRESH, READ = TopicPartition("fetched-and-left", 0), TopicPartition("fetched-and-committed", 0)


async def test_what_was_fetched_and_left_comes_again_also_where_nothing_was_ever_committed(
    brokers: str, catalogue: Catalogue, tmp_path: Path
) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=brokers)
    await admin.start()
    await admin.create_topics([NewTopic(tp.topic, 1, 1) for tp in (FRESH, READ)])
    await admin.close()
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
