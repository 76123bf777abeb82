"""The workload: benefits and incomes of many persons with corrections, withdrawals, late and double deliveries.

Its rows are those of the comparison with other systems, when that harness is at hand; else a synthetic population of the same size.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from connectors.bronnen.population import Knobs, population
from schemas.catalogue import Catalogue

_EPOCH = date(1970, 1, 1)

Delivery = tuple[str, dict[str, Any]]  # soort, line


@dataclass(frozen=True)
class Size:
    """Persons, mutations in the topics before the worker starts, and those that come at a steady rate after it."""

    persons: int
    mutations: int
    tail: int


SIZES: Final = {  # the first three are those of the comparison
    "std": Size(50_000, 1_000_000, 20_000),
    "mid": Size(10_000, 200_000, 20_000),
    "small": Size(2_500, 50_000, 20_000),
    "quick": Size(2_500, 50_000, 5_000),
}


def synthetic(catalogue: Catalogue, size: Size, knobs: Knobs | None = None) -> Iterator[Delivery]:
    """Deliveries of our own generator, in order of arrival."""
    made = population(catalogue, persons=size.persons, seed=1, mutations=size.mutations + size.tail, knobs=knobs)
    return ((d.soort, d.line) for d in made)


def translated(catalogue: Catalogue, table: Path) -> Iterator[Delivery]:
    """Deliveries of the comparison's generator, in the product's own terms."""
    import pyarrow.parquet as pq  # noqa: PLC0415 - needed for this workload only

    columns = ["kind", "persoon", "record_id", "versie", "actie", "begin", "eind", "houder", "bedrag"]
    read = pq.read_table(table, columns=columns)
    ontvangers = dict(zip(sorted(set(read.column("houder").to_pylist())), sorted(catalogue.blijvende_ontvangers), strict=False))
    for row in zip(*(read.column(c).to_pylist() for c in columns), strict=True):
        yield _line(ontvangers, row)


def _line(ontvangers: dict[str, str], row: tuple[Any, ...]) -> Delivery:
    kind, persoon, record_id, versie, actie, begin, eind, houder, bedrag = row
    feit: dict[str, Any] | None = None
    if actie == 0:
        feit = {"begindatum": _iso(begin), "einddatum": _iso(eind)}
        if kind == 0:
            feit |= {"houder": ontvangers[houder], "kenmerk": f"D-{persoon}", "wet": "PARTICIPATIEWET"}
        else:
            feit |= {"loonheffingennummer": "123456789L01", "ikv_nummer": 1, "tijdvak": "MAAND", "loon_sv": bedrag, "verloonde_uren": None}
    line = {"bsn": persoon, "record_id": record_id, "versie": versie, "registratietijd": "2026-01-01T00:00:00.000Z", "feit": feit}
    return ("gemeente.bijstand", "uwv.inkomstenopgave")[kind], line


@lru_cache(maxsize=100_000)
def _iso(day: int | None) -> str | None:
    return None if day is None else (_EPOCH + timedelta(days=day)).isoformat()
