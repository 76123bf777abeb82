"""The benchmark on a real worker: a right result has its figures, and one wrong signal takes them away."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.catalogues import own_filtering_catalogue
from bench.cluster import Broker, Cluster, Lag, broker_in
from bench.fill import Encoder, producer_of
from bench.prepare import Prepared, prepare
from bench.product import run_product
from bench.rounds import filled_cluster
from bench.workload import Size, synthetic
from schemas.catalogue import Catalogue


def plant(cluster: Cluster) -> None:
    """A signal of one ontvanger, once more under another name."""
    topic, value = cluster.signals()[0]
    producer = producer_of(cluster.brokers)
    producer.produce(topic, value.replace(b'"signaal_id":"', b'"signaal_id":"x'))
    assert producer.flush(10) == 0


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Prepared]:
    work = tmp_path_factory.mktemp("job")
    folder = own_filtering_catalogue(work, ontvangers=5)
    catalogue, size = Catalogue.load(folder), Size(100, 2_000, 0)
    return folder, prepare(Encoder(catalogue), folder, size, synthetic(catalogue, size), work)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with broker_in(tmp_path_factory.mktemp("broker")) as broker:
        yield broker


def test_one_signal_that_is_not_due_takes_the_figures_away(job: tuple[Path, Prepared], broker: Broker) -> None:
    folder, prepared = job
    truth = prepared.truth(folder, full=False)
    with filled_cluster(broker, folder, prepared) as cluster:
        right = run_product(cluster, prepared, truth, full=False)
        assert right.fault is None
        assert right.figures is not None
        assert right.figures.mutations_s > 0
        assert right.figures.signals
        plant(cluster)
        wrong = run_product(cluster, prepared, truth, full=False)
        assert wrong.fault is not None
        assert "1 not due" in wrong.fault
        assert wrong.figures is None


def test_the_next_run_on_a_broker_begins_with_nothing_of_the_last(job: tuple[Path, Prepared], broker: Broker) -> None:
    folder, prepared = job
    for _ in range(2):
        with filled_cluster(broker, folder, prepared) as cluster:
            assert sum(cluster.ends(cluster.sources).values()) == Lag(cluster, cluster.ends(cluster.sources)).read() == 2_000
            assert cluster.signals() == []
            run = run_product(cluster, prepared, prepared.truth(folder, full=False), full=False)
            assert run.fault is None
