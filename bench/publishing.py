"""How fast the edge is: ``samenloop publish`` of a file of JSON Lines, as a bron would call it."""

import json
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final
from uuid import UUID

from bench.called import called
from bench.cluster import broker_in, cluster_on
from bench.machine import commit
from bench.results import Publishing, now
from connectors.bronnen.population.persons import synthetic_bsns

_SCHEMAS: Final = Path(__file__).parents[1] / "schemas"
_SOORT: Final = "uwv.inkomstenopgave"


def publishing(lines: int) -> Publishing:
    """Publish ``lines`` wages to a fresh broker; all of them must stand in the topic."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        file = work / "opgaven.jsonl"
        with file.open("w") as out:
            out.writelines(islice(_lines(), lines))
        with broker_in(work / "cluster") as broker, cluster_on(broker, _SCHEMAS) as cluster:
            cluster.settle()
            done = called("publish", _SOORT, str(file), "--brokers", cluster.brokers, "--data", str(cluster.folder))
            there = sum(cluster.ends([f"mutaties.{_SOORT}"]).values())
    fault = None if done.exit_code == 0 and there == lines else f"exit {done.exit_code}, {there} of {lines} lines in the topic"
    return Publishing(now(), commit(), lines, round(lines / done.seconds), round(lines / done.cpu), fault)


def _lines() -> Iterator[str]:
    """A year of wages of one person after the other."""
    for number, bsn in enumerate(synthetic_bsns()):
        for month in range(1, 13):
            feit = {
                "begindatum": f"2025-{month:02}-01",
                "einddatum": f"2025-{month:02}-28",
                "loonheffingennummer": f"{number:09d}L01",
                "ikv_nummer": 1,
                "tijdvak": "MAAND",
                "loon_sv": 200_000 + number % 50_000,
                "verloonde_uren": None,
            }
            record_id = str(UUID(int=number * 100 + month))
            line = {"bsn": bsn, "record_id": record_id, "versie": 1, "registratietijd": "2026-01-31T09:00:00.000Z", "feit": feit}
            yield json.dumps(line) + "\n"
