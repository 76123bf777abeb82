"""The benchmark on a real worker: a right result has its figures, and one wrong signal takes them away."""

from pathlib import Path

from bench.catalogues import own_filtering_catalogue
from bench.cluster import Cluster
from bench.fill import Encoder, producer_of
from bench.prepare import prepare
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


def test_one_signal_that_is_not_due_takes_the_figures_away(tmp_path: Path) -> None:
    folder = own_filtering_catalogue(tmp_path, ontvangers=5)
    catalogue, size = Catalogue.load(folder), Size(100, 2_000, 0)
    prepared = prepare(Encoder(catalogue), folder, size, synthetic(catalogue, size), tmp_path)
    truth = prepared.truth(folder, full=False)
    with filled_cluster(tmp_path / "cluster", folder, prepared) as cluster:
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
