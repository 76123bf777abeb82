"""Records of the soorten beyond work, income and benefits: drawn beside those, so that these stay as they are in every catalogue."""

from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Final

from connectors.bronnen.population.knobs import Knobs
from connectors.bronnen.population.persons import EPOCH_DAY, Feit, SyntheticRecord, uuid_of

_LETTERS: Final = "BDFGHJKLNPRSTVXZ"


class FurtherRecords:
    """Makes further records of persons from a random source of its own; only of soorten that the catalogue has."""

    def __init__(self, rnd: Random, knobs: Knobs, soorten: Mapping[str, object], days: int) -> None:
        self._rnd = rnd
        self._days = days
        self._dossiers = 0
        share: dict[str, tuple[float, Callable[[], Feit]]] = {
            "rdw.voertuig": (knobs.vehicle, self._vehicle),
            "belastingdienst.vermogen": (knobs.assets, self._assets),
            "dji.detentie": (knobs.detention, self._detention),
            "duo.hogeronderwijs": (knobs.higher_education, self._higher_education),
            "svb.aio": (knobs.aio, self._aio),
        }
        self._share = {soort: made for soort, made in share.items() if soort in soorten}

    def records(self) -> Iterator[SyntheticRecord]:
        """The further records of one more person."""
        for soort, (share, make) in self._share.items():
            if self._rnd.random() < share:
                feit = make()
                yield SyntheticRecord(soort, uuid_of(self._rnd), feit["begindatum"] + 20 * self._rnd.random(), feit)

    def _days_of(self, least: int, most: int, open_share: float = 0.0) -> Feit:
        begin = EPOCH_DAY + int(self._days * self._rnd.random())
        end = None if self._rnd.random() < open_share else begin + self._rnd.randint(least, most)
        return {"begindatum": begin, "einddatum": end}

    def _vehicle(self) -> Feit:
        plate = "".join(self._rnd.choice(_LETTERS) if i in {0, 4, 5} else str(self._rnd.randrange(10)) for i in range(6))
        kind = self._rnd.choice(("PERSONENAUTO", "PERSONENAUTO", "PERSONENAUTO", "BROMFIETS", "MOTORFIETS"))
        return self._days_of(60, 600, open_share=0.6) | {
            "kenteken": plate,
            "voertuigsoort": kind,
            "bouwjaar": self._rnd.randint(2001, 2024),
        }

    def _assets(self) -> Feit:
        """On the first of January, the day of reference for the tax on possessions."""
        day = EPOCH_DAY + 366 * self._rnd.randrange(max(1, self._days // 366 + 1))
        kind = self._rnd.choice(("BANKTEGOED", "BANKTEGOED", "EFFECTEN", "ONROERENDE_ZAAK"))
        return {"begindatum": day, "einddatum": day, "vermogenssoort": kind, "bedrag": self._rnd.randint(20_000, 4_000_000)}

    def _detention(self) -> Feit:
        return self._days_of(3, 200, open_share=0.1)

    def _higher_education(self) -> Feit:
        return self._days_of(200, 900, open_share=0.5) | {"onderwijsvorm": self._rnd.choice(("VOLTIJD", "VOLTIJD", "DEELTIJD", "DUAAL"))}

    def _aio(self) -> Feit:
        self._dossiers += 1
        return self._days_of(120, 900, open_share=0.7) | {"houder": "svb", "kenmerk": f"AIO-{self._dossiers:06d}"}
