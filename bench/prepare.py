"""What all rounds of a workload share: its records on the wire, and the truth about them."""

import pickle
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Final

from aiokafka.partitioner import murmur2

from bench.cluster import PARTITIES
from bench.fill import Encoder, keep
from bench.workload import Delivery, Size, synthetic
from schemas.catalogue import Catalogue
from tests.oracle import Live, deliver, standing

_CHUNK: Final = 10_000
_PROBED: Final = "uwv.inkomstenopgave"


@dataclass(frozen=True)
class Prepared:
    """A workload, ready to be measured with."""

    size: Size
    catalogue_folder: Path
    records: Path  # those that stand in the topics before the worker starts
    tail: list[Delivery]  # those that follow at a steady rate
    probes: list[Delivery]  # one correction a partition, each of which must give a signal
    wanted: set[Live]  # what stands after ``records``
    wanted_at_end: set[Live]  # what stands after everything
    recompute_seconds: float  # that DuckDB took for ``wanted``, from JSON Lines


def prepare(catalogue: Catalogue, catalogue_folder: Path, size: Size, deliveries: Iterable[Delivery], work: Path) -> Prepared:
    """Encode ``deliveries`` once and recompute what they lead to."""
    encoder, records, table = Encoder(catalogue), work / "records.pickle", work / "delivered.ndjson"
    rest = iter(deliveries)
    filled = islice(rest, size.mutations)
    while chunk := list(islice(filled, _CHUNK)):
        keep((encoder.encode(d) for d in chunk), records)
        deliver(chunk, table)
    begin = time.perf_counter()
    wanted = standing(table, catalogue_folder)
    seconds = time.perf_counter() - begin
    tail = list(rest)
    if not tail:
        return Prepared(size, catalogue_folder, records, [], [], wanted, wanted, seconds)
    deliver(tail, table)
    probes = _probes(encoder, tail, standing(table, catalogue_folder))
    deliver(probes, table)
    return Prepared(size, catalogue_folder, records, tail, probes, wanted, standing(table, catalogue_folder), seconds)


def prepared_once(folder: Path, make: Callable[[Path], Prepared]) -> Prepared:
    """What ``make`` prepares in ``folder``, or what an earlier call left there."""
    file = folder / "prepared.pickle"
    if not file.exists():
        shutil.rmtree(folder, ignore_errors=True)  # of a preparation that was broken off
        folder.mkdir(parents=True)
        file.write_bytes(pickle.dumps(make(folder)))
    found: Prepared = pickle.loads(file.read_bytes())
    return found


def contract() -> str:
    """A name for what a prepared workload depends on: another wire, workload or recompute makes another one."""
    catalogue, root, digest = Catalogue.load(), Path(__file__).parents[1], sha256()
    encoder = Encoder(catalogue)
    for delivery in synthetic(catalogue, Size(100, 2_000, 0)):
        digest.update(repr(encoder.encode(delivery)).encode())
    code = [root / name for name in ("bench/workload.py", "bench/catalogues.py", "bench/prepare.py", "tests/oracle.py")]
    for file in (*code, *sorted((root / "schemas").rglob("*.yaml")), *sorted((root / "schemas").rglob("*.avsc"))):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def _probes(encoder: Encoder, tail: list[Delivery], live: set[Live]) -> list[Delivery]:
    shared = {s.feit: s.begindatum for s in live if s.feitsoort == _PROBED}
    found: dict[int, Delivery] = {}
    for soort, line in tail:
        feit, day = line["feit"], shared.get(line["record_id"])
        if soort != _PROBED or feit is None or day is None or not _covers(feit["begindatum"], feit["einddatum"], day):
            continue
        corrected = {**line, "versie": line["versie"] + 50, "feit": {**feit, "loon_sv": 123_456_789}}
        found.setdefault(murmur2(encoder.persoon(line["bsn"]).encode()) % PARTITIES, (soort, corrected))
    return [found[p] for p in sorted(found)]


def _covers(begin: str, end: str | None, day: str) -> bool:
    return date.fromisoformat(begin) <= date.fromisoformat(day) and (end is None or date.fromisoformat(day) <= date.fromisoformat(end))
