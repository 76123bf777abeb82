"""The workload: benefits and incomes of many persons with corrections, withdrawals, late and double deliveries, for 40 ontvangers.

Its rows are those of the comparison with other systems, when that harness is at hand; else a synthetic population of the same size.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from connectors.bronnen.population import population
from schemas.catalogue import Catalogue

N_ONTVANGERS = 40
_EPOCH = date(1970, 1, 1)

Delivery = tuple[str, dict[str, Any]]  # soort, line


@dataclass(frozen=True)
class Size:
    """Persons and mutations of a run."""

    persons: int
    mutations: int


SIZES = {"std": Size(50_000, 1_000_000), "mid": Size(10_000, 200_000), "small": Size(2_500, 50_000)}


def workload(catalogue: Catalogue, size: str, peers: Path | None, work: Path) -> Iterator[Delivery]:
    """The deliveries in order of arrival."""
    if peers is not None:
        return _translated(catalogue, _peer_rows(peers, size, work), SIZES[size].mutations)
    s = SIZES[size]
    own = population(catalogue, persons=s.persons, seed=1, mutations=s.mutations)
    return ((d.soort, d.line) for d in own)


def own_filtering_catalogue(work: Path) -> Path:
    """A copy of the catalogue in which every bron filters itself, as in the comparison: the job then stores whatever comes."""
    folder = work / "catalogus"
    shutil.copytree(Path(__file__).parents[1] / "schemas", folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    bronnen = folder / "bronnen.yaml"
    bronnen.write_text(bronnen.read_text().replace("filtert_zelf: false", "filtert_zelf: true"))
    return folder


def _peer_rows(peers: Path, size: str, work: Path) -> Path:
    """The comparison's own generator, run as it is."""
    env = {"PEER_WORK": str(work), "PYTHONPATH": str(peers)}
    made = subprocess.run([sys.executable, str(peers / "gen.py"), size], env=env, capture_output=True, check=True)
    return Path(made.stdout.decode().split()[-1])


def _translated(catalogue: Catalogue, table: Path, most: int) -> Iterator[Delivery]:
    import pyarrow.parquet as pq  # noqa: PLC0415 - needed for this workload only

    columns = ["kind", "persoon", "record_id", "versie", "actie", "begin", "eind", "houder", "bedrag"]
    read = pq.read_table(table, columns=columns)
    ontvangers = dict(zip(sorted(set(read.column("houder").to_pylist())), sorted(catalogue.ontvangers), strict=False))
    for row in zip(*(read.column(c).to_pylist()[:most] for c in columns), strict=True):
        yield _line(ontvangers, row)


def _line(ontvangers: dict[str, str], row: tuple[Any, ...]) -> Delivery:
    kind, persoon, record_id, versie, actie, begin, eind, houder, bedrag = row
    feit: dict[str, Any] | None = None
    if actie == 0:
        feit = {"begindatum": _iso(begin), "einddatum": None if eind is None else _iso(eind)}
        if kind == 0:
            feit |= {"houder": ontvangers[houder], "kenmerk": f"D-{persoon}", "wet": "PARTICIPATIEWET"}
        else:
            feit |= {"loonheffingennummer": "123456789L01", "ikv_nummer": 1, "tijdvak": "MAAND", "loon_sv": bedrag, "verloonde_uren": None}
    line = {"bsn": persoon, "record_id": record_id, "versie": versie, "registratietijd": "2026-01-01T00:00:00Z", "feit": feit}
    return ("gemeente.bijstand", "uwv.inkomstenopgave")[kind], line


def _iso(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).isoformat()
