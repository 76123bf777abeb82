"""A Kafka for one round: fresh, with the catalogue's topics, and what the benchmark asks of it."""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from bench.meter import cpu_of
from connectors.broker.embedded import EmbeddedBroker
from connectors.broker.topics import INDEX_BYTES, apply_topics
from schemas.catalogue import Catalogue

PARTITIES: Final = 4
APP: Final = "samenloop"

# As the product's own topics have it, so that no system pays more than another for the first entry in an index.
_SMALL_INDEX: Final = {"log.index.size.max.bytes": str(INDEX_BYTES)}

Ends = Mapping[tuple[str, int], int]  # (topic, partition) → offset behind the last record


@dataclass(frozen=True)
class Cluster:
    """A broker with the topics of ``catalogue``; ``folder`` is its own."""

    brokers: str
    broker_pid: int
    folder: Path
    catalogue: Catalogue
    catalogue_folder: Path

    @property
    def sources(self) -> list[str]:
        """The topics of mutaties."""
        return [f"mutaties.{s}" for s in self.catalogue.mutatie_topics]

    def create(self, topics: Iterable[str]) -> None:
        """Make topics that are not the catalogue's; raises KafkaException."""
        admin = AdminClient({"bootstrap.servers": self.brokers})
        for future in admin.create_topics([NewTopic(t, PARTITIES, 1) for t in topics]).values():
            future.result()

    def delete(self, topics: Iterable[str]) -> None:
        """Remove topics; raises KafkaException."""
        admin = AdminClient({"bootstrap.servers": self.brokers})
        for future in admin.delete_topics(list(topics)).values():
            future.result()

    def ends(self, topics: Iterable[str]) -> Ends:
        """Where each partition ends now."""
        consumer = self.consumer()
        try:
            found: dict[tuple[str, int], int] = {}
            for topic in topics:
                for p in consumer.list_topics(topic, timeout=20).topics[topic].partitions:
                    found[topic, p] = consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=20)[1]
            return found
        finally:
            consumer.close()

    def consumer(self, **settings: object) -> Consumer:
        """A consumer of committed records that takes part in no group's work."""
        fixed = {"group.id": "bench", "isolation.level": "read_committed", "enable.auto.commit": False}
        return Consumer({"bootstrap.servers": self.brokers, **fixed, **settings})

    def signals(self) -> list[tuple[str, bytes]]:
        """(topic, value) of every signal that stands, in the order of each topic."""
        consumer, found = self.consumer(**{"enable.partition.eof": True}), []
        consumer.assign([TopicPartition(f"signalen.{o}", 0, 0) for o in self.catalogue.ontvangers])
        left = len(self.catalogue.ontvangers)
        while left:
            for message in consumer.consume(10_000, 5):
                if message.error():
                    left -= 1
                else:
                    found.append((message.topic() or "", message.value() or b""))
        consumer.close()
        return found

    def settle(self, seconds: float = 8) -> None:
        """Wait until the broker has nothing left to do, at most ``seconds``."""
        deadline, calm = time.monotonic() + seconds, 0
        while calm < 2 and time.monotonic() < deadline:
            before = cpu_of(self.broker_pid)
            time.sleep(1)
            calm = calm + 1 if cpu_of(self.broker_pid) - before < 0.12 else 0


class Lag:
    """How far the engine's committed offsets are from ``ends``."""

    def __init__(self, cluster: Cluster, ends: Ends) -> None:
        self._admin = AdminClient({"bootstrap.servers": cluster.brokers})
        self._ends = ends
        self._asked = ConsumerGroupTopicPartitions(APP, [TopicPartition(t, p) for t, p in ends])

    def read(self) -> int:
        """Records that are not committed; all of them while Kafka does not know the group."""
        try:
            found = self._admin.list_consumer_group_offsets([self._asked])[APP].result().topic_partitions
        except KafkaException:
            found = []
        committed = {(tp.topic, tp.partition): max(0, tp.offset) for tp in found}
        return sum(max(0, end - committed.get(tp, 0)) for tp, end in self._ends.items())


@contextmanager
def cluster_in(folder: Path, catalogue_folder: Path) -> Iterator[Cluster]:
    """A fresh cluster in ``folder``, stopped at the end."""
    broker = EmbeddedBroker(folder, heap_mb=1024, settings=_SMALL_INDEX)
    catalogue = Catalogue.load(catalogue_folder)
    running = broker.start()
    try:
        asyncio.run(apply_topics(running.bootstrap, catalogue, partities=PARTITIES, replicatie=1, toepassing=APP))
        kafka = psutil.Process(running.pid).children()[0].pid  # behind its guard
        yield Cluster(running.bootstrap, kafka, folder, catalogue, catalogue_folder)
    finally:
        broker.stop()
