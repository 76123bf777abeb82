"""What the income behind a signaal of the pattern drempel adds up to, beside the threshold: amounts and days, and nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from samenloop.cited import Cited
from samenloop.rendering import days, euros
from schemas.catalogue import Dienst
from schemas.regels import Bedrag, Drempel
from schemas.values import Basissignaal, ElkSignaal, Place
from streams.core.amounts import per_maand, sums
from streams.core.period import Period, iso_day


@dataclass(frozen=True)
class Sums:
    """The sum a month on each stretch of days of a signaal; none where the log no longer has all that is cited."""

    grens: int
    per_maand: Sequence[tuple[str, str | None, int]]  # first and last day, ISO 8601, and eurocent
    weggelaten: int  # feiten that are not cited, and so not in the sums

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        told = [{"begindatum": begin, "einddatum": end, "som": som} for begin, end, som in self.per_maand]
        return {"grens": self.grens, "per_maand": told, "weggelaten": self.weggelaten}

    def lines(self) -> list[str]:
        """For people, in Dutch."""
        lines = ["", f"Som van de bedragen, per maand; de drempel is {euros(self.grens)}"]
        lines += [f"  {days(begin, end)}: {euros(som)}" for begin, end, som in self.per_maand]
        if self.weggelaten:
            lines.append(f"  zonder de {self.weggelaten} oudste gegevens, die het signaal niet noemt")
        return lines


def sums_of(dienst: Dienst, signaal: ElkSignaal, cited: Mapping[Place, Cited]) -> Sums | None:
    """The sums of a signaal that stands; None of another pattern, and where the log no longer has a record that it cites."""
    regel = dienst.regel
    if not isinstance(regel, Drempel) or not isinstance(signaal, Basissignaal) or signaal.begindatum is None:
        return None
    basis, *feiten = [cited[Place(r.topic, r.partition, r.offset)].feit for r in signaal.bewijs]
    if basis is None or None in feiten:
        return None
    about = _period(date.fromisoformat(signaal.begindatum), None if signaal.einddatum is None else date.fromisoformat(signaal.einddatum))
    bedragen = {b.soort: b for b in regel.bedragen}
    parts = [_part(bedragen[r.soort], feit, about) for r, feit in zip(signaal.feiten, feiten, strict=True) if feit is not None]
    found = sums(part for part in parts if part is not None)
    told = [(iso_day(p.start), None if p.einddatum is None else iso_day(p.einddatum), som) for p, som in found if p.shared_with(about)]
    return Sums(basis[regel.grens], told, signaal.weggelaten)


def _part(bedrag: Bedrag, feit: Mapping[str, Any], about: Period) -> tuple[Period, int] | None:
    period = _period(feit["begindatum"], feit["einddatum"])
    monthly = per_maand(feit[bedrag.veld], "MAAND" if bedrag.tijdvak is None else feit[bedrag.tijdvak], period)
    shared = period.shared_with(about)
    return None if monthly is None or shared is None else (shared, monthly)


def _period(begin: date, end: date | None) -> Period:
    return Period.tot_en_met((begin - _EPOCH).days, None if end is None else (end - _EPOCH).days)


_EPOCH: Final = date(1970, 1, 1)
