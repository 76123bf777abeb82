"""A worker ends when it is told to, also when its Kafka went while it started."""

import asyncio
import signal
import time
from pathlib import Path

from connectors.broker.embedded import EmbeddedBroker
from connectors.broker.topics import apply_topics
from schemas.catalogue import Catalogue
from tests.node import APP, PARTITIES, Node


def test_sigterm_ends_a_worker_whose_kafka_went_while_it_started(tmp_path: Path, catalogue: Catalogue) -> None:
    broker = EmbeddedBroker(tmp_path)
    node = Node(broker.start().bootstrap, tmp_path, catalogue)
    try:
        asyncio.run(apply_topics(node.brokers, catalogue, partities=PARTITIES, replicatie=1, toepassing=APP))
        worker = node.start_worker()
        while "health is told" not in node.logs()[0]:
            assert worker.poll() is None
            time.sleep(0.02)
        broker.stop()
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(15) in {0, 2}
    finally:
        for worker in node.workers:
            worker.kill()
        broker.stop()
