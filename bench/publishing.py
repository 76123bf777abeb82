"""How fast the edge is: ``samenloop publish`` of a file of JSON Lines, as a bron would call it."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final
from uuid import UUID

from bench.cluster import cluster_in
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
        with cluster_in(work / "cluster", _SCHEMAS) as cluster:
            cluster.settle()
            program = Path(sys.executable).with_name("samenloop")
            command = [str(program), "publish", _SOORT, str(file), "--json", "--brokers", cluster.brokers, "--data", str(cluster.folder)]
            begin = time.perf_counter()
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - begin
            process.returncode = os.waitstatus_to_exitcode(status)
            there = sum(cluster.ends([f"mutaties.{_SOORT}"]).values())
    fault = None if process.returncode == 0 and there == lines else f"exit {process.returncode}, {there} of {lines} lines in the topic"
    return Publishing(now(), commit(), lines, round(lines / seconds), round(lines / (usage.ru_utime + usage.ru_stime)), fault)


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
