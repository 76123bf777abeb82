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
from typing import Final, NamedTuple

from aiokafka.partitioner import murmur2

from bench.cluster import PARTITIES
from bench.fill import Encoder, keep
from bench.workload import Delivery, Size, synthetic
from schemas.catalogue import Catalogue
from tests.oracle import Live, deliver, standing

_CHUNK: Final = 10_000
_BEFORE: Final = "before.ndjson"
_PROBED: Final = "uwv.inkomstenopgave"


@dataclass(frozen=True)
class Prepared:
    """A workload, ready to be measured with; what it leads to is recomputed in every invocation."""

    size: Size
    records: Path  # those that stand in the topics before the worker starts
    delivered: Path  # the same and what follows, for the recompute
    tail: list[Delivery]  # those that follow at a steady rate
    probes: list[Delivery]  # one correction a partition, each of which must give a signal

    def truth(self, catalogue: Path, *, full: bool) -> "Truth":
        """The recompute of what stands after everything, or (not ``full``) after the records that stand there before."""
        begin = time.perf_counter()
        wanted = standing(self.delivered / ("*.ndjson" if full else _BEFORE), Catalogue.load(catalogue))
        number = self.size.mutations + (len(self.tail) + len(self.probes) if full else 0)
        return Truth(wanted, round(number / (time.perf_counter() - begin)))


class Truth(NamedTuple):
    """The signals that must stand, and the speed at which DuckDB found them, from JSON Lines."""

    wanted: set[Live]
    mutations_s: int


def prepare(encoder: Encoder, catalogue: Path, size: Size, deliveries: Iterable[Delivery], work: Path) -> Prepared:
    """Encode ``deliveries`` once."""
    delivered, records = work / "delivered", work / "records.pickle"
    delivered.mkdir()
    rest = iter(deliveries)
    filled = islice(rest, size.mutations)
    while chunk := list(islice(filled, _CHUNK)):
        keep((encoder.encode(d) for d in chunk), records)
        deliver(chunk, delivered / _BEFORE)
    tail, probes = list(rest), list[Delivery]()
    if tail:
        deliver(tail, delivered / "tail.ndjson")
        probes = _probes(encoder, tail, standing(delivered / "*.ndjson", Catalogue.load(catalogue)))
        deliver(probes, delivered / "probes.ndjson")
    return Prepared(size, records, delivered, tail, probes)


def prepared_once(folder: Path, make: Callable[[Path], Prepared]) -> Prepared:
    """What ``make`` prepares in ``folder``, or what an earlier call left there."""
    file = folder / "prepared.pickle"
    if not file.exists():
        shutil.rmtree(folder, ignore_errors=True)  # of a preparation that was broken off
        folder.mkdir(parents=True)
        file.write_bytes(pickle.dumps(make(folder)))
    found: Prepared = pickle.loads(file.read_bytes())
    return found


def contract(catalogue: Catalogue) -> str:
    """A name for what a prepared workload depends on: another wire or workload makes another one."""
    root, encoder, digest = Path(__file__).parents[1], Encoder(catalogue), sha256()
    for delivery in synthetic(catalogue, Size(100, 2_000, 0)):
        digest.update(repr(encoder.encode(delivery)).encode())
    for name in ("bench/workload.py", "bench/prepare.py"):
        digest.update((root / name).read_bytes())
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
