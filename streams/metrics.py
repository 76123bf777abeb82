"""What a worker tells about itself in numbers: every metric, its labels and its unit are declared here, and nowhere else.

Counted a transaction, never a record. Labels are topics, diensten and fixed words of the catalogue, all declared at the start: no
label can hold anything of a person.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple, get_args

from prometheus_client import CollectorRegistry, Gauge, Histogram, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client import Counter as Total
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from schemas.quarantine import QUARANTAINE
from schemas.values import Signaalsoort
from streams.core.step import Fate
from streams.effects import Effects

FATES: Final = (*Fate, QUARANTAINE)
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_LONG: Final = (1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 60.0, 120.0, 300.0)
_LEGAL: Final = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 60.0, 600.0, 3_600.0, 86_400.0, 604_800.0)
_RECORDS: Final = (1, 10, 50, 100, 500, 1_000, 2_000, 5_000, 10_000, 20_000)


class Held(NamedTuple):
    """What a worker holds at the moment that it is asked."""

    partitions: Mapping[str, int]  # state of a partition → number of them
    restored: float  # 0 to 1: how far the partitions are that are not lost
    persons: int
    state_bytes: int
    lag: Mapping[str, int]  # source topic → records that are on it and not committed yet, as far as is known


class Metrics:
    """The numbers of one engine, in a registry of its own: two of them in one process do not mix."""

    def __init__(self, topics: Iterable[str], diensten: Iterable[str], held: Callable[[], Held]) -> None:
        self.registry = CollectorRegistry()
        r = self.registry
        self._records = Total(
            "samenloop_records", "Source records by where they ended; over the fates: all records.", ["topic", "fate"], registry=r
        )
        self._signals = Total("samenloop_signals", "Signals sent.", ["dienst", "soort"], registry=r)
        self._legal = _Delays(
            "samenloop_registration_to_signal_seconds", "From the registration of a mutatie to its signal committed.", _LEGAL
        )
        self._frame = Histogram("samenloop_frame_records", "Records of one partition that one fetch brought.", buckets=_RECORDS, registry=r)
        self._transaction = Histogram("samenloop_transaction_records", "Records of one transaction.", buckets=_RECORDS, registry=r)
        self._fold = Histogram(
            "samenloop_fold_seconds", "Decode, step and encode of one transaction's records.", buckets=_SECONDS, registry=r
        )
        self._commit = Histogram("samenloop_commit_seconds", "Writing and committing one transaction.", buckets=_SECONDS, registry=r)
        self._rows = Total("samenloop_restored_rows", "Rows of the changelog that were read to restore partitions.", registry=r)
        self._open = Histogram("samenloop_open_seconds", "Fencing and restoring one partition.", buckets=_LONG, registry=r)
        self.rebalances = Total("samenloop_rebalances", "Times that Kafka dealt the partitions.", registry=r)
        self._erased = Total("samenloop_erased_persons", "Persons of whom nothing may be kept any more, erased.", registry=r)
        self.lost = Total("samenloop_partitions_lost", "Partitions that another worker took over while this one held them.", registry=r)
        self.loop_delay = Gauge("samenloop_loop_delay_seconds", "How late the event loop came to its last heartbeat.", registry=r)
        r.register(self._legal)
        r.register(_Holding(held))
        ProcessCollector(registry=r)
        PlatformCollector(registry=r)
        for topic in topics:
            for fate in FATES:
                self._records.labels(topic, fate)
        for dienst in diensten:
            for soort in get_args(Signaalsoort):
                self._signals.labels(dienst, soort)

    def framed(self, records: int) -> None:
        """A frame came in."""
        self._frame.observe(records)

    def opened(self, seconds: float, rows: int) -> None:
        """A partition was fenced and restored, from ``rows`` of the changelog."""
        self._open.observe(seconds)
        self._rows.inc(rows)

    def committed(self, effects: Effects, fold: float, commit: float, now: float) -> None:
        """A transaction stands; ``fold`` and ``commit`` in seconds, ``now`` in seconds since 1970."""
        for key, number in effects.counts.items():
            self._records.labels(*key.split(" ")).inc(number)
        for labels, number in Counter((dienst, soort) for dienst, soort, _ in effects.announced).items():
            self._signals.labels(*labels).inc(number)
        self._legal.observe(now - registered / 1000 for _, _, registered in effects.announced)
        self._erased.inc(effects.erased)
        self._transaction.observe(effects.counts.total())
        self._fold.observe(fold)
        self._commit.observe(commit)

    def exposition(self) -> bytes:
        """All of it in the text format of Prometheus."""
        return generate_latest(self.registry)


class _Delays(Collector):
    """A histogram that takes many observations at once, some ten times as cheap as one by one."""

    def __init__(self, name: str, documentation: str, bounds: tuple[float, ...]) -> None:
        self._name, self._documentation, self._bounds = name, documentation, bounds
        self._up_to = [0] * (len(bounds) + 1)  # each bound, and in all
        self._sum = 0.0

    def observe(self, seconds: Iterable[float]) -> None:
        """Count ``seconds``; what a clock set wrong makes negative counts as nothing."""
        ordered = sorted(seconds)
        up_to = [bisect_right(ordered, bound) for bound in self._bounds] + [len(ordered)]
        self._up_to = [before + more for before, more in zip(self._up_to, up_to, strict=True)]
        self._sum += sum(ordered[bisect_right(ordered, 0.0) :])

    def collect(self) -> Iterator[Metric]:
        """Cumulative buckets, as Prometheus wants them."""
        names = [*map(str, self._bounds), "+Inf"]
        buckets = list(zip(names, self._up_to, strict=True))
        yield HistogramMetricFamily(self._name, self._documentation, buckets, self._sum)


class _Holding(Collector):
    """Gauges that are read from the engine when somebody asks, and cost nothing in between."""

    def __init__(self, held: Callable[[], Held]) -> None:
        self._held = held

    def collect(self) -> Iterator[Metric]:
        """What the engine holds now."""
        held = self._held()
        partitions = GaugeMetricFamily("samenloop_partitions", "Partitions assigned to this worker, by state.", labels=["state"])
        for state, number in held.partitions.items():
            partitions.add_metric([state], number)
        lag = GaugeMetricFamily("samenloop_lag_records", "Records on the source topics that are not committed yet.", labels=["topic"])
        for topic, records in held.lag.items():
            lag.add_metric([topic], records)
        yield partitions
        yield GaugeMetricFamily("samenloop_restored_ratio", "How far the restoring of its partitions is; 1: done.", held.restored)
        yield lag
        yield GaugeMetricFamily("samenloop_persons", "Persons whose state is held.", held.persons)
        yield GaugeMetricFamily("samenloop_state_bytes", "Bytes of that state, without Python's own.", held.state_bytes)
