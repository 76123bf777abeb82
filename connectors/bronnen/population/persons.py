"""BSNs of the test range, and the records of one person as a bron would register them."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any, Final, NamedTuple

from connectors.bronnen.population.knobs import Knobs

EPOCH_DAY: Final = 19_723  # 2024-01-01, the first simulated day
_AMSTERDAM: Final = "gm0363"

Feit = dict[str, Any]  # dates as days since 1970-01-01


class SyntheticRecord(NamedTuple):
    """A record before it has a history: what the bron registers first, and on which day."""

    soort: str
    record_id: str
    registered: float
    feit: Feit


def synthetic_bsns() -> Iterator[str]:
    """BSNs that pass the elfproef, from 999999990 downward: the test range 99999xxxx first, then other numbers that begin with 9.

    The test range itself has some 9,000; with 9 in front there are some nine million, enough for any population here.
    """
    for prefix in range(99_999_999, 90_000_000, -1):
        digits = str(prefix)
        last = sum(w * int(d) for w, d in zip((9, 8, 7, 6, 5, 4, 3, 2), digits, strict=True)) % 11
        if last < 10:
            yield digits + str(last)


def uuid_of(rnd: Random) -> str:
    """A random UUID, as most registers use for their records."""
    text = f"{rnd.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class PersonMaker:
    """Makes the records of persons from one random source, and from ``elsewhere`` at which gemeente a second benefit is paid."""

    def __init__(self, rnd: Random, elsewhere: Random, knobs: Knobs, gemeenten: Sequence[str], days: int, income_months: float) -> None:
        self._rnd = rnd
        self._elsewhere = elsewhere
        self._knobs = knobs
        self._gemeenten = gemeenten
        self._days = days
        self._income_months = income_months
        self._dossiers = 0

    def records(self) -> Iterator[SyntheticRecord]:
        """All records of one more person."""
        chance = self._rnd.random
        if chance() >= self._knobs.without_benefit:
            houder = None
            for _ in range(2 if chance() < self._knobs.second_benefit else 1):
                for record in self._benefit():
                    yield record if houder is None else record._replace(feit=record.feit | {"houder": houder})
                houder = None if self._elsewhere.random() < self._knobs.second_elsewhere else record.feit["houder"]
        for _ in range((1, 1, 1, 2, 2, 3)[self._rnd.randrange(6)]):
            yield from self._job()
        if chance() < self._knobs.uwv_benefit:
            regeling = self._rnd.choice(("WW", "ZW", "WIA_WGA", "WAJONG"))
            yield self._single("uwv.uitkering", {"regeling": regeling, "bruto_bedrag": self._rnd.randint(20_000, 220_000)})
        if chance() < self._knobs.svb_pension:
            yield self._single(
                "svb.pensioen", {"regeling": self._rnd.choice(("AOW", "ANW")), "bruto_bedrag": self._rnd.randint(10_000, 140_000)}
            )
        if chance() < self._knobs.study_finance:
            feit = {"regeling": "WSF_2000", "onderwijssoort": self._rnd.choice(("MBO_BOL", "HBO", "WO")), "maandbedrag": None}
            yield self._single("duo.studiefinanciering", feit)

    def houder(self) -> str:
        """A gemeente, Amsterdam more often than the others."""
        return _AMSTERDAM if self._rnd.random() < self._knobs.amsterdam else self._rnd.choice(self._gemeenten)

    def _day(self) -> int:
        return EPOCH_DAY + int(self._days * self._rnd.random() ** 1.3)

    def _benefit(self) -> Iterator[SyntheticRecord]:
        begin = self._day()
        end = None if self._rnd.random() < 0.5 else begin + self._rnd.randint(3, 30) * 30 - 1
        moved = begin + self._rnd.randint(30, 300) if self._rnd.random() < self._knobs.moves else None
        yield self._bijstand(begin, end if moved is None else moved - 1)
        if moved is not None and (end is None or moved < end):
            yield self._bijstand(moved, end)

    def _bijstand(self, begin: int, end: int | None) -> SyntheticRecord:
        self._dossiers += 1
        kenmerk = f"PW-{2024 + (begin - EPOCH_DAY) // 366}-{self._dossiers:06d}"
        feit: Feit = {"begindatum": begin, "einddatum": end, "houder": self.houder(), "kenmerk": kenmerk, "wet": "PARTICIPATIEWET"}
        return SyntheticRecord("gemeente.bijstand", uuid_of(self._rnd), begin + 30 * self._rnd.random() - 10, feit)

    def _single(self, soort: str, fields: Feit) -> SyntheticRecord:
        begin = self._day()
        end = None if self._rnd.random() < 0.4 else begin + self._rnd.randint(1, 20) * 30
        return SyntheticRecord(
            soort, uuid_of(self._rnd), begin + 20 * self._rnd.random(), {"begindatum": begin, "einddatum": end, **fields}
        )

    def _job(self) -> Iterator[SyntheticRecord]:
        rnd = self._rnd
        step = 28 if rnd.random() < self._knobs.four_weekly else 30
        periods = rnd.randint(1, max(1, round(2 * self._income_months) - 1))
        begin = EPOCH_DAY + rnd.randrange(max(1, self._days - periods * step // 2))
        employer = f"{rnd.randrange(9 * 10**8):09d}L{rnd.randint(1, 3):02d}"
        renumbered = begin + step * (periods // 2) if periods > 3 and rnd.random() < self._knobs.new_ikv_same_job else None
        last = None if rnd.random() < 0.3 else begin + periods * step - 1
        yield self._ikv(employer, 1, begin, last if renumbered is None else renumbered - 1)
        if renumbered is not None:
            yield self._ikv(employer, 2, renumbered, last)
        wage = rnd.randint(20_000, 350_000)
        for i in range(periods):
            first = begin + i * step
            number = 2 if renumbered is not None and first >= renumbered else 1
            feit: Feit = {"begindatum": first, "einddatum": first + step - 1, "loonheffingennummer": employer, "ikv_nummer": number}
            feit |= {
                "tijdvak": "MAAND" if step == 30 else "VIER_WEKEN",
                "loon_sv": wage + rnd.randint(-9_000, 9_000),
                "verloonde_uren": None,
            }
            yield SyntheticRecord("uwv.inkomstenopgave", uuid_of(self._rnd), first + step + 24 * rnd.random(), feit)

    def _ikv(self, employer: str, number: int, begin: int, end: int | None) -> SyntheticRecord:
        feit: Feit = {
            "begindatum": begin,
            "einddatum": end,
            "loonheffingennummer": employer,
            "ikv_nummer": number,
            "soort_inkomstenverhouding": "15",
        }
        return SyntheticRecord("uwv.inkomstenverhouding", uuid_of(self._rnd), begin + 20 * self._rnd.random(), feit)
