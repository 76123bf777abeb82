"""People from whom bijstand is reclaimed; drawn beside all others, so that these stay as they are. Their income is that of their jobs."""

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Final

from connectors.bronnen.population.knobs import Knobs
from connectors.bronnen.population.persons import EPOCH_DAY, Feit, SyntheticRecord, uuid_of

_SOORT: Final = "gemeente.terugvordering"
_GRENZEN: Final = (90_000, 120_000, 150_000)  # eurocent a month: what gemeenten set for three kinds of debtors


class Debtors:
    """Makes periods of reclaiming from a random source of its own; only where the catalogue has them."""

    def __init__(self, rnd: Random, knobs: Knobs, soorten: Mapping[str, object], gemeenten: Sequence[str], days: int) -> None:
        self._rnd = rnd
        self._share = knobs.reclaimed if _SOORT in soorten else 0.0
        self._gemeenten = gemeenten
        self._days = days
        self._dossiers = 0

    def records(self) -> Iterator[SyntheticRecord]:
        """Those of one more person, if bijstand is reclaimed from that one."""
        rnd = self._rnd
        if rnd.random() >= self._share:
            return
        self._dossiers += 1
        begin = EPOCH_DAY + int(self._days * rnd.random() / 2)
        end = None if rnd.random() < 0.7 else begin + rnd.randint(100, 900)
        feit: Feit = {"begindatum": begin, "einddatum": end, "houder": rnd.choice(self._gemeenten)}
        feit |= {"kenmerk": f"TV-{self._dossiers:06d}", "drempelbedrag": rnd.choice(_GRENZEN)}
        yield SyntheticRecord(_SOORT, uuid_of(rnd), begin + 20 * rnd.random(), feit)
