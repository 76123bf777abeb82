"""What the soak sees from outside: the signals as ontvangers get them, and the state as it stands in the changelog."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.core.timeline import is_head
from streams.effects import META_KEY
from tests.oracle import Folding


class _Cause(msgspec.Struct):
    partition: int


class _Registered(msgspec.Struct):
    registratietijd: str
    oorzaak: _Cause


Heard = Callable[[int, float, float], None]  # partition of the cause, moment of registration, moment of arrival


_decode = msgspec.json.Decoder(_Registered).decode


class SignalWatch:
    """Reads signals under read_committed, folds them, and takes the time from registration to arrival."""

    def __init__(self, heard: Heard | None = None) -> None:
        self._heard = heard
        self.folding = Folding()
        self.signals = 0
        self.latencies: Counter[int] = Counter()  # milliseconds → signals, since last taken
        self.all_latencies: Counter[int] = Counter()

    async def run(self, brokers: str, topics: Sequence[str]) -> None:
        """Watch until cancelled."""
        consumer = AIOKafkaConsumer(
            *topics, bootstrap_servers=brokers, isolation_level="read_committed", auto_offset_reset="earliest", fetch_max_wait_ms=50
        )
        await consumer.start()
        try:
            while True:
                for tp, records in (await consumer.getmany(timeout_ms=200)).items():
                    now = time.time()
                    for record in records:
                        signaal = _decode(record.value)
                        registered = datetime.fromisoformat(signaal.registratietijd).timestamp()
                        if self._heard is not None:
                            self._heard(signaal.oorzaak.partition, registered, now)
                        self.latencies[round(1000 * (now - registered))] += 1
                        self.folding.add(tp.topic, record.value)
                        self.signals += 1
                    await asyncio.sleep(0)
        finally:
            await consumer.stop()

    def take(self) -> tuple[int, int]:
        """p50 and p99 in milliseconds since the last call; 0 when nothing came."""
        taken, self.latencies = self.latencies, Counter()
        self.all_latencies += taken
        return percentile(taken, 50), percentile(taken, 99)


class StateWatch:
    """Keeps the size of every row of the changelog: what the worker must hold."""

    def __init__(self) -> None:
        self._sizes: dict[tuple[int, bytes], int] = {}
        self.size = 0  # bytes of keys and values

    @property
    def persons(self) -> int:
        """Persons of whom something is kept."""
        return sum(1 for _, key in self._sizes if key != META_KEY and is_head(key))

    async def run(self, brokers: str, changelog: str, partities: int) -> None:
        """Watch until cancelled."""
        consumer = AIOKafkaConsumer(bootstrap_servers=brokers, isolation_level="read_committed", auto_offset_reset="earliest")
        await consumer.start()
        try:
            consumer.assign([TopicPartition(changelog, p) for p in range(partities)])
            while True:
                for tp, records in (await consumer.getmany(timeout_ms=200)).items():
                    for record in records:
                        self.take((tp.partition, record.key), record.value)
                await asyncio.sleep(0.1)
        finally:
            await consumer.stop()

    def take(self, row: tuple[int, bytes], value: bytes | None) -> None:
        """Take the next version of a row; None removes it."""
        self.size -= self._sizes.pop(row, 0)
        if value is not None:
            self._sizes[row] = len(row[1]) + len(value)
            self.size += self._sizes[row]


def percentile(found: Counter[int], percent: int) -> int:
    """The smallest value that ``percent`` of all do not exceed; 0 when there are none."""
    still = found.total() * percent / 100
    for value in sorted(found):
        still -= found[value]
        if still <= 0:
            return value
    return 0
