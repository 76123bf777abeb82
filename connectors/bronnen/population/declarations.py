"""What people with bijstand declare of their jobs; drawn beside all others, so that these stay as they are."""

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Final

from connectors.bronnen.population.knobs import Knobs
from connectors.bronnen.population.persons import SyntheticRecord, uuid_of

_SOORT: Final = "gemeente.opgegeveninkomen"
_BENEFIT: Final = "gemeente.bijstand"
_JOB: Final = "uwv.inkomstenverhouding"
_WAGE: Final = "uwv.inkomstenopgave"


class Declarations:
    """Makes them from a random source of its own; only where the catalogue has them."""

    def __init__(self, rnd: Random, knobs: Knobs, soorten: Mapping[str, object]) -> None:
        self._rnd = rnd
        self._share = knobs.declared if _SOORT in soorten else 0.0

    def of(self, records: Sequence[SyntheticRecord]) -> Iterator[SyntheticRecord]:
        """Those of one person, by all other records of that one: of some jobs, to the first gemeente that pays."""
        houders = [r.feit["houder"] for r in records if r.soort == _BENEFIT]
        for job in (r for r in records if r.soort == _JOB and houders):
            if self._rnd.random() < self._share:
                yield self._of(job, houders[0], [r for r in records if r.soort == _WAGE])

    def _of(self, job: SyntheticRecord, houder: str, wages: Sequence[SyntheticRecord]) -> SyntheticRecord:
        """Declared within two months; of most the amount is enough, of some too low, of some none is known."""
        rnd, employer = self._rnd, job.feit["loonheffingennummer"]
        most = max((w.feit["loon_sv"] for w in wages if w.feit["loonheffingennummer"] == employer), default=0)
        amount = rnd.choice((None, most * 9 // 10, most * 12 // 10, most * 12 // 10, most * 12 // 10))
        days = {"begindatum": job.feit["begindatum"], "einddatum": job.feit["einddatum"]}
        feit = days | {"houder": houder, "loonheffingennummer": employer, "maandbedrag": amount}
        return SyntheticRecord(_SOORT, uuid_of(rnd), job.feit["begindatum"] + 60 * rnd.random(), feit)
