"""Cost growth: the product on a workload that is larger in one way, beside the base."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from bench.catalogues import own_filtering_catalogue
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
LONG: Final = BASE._replace(persons=15_000)  # so that transactions grow to their size: what ontvangers cost is a matter of transactions
MANY: Final = LONG._replace(ontvangers=10 * LONG.ontvangers)
VARIANTS: Final = {
    "10x persons": (BASE, BASE._replace(persons=10 * BASE.persons)),
    "10x records a person": (BASE, BASE._replace(records=10 * BASE.records)),
    "10x ontvangers": (LONG, MANY),
    "a hot ontvanger": (MANY._replace(amsterdam=0), MANY),
    "12 diensten": (BASE, BASE._replace(diensten=12)),
}


def growth() -> Iterator[Growth]:
    """Each variant, right after its base."""
    for name, (base, variant) in VARIANTS.items():
        beside = _run(base)
        yield Growth(now(), commit(), name, _run(variant), beside)


def _run(variant: Variant) -> Run:
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        folder = own_filtering_catalogue(work, ontvangers=variant.ontvangers, diensten=variant.diensten)
        catalogue = Catalogue.load(folder)
        size = Size(variant.persons, variant.persons * variant.records, 0)
        made = synthetic(catalogue, size, Knobs(amsterdam=variant.amsterdam))
        prepared = prepare(Encoder(catalogue), folder, size, made, work)
        with filled_cluster(work / "cluster", folder, prepared) as cluster:
            return run_product(cluster, prepared, prepared.truth(folder, full=False), full=False)
