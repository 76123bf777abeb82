"""The deliveries of a synthetic population, in the order in which they arrive: corrected, withdrawn, late and doubled as in the field."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from random import Random
from typing import Any, Final, NamedTuple

from connectors.bronnen.population.applicants import Applicants
from connectors.bronnen.population.deaths import DEATH, Deaths
from connectors.bronnen.population.debtors import Debtors
from connectors.bronnen.population.declarations import Declarations
from connectors.bronnen.population.further import FurtherRecords
from connectors.bronnen.population.knobs import Knobs
from connectors.bronnen.population.persons import EPOCH_DAY, Feit, PersonMaker, SyntheticRecord, synthetic_bsns
from connectors.bronnen.population.young import YoungPeople
from schemas.catalogue import Catalogue


class Delivery(NamedTuple):
    """One line of a bron; ``day`` is when it arrives, in simulated days since 1970-01-01."""

    day: float
    soort: str
    line: dict[str, Any]


_BESIDE: Final = ("further", "young", "debtors", "applicants", "deaths", "declarations", "elsewhere")  # names of random sources


def population(
    catalogue: Catalogue, *, persons: int, seed: int, mutations: int | None = None, months: int = 24, knobs: Knobs | None = None
) -> Iterator[Delivery]:
    """Deliveries of ``persons`` persons over ``months`` months; the same arguments give the same deliveries.

    With ``mutations`` the number of wage periods is chosen to give about so many, and never more. All deliveries are sorted in
    memory, some 1 KB each.
    """
    knobs = knobs or Knobs()
    soorten, days = catalogue.mutatie_topics, months * 30
    gemeenten = sorted(o.id for o in catalogue.blijvende_ontvangers.values() if o.soort == "gemeente")
    invorderaars = gemeenten + sorted(o.id for o in catalogue.blijvende_ontvangers.values() if o.soort == "waterschap")
    rnd = Random(seed)  # noqa: S311 - repeatable on purpose
    further, young, debtors, asking, dying, declaring, elsewhere = (Random(f"{name} {seed}") for name in _BESIDE)  # noqa: S311
    applicants = Applicants(asking, knobs, soorten, invorderaars, days)
    mean = months / 3 if mutations is None else max(1.0, (mutations / persons / 1.14 - 3.0 - applicants.mean) / 1.6)
    maker = PersonMaker(rnd, elsewhere, knobs, gemeenten, days, mean)
    makers = (
        (rnd, maker),
        (further, FurtherRecords(further, knobs, soorten, days)),
        (young, YoungPeople(young, knobs, soorten, gemeenten, days)),
        (debtors, Debtors(debtors, knobs, soorten, gemeenten, days)),
        (asking, applicants),
        (dying, Deaths(dying, knobs, soorten, days)),
    )
    declarations = Declarations(declaring, knobs, soorten)
    deliveries: list[Delivery] = []
    for _, bsn in zip(range(persons), synthetic_bsns(), strict=False):
        mine: list[SyntheticRecord] = []
        for source, made in makers:
            for record in made.records():
                mine.append(record)
                deliveries += _history(source, knobs, maker, bsn, record)
        for record in declarations.of(mine):
            deliveries += _history(declaring, knobs, maker, bsn, record)
    deliveries.sort(key=lambda d: (d.day, d.line["record_id"], d.line["versie"]))
    yield from deliveries[:mutations]


def shuffled(deliveries: Iterable[Delivery], seed: int) -> list[Delivery]:
    """The same deliveries in an order that has nothing to do with time or topic."""
    result = list(deliveries)
    Random(seed).shuffle(result)  # noqa: S311
    return result


def _history(rnd: Random, knobs: Knobs, maker: PersonMaker, bsn: str, record: SyntheticRecord) -> Iterator[Delivery]:
    versions: list[tuple[float, Feit | None]] = [(record.registered, record.feit)]
    if rnd.random() < knobs.corrected:
        versions.append((versions[-1][0] + 5 + 85 * rnd.random(), _corrected(rnd, maker, record)))
    if rnd.random() < (knobs.mistaken_deaths if record.soort == DEATH else knobs.withdrawn):
        versions.append((versions[-1][0] + 5 + 85 * rnd.random(), None))
    arrivals = [day for day, _ in versions]
    for i in range(1, len(versions)):
        if rnd.random() < knobs.late:
            arrivals[i - 1], arrivals[i] = arrivals[i], arrivals[i - 1]
    for versie, ((registered, feit), arrival) in enumerate(zip(versions, arrivals, strict=True), 1):
        line = _line(bsn, record.record_id, versie, registered, feit)
        yield Delivery(arrival, record.soort, line)
        if rnd.random() < knobs.doubled:
            yield Delivery(arrival + 5 * rnd.random(), record.soort, line)


def _corrected(rnd: Random, maker: PersonMaker, record: SyntheticRecord) -> Feit:
    feit = dict(record.feit)
    if record.soort == "gemeente.bijstand" and rnd.random() < 0.25:
        feit["houder"] = maker.houder()
    elif "loon_sv" in feit and rnd.random() < 0.7:
        feit["loon_sv"] = max(0, feit["loon_sv"] + rnd.randint(-50_000, 50_000))
    elif record.soort == DEATH:
        feit["begindatum"] -= rnd.randint(1, 3)
    elif feit["einddatum"] is None:
        feit["einddatum"] = feit["begindatum"] + rnd.randint(10, 400)
    else:
        feit["begindatum"] += rnd.randint(-20, 20)
        feit["einddatum"] = None if rnd.random() < 0.2 else max(feit["begindatum"], feit["einddatum"] + rnd.randint(-40, 60))
    return feit


def _line(bsn: str, record_id: str, versie: int, registered: float, feit: Feit | None) -> dict[str, Any]:
    stated = None if feit is None else {k: _iso(v) if k in _DAYS else v for k, v in feit.items()}
    return {"bsn": bsn, "record_id": record_id, "versie": versie, "registratietijd": _time(registered), "feit": stated}


_DAYS = frozenset({"begindatum", "einddatum", "geboortedatum", "peildatum"})


@lru_cache(maxsize=100_000)
def _iso(day: int | None) -> str | None:
    return None if day is None else (date(1970, 1, 1) + timedelta(days=day)).isoformat()


def _time(day: float) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=max(day, EPOCH_DAY - 60))
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
