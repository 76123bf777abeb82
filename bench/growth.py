"""Cost growth: the product on a workload that is larger in one way, beside the base."""

import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from bench.catalogues import own_filtering_catalogue
from bench.cluster import Broker, broker_in
from bench.fill import Encoder
from bench.machine import commit
from bench.prepare import prepare
from bench.product import run_product
from bench.results import Growth, Run, now
from bench.rounds import filled_cluster
from bench.workload import Size, synthetic
from connectors.bronnen.population import Knobs
from schemas.catalogue import Catalogue


class Variant(NamedTuple):
    """A workload and a catalogue for it."""

    persons: int = 3_000
    records: int = 20  # mutations a person
    ontvangers: int = 34
    diensten: int = 1
    amsterdam: float = Knobs.amsterdam  # share of the benefits that one ontvanger pays


BASE: Final = Variant()
LONG: Final = BASE._replace(persons=15_000)  # so that transactions grow to their size, and what each run pays once is a small part
MANY: Final = LONG._replace(ontvangers=10 * LONG.ontvangers)
VARIANTS: Final = {
    "10x persons": (BASE, BASE._replace(persons=10 * BASE.persons)),
    "10x records a person": (BASE, BASE._replace(records=10 * BASE.records)),
    "10x ontvangers": (LONG, MANY),
    "a hot ontvanger": (MANY._replace(amsterdam=0), MANY),
    "12 diensten": (LONG, LONG._replace(diensten=12)),
}


def growth(pairs: int) -> Iterator[Growth]:
    """Each variant right behind its base, ``pairs`` times, all on one broker."""
    with tempfile.TemporaryDirectory() as work, broker_in(Path(work) / "broker") as broker:

        @cache
        def job(variant: Variant) -> _Job:
            return _Job(variant, Path(tempfile.mkdtemp(dir=work)))

        for name, (base, variant) in VARIANTS.items():
            beside, larger = job(base), job(variant)
            for _ in range(pairs):
                without = beside.run(broker)
                yield Growth(now(), commit(), name, larger.run(broker), without)


class _Job:
    """A variant, prepared once."""

    def __init__(self, variant: Variant, work: Path) -> None:
        self._folder = own_filtering_catalogue(work, ontvangers=variant.ontvangers, diensten=variant.diensten)
        catalogue, size = Catalogue.load(self._folder), Size(variant.persons, variant.persons * variant.records, 0)
        made = synthetic(catalogue, size, Knobs(amsterdam=variant.amsterdam))
        self._prepared = prepare(Encoder(catalogue), self._folder, size, made, work)
        self._truth = self._prepared.truth(self._folder, full=False)

    def run(self, broker: Broker) -> Run:
        """Once, on fresh topics."""
        with filled_cluster(broker, self._folder, self._prepared) as cluster:
            return run_product(cluster, self._prepared, self._truth, full=False)
