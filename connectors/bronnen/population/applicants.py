"""Applicants, and what the bronnen know of them; drawn beside all others, so that these stay as they are."""

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Final

from connectors.bronnen.population.knobs import Knobs
from connectors.bronnen.population.persons import EPOCH_DAY, Feit, SyntheticRecord, uuid_of

_SCHEME: Final = "gemeente.regelingaanvraag"
_SUPPORT: Final = "gemeente.voorzieningaanvraag"
_ATTACHMENT: Final = "invorderaar.beslagverzoek"
_REMISSION: Final = "invorderaar.kwijtscheldingsaanvraag"
_FILES: Final = {_SCHEME: "IIT", _SUPPORT: "WMO", _ATTACHMENT: "BVV", _REMISSION: "KW"}


class Applicants:
    """Makes their records from a random source of its own; only of soorten that the catalogue has."""

    def __init__(self, rnd: Random, knobs: Knobs, soorten: Mapping[str, object], invorderaars: Sequence[str], days: int) -> None:
        self._rnd = rnd
        self._soorten = soorten
        self._invorderaars = invorderaars
        self._gemeenten = [i for i in invorderaars if i.startswith("gm")]
        self._days = days
        self._dossiers = 0
        self._partner: SyntheticRecord | None = None  # of the person before, who applied for both
        shares = {
            _SCHEME: knobs.scheme_applications,
            _SUPPORT: knobs.support_applications,
            _ATTACHMENT: knobs.attachments,
            _REMISSION: knobs.remission_applications,
        }
        self._shares = {soort: share for soort, share in shares.items() if soort in soorten}

    @property
    def mean(self) -> float:
        """How many records a person has of these, about."""
        return 4.4 * (sum(self._shares.values()) + self._shares.get(_REMISSION, 0.0) / 2)

    def records(self) -> Iterator[SyntheticRecord]:
        """Those of one more person, if that is one of them."""
        together, self._partner = self._partner, None
        applications = [self._application(soort) for soort, share in self._shares.items() if self._rnd.random() < share]
        made = applications if together is None else [*applications, self._with(together)]
        if made:
            made += [*self._income(made[0].feit["begindatum"]), *self._household(made[0].feit["begindatum"])]
        yield from (r for r in made if r.soort in self._soorten)

    def _application(self, soort: str) -> SyntheticRecord:
        """Registered on the day itself or the next; most are decided within eight weeks."""
        rnd, begin = self._rnd, EPOCH_DAY + int(self._days * self._rnd.random())
        self._dossiers += 1
        end = None if rnd.random() < 0.2 else begin + rnd.randint(7, 56)
        houder = rnd.choice(self._invorderaars[-40:] if soort == _REMISSION else self._gemeenten)
        feit: Feit = {"begindatum": begin, "einddatum": end, "houder": houder, "kenmerk": f"{_FILES[soort]}-{self._dossiers:06d}"}
        if soort == _REMISSION:
            feit["peildatum"] = begin - (begin - EPOCH_DAY) % 366  # about the first of January, as are possessions
        made = SyntheticRecord(soort, uuid_of(rnd), begin + 1.5 * rnd.random(), feit)
        if soort == _REMISSION and rnd.random() < 0.5:
            self._partner = made
        return made

    def _with(self, application: SyntheticRecord) -> SyntheticRecord:
        """The same application, by the partner."""
        return application._replace(record_id=uuid_of(self._rnd))

    def _income(self, begin: int) -> Iterator[SyntheticRecord]:
        """A benefit or a wage of some months before the application and around it; of some nothing is known."""
        rnd = self._rnd
        if rnd.random() < 0.4:
            first = begin - rnd.randint(20, 500)
            end = None if rnd.random() < 0.5 else first + rnd.randint(30, 400)
            feit: Feit = {"begindatum": first, "einddatum": end, "regeling": rnd.choice(("WW", "ZW", "WIA_WGA"))}
            yield self._known("uwv.uitkering", feit | {"bruto_bedrag": rnd.randint(20_000, 160_000)})
        if rnd.random() < 0.4:
            employer, wage = f"{rnd.randrange(9 * 10**8):09d}L01", rnd.randint(20_000, 180_000)
            for month in range(rnd.randint(1, 8), 0, -1):
                days: Feit = {"begindatum": begin - 30 * month, "einddatum": begin - 30 * month + 29}
                listed: Feit = {"loonheffingennummer": employer, "ikv_nummer": 1, "tijdvak": "MAAND", "loon_sv": wage}
                yield self._known("uwv.inkomstenopgave", days | listed | {"verloonde_uren": None})

    def _household(self, begin: int) -> Iterator[SyntheticRecord]:
        """Since some years; of some it changes after the application."""
        rnd = self._rnd
        changes = None if rnd.random() < 0.8 else begin + rnd.randint(1, 90)
        first = begin - rnd.randint(100, 3_000)
        for days in [(first, changes)] if changes is None else [(first, changes - 1), (changes, None)]:
            children, partner = rnd.choice((0, 0, 1, 2, 3)), rnd.random() < 0.4
            leefvorm = ("ALLEENSTAAND", "ALLEENSTAANDE_OUDER", "PARTNERS", "PARTNERS_MET_KINDEREN")[2 * partner + (children > 0)]
            feit: Feit = {"begindatum": days[0], "einddatum": days[1], "leefvorm": leefvorm}
            yield self._known("rvig.huishouden", feit | {"aantal_personen": 1 + partner + children, "aantal_kinderen": children}, delay=0)

    def _known(self, soort: str, feit: Feit, delay: int = 35) -> SyntheticRecord:
        return SyntheticRecord(soort, uuid_of(self._rnd), max(EPOCH_DAY, feit["begindatum"] + delay) + 20 * self._rnd.random(), feit)
