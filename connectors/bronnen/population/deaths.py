"""Who dies in the simulated time; drawn beside all others, so that these stay as they are."""

from collections.abc import Iterator, Mapping
from random import Random
from typing import Final

from connectors.bronnen.population.knobs import Knobs
from connectors.bronnen.population.persons import EPOCH_DAY, SyntheticRecord, uuid_of

DEATH: Final = "rvig.overlijden"


class Deaths:
    """Makes deaths from a random source of its own; only where the catalogue has them."""

    def __init__(self, rnd: Random, knobs: Knobs, soorten: Mapping[str, object], days: int) -> None:
        self._rnd = rnd
        self._share = knobs.deaths if DEATH in soorten else 0.0
        self._days = days

    def records(self) -> Iterator[SyntheticRecord]:
        """That of one more person, if that one dies: registered within days, while what is paid goes on for longer."""
        if self._rnd.random() < self._share:
            day = EPOCH_DAY + int(self._days * self._rnd.random())
            yield SyntheticRecord(DEATH, uuid_of(self._rnd), day + 1 + 5 * self._rnd.random(), {"begindatum": day, "einddatum": None})
