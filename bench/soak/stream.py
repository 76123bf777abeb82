"""Mutations without end about a population that does not grow: what a worker keeps should then not grow either."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any

from bench.workload import Delivery
from connectors.bronnen.population import Knobs, population
from schemas.catalogue import Catalogue

HOUDERS = 12  # gemeenten that pay the benefits
_WITHDRAWN, _MOVED, _LATE, _DOUBLED = 0.10, 0.10, 0.05, 0.03
_REGISTERED = "2026-01-01T00:00:00Z"  # the publisher states the true moment


@dataclass
class _Record:
    """A record of a bron: as it was first stated, and how far its versions are."""

    soort: str
    bsn: str
    record_id: str
    feit: dict[str, Any]
    versie: int = 1
    withdrawn: bool = False


def steady(catalogue: Catalogue, *, persons: int, seed: int) -> Iterator[Delivery]:
    """First every record of ``persons`` persons, then new versions of them for ever; the same arguments give the same deliveries.

    A tenth of the new versions withdraws its record, and the one after that states it again; some come late, some twice, and a benefit
    now and then moves to another gemeente and back.
    """
    rnd, records = Random(seed), list[_Record]()
    for record in _register(catalogue, persons, seed):
        records.append(record)
        yield _stated(record)
    while True:
        record = rnd.choice(records)
        versions = [_next(rnd, catalogue, record)]
        if rnd.random() < _LATE:
            versions.insert(0, _next(rnd, catalogue, record))
        if rnd.random() < _DOUBLED:
            versions.append(versions[0])
        yield from versions


def length_of_first_part(catalogue: Catalogue, *, persons: int, seed: int) -> int:
    """How many deliveries ``steady`` makes before all records are there."""
    return sum(1 for _ in _register(catalogue, persons, seed))


def _register(catalogue: Catalogue, persons: int, seed: int) -> Iterator[_Record]:
    houders = _houders(catalogue)
    first_versions = Knobs(corrected=0, withdrawn=0, doubled=0)
    for delivery in population(catalogue, persons=persons, seed=seed, knobs=first_versions):
        feit = dict(delivery.line["feit"])
        if "houder" in feit:
            feit["houder"] = houders[int(feit["houder"][2:]) % HOUDERS]
        yield _Record(delivery.soort, delivery.line["bsn"], delivery.line["record_id"], feit)


def _houders(catalogue: Catalogue) -> list[str]:
    return sorted(catalogue.blijvende_ontvangers)[:HOUDERS]


def _stated(record: _Record) -> Delivery:
    return _line(record, record.feit)


def _next(rnd: Random, catalogue: Catalogue, record: _Record) -> Delivery:
    record.versie += 1
    if not record.withdrawn and rnd.random() < _WITHDRAWN:
        record.withdrawn = True
        return _line(record, None)
    record.withdrawn = False
    return _line(record, _corrected(rnd, catalogue, record.feit))


def _corrected(rnd: Random, catalogue: Catalogue, first: dict[str, Any]) -> dict[str, Any]:
    """Days, amounts and houder near those of the first version: corrections do not wander off."""
    feit = dict(first)
    begin = date.fromisoformat(first["begindatum"]) + timedelta(days=rnd.randint(-20, 20))
    feit["begindatum"] = begin.isoformat()
    if first["einddatum"] is not None:
        end = date.fromisoformat(first["einddatum"]) + timedelta(days=rnd.randint(-20, 40))
        feit["einddatum"] = max(begin, end).isoformat()
    if "loon_sv" in feit:
        feit["loon_sv"] = max(0, feit["loon_sv"] + rnd.randint(-50_000, 50_000))
    if "houder" in feit and rnd.random() < _MOVED:
        houders = _houders(catalogue)
        feit["houder"] = houders[(houders.index(first["houder"]) + 1) % HOUDERS]
    return feit


def _line(record: _Record, feit: dict[str, Any] | None) -> Delivery:
    line = {"bsn": record.bsn, "record_id": record.record_id, "versie": record.versie, "registratietijd": _REGISTERED, "feit": feit}
    return record.soort, line
