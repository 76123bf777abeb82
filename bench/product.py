"""One run of the product: speed, then latency at a steady rate, then recovery after kill -9, and at the end the gate."""

import time
from datetime import UTC, datetime
from typing import Final

import msgspec

from bench.cluster import Cluster
from bench.engine import Worker
from bench.fill import Encoder, produce, producer_of
from bench.gate import check
from bench.prepare import Prepared, Truth
from bench.results import PRODUCT, Figures, Run, gated
from bench.watch import Watch, latency_of
from bench.workload import Delivery

_RATE: Final = 1_000  # mutations a second


def run_product(cluster: Cluster, prepared: Prepared, truth: Truth, *, full: bool) -> Run:
    """Measure one worker on the filled topics; ``full`` adds latency and recovery."""
    cluster.settle()  # of the filling, and of what another system left behind
    worker = Worker(cluster)
    try:
        worker.start()
        figures = worker.measure(cluster.ends(cluster.sources))
        if full:
            figures = _in_service(cluster, worker, prepared, {s.ontvanger for s in truth.wanted}, figures)
        worker.stop()
    finally:
        worker.kill()
    fault, signals = check(cluster, truth.wanted)
    return gated(PRODUCT, prepared.size.mutations, fault, msgspec.structs.replace(figures, signals=signals))


def _in_service(cluster: Cluster, worker: Worker, prepared: Prepared, ontvangers: set[str], figures: Figures) -> Figures:
    watch = Watch(cluster, ontvangers)
    try:
        p50, p99 = _steady(cluster, worker, watch, prepared.tail)
        first, last = _recovery(cluster, worker, watch, prepared.probes)
    finally:
        watch.end()
    return msgspec.structs.replace(figures, latency_p50_ms=p50, latency_p99_ms=p99, recovery_first_s=first, recovery_all_s=last)


def _steady(cluster: Cluster, worker: Worker, watch: Watch, tail: list[Delivery]) -> tuple[float, float]:
    """Open loop: each mutatie is registered and sent at its own moment, however far the worker is."""
    encoder, producer = Encoder(cluster.catalogue), producer_of(cluster.brokers, **{"linger.ms": 0, "compression.type": "none"})
    time.sleep(1)
    begin = time.time()
    for i, delivery in enumerate(tail):
        wait = begin + i / _RATE - time.time()
        if wait > 0:
            time.sleep(wait)
        produce(producer, encoder.encode(delivery, datetime.now(UTC)))
        producer.poll(0)
    producer.flush()
    worker.until_committed(cluster.ends(cluster.sources))
    time.sleep(0.5)
    return latency_of(watch.arrivals)


def _recovery(cluster: Cluster, worker: Worker, watch: Watch, probes: list[Delivery]) -> tuple[float, float]:
    """kill -9, start again, and one correction a partition: when does each give its signal?"""
    encoder, producer = Encoder(cluster.catalogue), producer_of(cluster.brokers, **{"linger.ms": 0})
    worker.kill()
    begin = time.time()
    worker.start()
    for probe in probes:
        produce(producer, encoder.encode(probe, datetime.now(UTC)))
    producer.flush()
    came = watch.until({line["record_id"]: begin for _, line in probes}, 150)
    if len(came) < len(probes):
        raise TimeoutError(f"after kill -9 {len(probes) - len(came)} of {len(probes)} partitions gave no signal")
    worker.until_committed(cluster.ends(cluster.sources))
    return round(min(came.values()) - begin, 2), round(max(came.values()) - begin, 2)
