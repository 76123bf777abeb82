"""An ontvanger that is there all the time: notes when each signal can be read under read_committed."""

import json
import threading
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from confluent_kafka import TopicPartition

from bench.cluster import Cluster


class Arrival(NamedTuple):
    """A signal as it came."""

    moment: float  # seconds since the epoch
    value: bytes

    @property
    def registered(self) -> float:
        """Registration of the cause, in seconds since the epoch."""
        return datetime.fromisoformat(json.loads(self.value)["registratietijd"]).timestamp()


class Watch(threading.Thread):
    """Reads the topics of ``ontvangers`` from their ends on; its settings are those of the comparison's reader."""

    def __init__(self, cluster: Cluster, ontvangers: Iterable[str]) -> None:
        super().__init__(daemon=True)
        self.arrivals: list[Arrival] = []
        self._ended = threading.Event()
        self._consumer = cluster.consumer(**{"fetch.wait.max.ms": 20, "fetch.queue.backoff.ms": 5})
        ends = cluster.ends(f"signalen.{o}" for o in ontvangers)
        self._consumer.assign([TopicPartition(t, p, end) for (t, p), end in ends.items()])
        self.start()

    def run(self) -> None:
        """Read until told to stop."""
        while not self._ended.is_set():
            message = self._consumer.poll(0.05)
            if message is not None and not message.error():
                self.arrivals.append(Arrival(time.time(), message.value() or b""))
        self._consumer.close()

    def end(self) -> None:
        """Stop reading."""
        self._ended.set()
        self.join()

    def until(self, marks: Mapping[str, float], seconds: float) -> dict[str, float]:
        """When a signal about each record of ``marks`` (record_id → earliest moment) came, at most ``seconds`` from now."""
        deadline, found, place = time.monotonic() + seconds, dict[str, float](), len(self.arrivals)
        while len(found) < len(marks) and time.monotonic() < deadline:
            time.sleep(0.02)
            for arrival in self.arrivals[place:]:
                place += 1
                record = json.loads(arrival.value)["feit"]["record_id"]
                if record in marks and arrival.moment >= marks[record]:
                    found.setdefault(record, arrival.moment)
        return found


def latency_of(arrivals: Iterable[Arrival]) -> tuple[float, float]:
    """p50 and p99, in milliseconds, of signals whose cause was registered when it was sent."""
    took = sorted(1000 * (a.moment - a.registered) for a in arrivals)
    return _at(took, 0.5), _at(took, 0.99)


def _at(ordered: list[float], share: float) -> float:
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)
