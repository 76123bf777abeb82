"""Young people whom a gemeente follows, with their enrolments and diplomas; drawn beside all others, so that these stay as they are."""

from collections.abc import Iterator, Mapping, Sequence
from random import Random

from connectors.bronnen.population.knobs import Knobs
from connectors.bronnen.population.persons import EPOCH_DAY, Feit, SyntheticRecord, uuid_of


class YoungPeople:
    """Makes their records from a random source of its own; only of soorten that the catalogue has."""

    def __init__(self, rnd: Random, knobs: Knobs, soorten: Mapping[str, object], gemeenten: Sequence[str], days: int) -> None:
        self._rnd = rnd
        self._young, self._leavers = knobs.young, knobs.school_leavers
        self._soorten = soorten
        self._gemeenten = gemeenten
        self._days = days
        self._dossiers = 0

    def records(self) -> Iterator[SyntheticRecord]:
        """Those of one more person, if that is one of them."""
        made: list[SyntheticRecord] = []
        if self._rnd.random() < self._young:
            made += self._of_one()
        if "rmc.overstap" in self._soorten and self._rnd.random() < self._leavers:
            made += self._leaver()
        yield from (r for r in made if r.soort in self._soorten)

    def _of_one(self) -> Iterator[SyntheticRecord]:
        """Leaves school between 20 and 27, with a startkwalificatie or without, and may come back."""
        rnd, begin = self._rnd, EPOCH_DAY + int(self._days * self._rnd.random())
        self._dossiers += 1
        born = begin - 20 * 365 - rnd.randrange(7 * 365)
        listed: Feit = {"begindatum": begin, "einddatum": None, "houder": rnd.choice(self._gemeenten)}
        listed |= {"kenmerk": f"RMC-{self._dossiers:06d}", "geboortedatum": born}
        yield SyntheticRecord("gemeente.jongere", uuid_of(rnd), begin + 10 * rnd.random(), listed)
        left = begin + rnd.randint(-300, 300)
        yield self._enrolment(left - rnd.randint(200, 900), left, rnd.choice(("VO", "MBO_BOL", "MBO_BBL")))
        if rnd.random() < 0.5:
            diploma: Feit = {"begindatum": left, "einddatum": None}
            yield SyntheticRecord("duo.startkwalificatie", uuid_of(rnd), left + 30 * rnd.random(), diploma)
        elif rnd.random() < 0.5:
            yield self._enrolment(left + rnd.randint(20, 400), None, rnd.choice(("MBO_BOL", "HBO")))

    def _leaver(self) -> Iterator[SyntheticRecord]:
        """Leaves secondary school in summer at sixteen or so; most are enrolled in autumn, some later, some never."""
        rnd = self._rnd
        begin = EPOCH_DAY + 244 + 365 * rnd.randrange(max(1, self._days // 365))  # the first of September, or the day before
        self._dossiers += 1
        expected: Feit = {"begindatum": begin, "einddatum": None, "houder": f"rmc{rnd.randint(1, 39):02d}"}
        expected |= {"kenmerk": f"DP-{self._dossiers:06d}", "geboortedatum": begin - 16 * 365 - rnd.randrange(730)}
        yield SyntheticRecord("rmc.overstap", uuid_of(rnd), begin - 60 * rnd.random(), expected)
        yield self._enrolment(begin - 1_492, begin - 32, "VO")
        if rnd.random() < 0.8:
            yield self._enrolment(begin + rnd.choice((-10, 0, 20, 60)), None, rnd.choice(("MBO_BOL", "MBO_BBL")))

    def _enrolment(self, begin: int, end: int | None, onderwijssoort: str) -> SyntheticRecord:
        feit: Feit = {"begindatum": begin, "einddatum": end, "onderwijssoort": onderwijssoort}
        return SyntheticRecord("duo.inschrijving", uuid_of(self._rnd), max(EPOCH_DAY, begin) + 20 * self._rnd.random(), feit)
