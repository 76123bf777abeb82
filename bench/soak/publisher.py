"""An open-loop publisher: so many mutations a second, whatever the node makes of them."""

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from bench.workload import Delivery
from connectors.bronnen.producer import MutatieProducer
from tests.node import Node

_TICK = 0.1  # seconds: ten batches a second and partition, as a bron sends that gathers what happens

_MOST = 2_000  # mutations before the others of this event loop get their turn


class SteadyPublisher:
    """Publishes ``deliveries`` through the edge; the registratietijd of each is the moment at which it was due."""

    def __init__(self, node: Node, deliveries: Iterator[Delivery], rate: float) -> None:
        self._node = node
        self._deliveries = deliveries
        self._rate = rate
        self.stopped = False  # set to end before the time
        self.published = 0
        self.behind = 0.0  # most seconds that the publisher itself was late; large: the machine, not the node, was measured

    async def run(self, seconds: float) -> None:
        """Publish for ``seconds``."""
        begin = time.time()
        async with MutatieProducer(self._node.brokers) as producer:
            while not self.stopped and (gone := time.time() - begin) < seconds:
                for number in range(self.published, min(int(gone * self._rate), self.published + _MOST)):
                    due = begin + number / self._rate
                    self.behind = max(self.behind, time.time() - due)
                    soort, line = next(self._deliveries)
                    m = self._node.checked(soort, {**line, "registratietijd": _iso(due)})
                    await producer.send(f"mutaties.{soort}", m.persoon, m.value, m.headers, number)
                    self.published = number + 1
                await producer.flush()
                await asyncio.sleep(0 if self.published < int(gone * self._rate) else _TICK)


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
