"""A Kafka that all runs of an invocation share, with topics that are fresh for each, and what the benchmark asks of it."""

import asyncio
import shutil
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

_SETTINGS: Final = {
    # As the product's own topics have it, so that no system pays more than another for the first entry in an index.
    "log.index.size.max.bytes": str(INDEX_BYTES),
    # What one run leaves behind is removed before the next, not in the midst of it.
    "log.segment.delete.delay.ms": "1000",
}

Ends = Mapping[tuple[str, int], int]  # (topic, partition) → offset behind the last record


@dataclass(frozen=True)
class Broker:
    """A Kafka that runs; ``folder`` is its own."""

    bootstrap: str
    pid: int
    folder: Path


@dataclass(frozen=True)
class Cluster:
    """The topics of ``catalogue`` on a broker."""

    broker: Broker
    catalogue: Catalogue
    catalogue_folder: Path

    @property
    def brokers(self) -> str:
        """Bootstrap servers."""
        return self.broker.bootstrap

    @property
    def folder(self) -> Path:
        """A place for files that go with the broker."""
        return self.broker.folder

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
        """Remove topics and wait until they are gone; raises KafkaException."""
        admin, left = AdminClient({"bootstrap.servers": self.brokers}), set(topics)
        for future in admin.delete_topics(list(left)).values():
            future.result()
        while left & set(admin.list_topics(timeout=20).topics):
            time.sleep(0.1)

    def clear(self) -> None:
        """Remove all topics but Kafka's own, whoever made them."""
        admin = AdminClient({"bootstrap.servers": self.brokers})
        self.delete(t for t in admin.list_topics(timeout=20).topics if not t.startswith("__"))

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
            before = cpu_of(self.broker.pid)
            time.sleep(1)
            calm = calm + 1 if cpu_of(self.broker.pid) - before < 0.12 else 0


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
def broker_in(folder: Path) -> Iterator[Broker]:
    """A broker in ``folder``, which is emptied before and removed at the end."""
    shutil.rmtree(folder, ignore_errors=True)  # of a run that was broken off
    broker = EmbeddedBroker(folder, heap_mb=1024, settings=_SETTINGS)
    try:
        running = broker.start()
        kafka = psutil.Process(running.pid).children()[0].pid  # behind its guard
        yield Broker(running.bootstrap, kafka, folder)
    finally:
        broker.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def cluster_on(broker: Broker, catalogue_folder: Path) -> Iterator[Cluster]:
    """Fresh topics of a catalogue; at the end the broker has no topics any more, and with them no offsets of groups."""
    cluster = Cluster(broker, Catalogue.load(catalogue_folder), catalogue_folder)
    asyncio.run(apply_topics(broker.bootstrap, cluster.catalogue, partities=PARTITIES, replicatie=1, toepassing=APP))
    yield cluster
    cluster.clear()
