"""The rules for a basisfeit and all feiten together: what should stand, and on which days. Published, versioned, deterministic.

A rule knows no today. It gives *spells*: what an ontvanger is to be told, and from which day to which it is to be told. The klok's day
picks the one that stands; the next day on which a spell begins or ends is the next on which time alone changes anything.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, pairwise, product
from math import inf
from typing import Final, NamedTuple

import msgspec
from msgspec.structs import replace

from schemas.codec import MIN_DAY
from schemas.regels import BEGINDATUM, Beeindiging, Drempel, Informatiepakket, Leeftijd, Ontbreken
from schemas.values import Waarde
from streams.core.amounts import above, per_maand, sums
from streams.core.ends import before, counted
from streams.core.period import BEFORE, Period, birthday, day_after, day_before, iso_day
from streams.core.record import Record
from streams.core.rulebook import DienstRule, Soort
from streams.core.rules import digest_of

MOST_PARTS: Final = 40  # of a signaal about a basisfeit, so that it cannot pass the 64 KB of the NL GOV profile; the newest are told

Feiten = Sequence[tuple[Soort, Record]]  # those that stand


class Deel(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A part of what is told: the listed fields of a feit, or what follows from several."""

    soort: str
    period: Period
    velden: tuple[tuple[str, Waarde], ...]


class Standing(msgspec.Struct, frozen=True, gc=False):
    """What an ontvanger should know about a basisfeit."""

    ontvanger: str
    kenmerk: str
    shared: Period  # the days that it is about
    delen: tuple[Deel, ...]
    bewijs: tuple[tuple[Soort, Record], ...]  # the feiten from which it follows

    def digest(self) -> bytes:
        """Six bytes that differ when anything differs that the ontvanger is told; which records show it is no part of that."""
        left_out = self.bewijs[:-MOST_PARTS]
        told = self.kenmerk, self.shared, self.delen[-MOST_PARTS:]
        return digest_of((*told, len(left_out)) if left_out else told)


class Spell(NamedTuple):
    """What is to be told on some days."""

    told: Period
    standing: Standing


def spells(dienst: DienstRule, basis: Record, feiten: Feiten, end: int | None) -> list[Spell]:
    """All that is to be told about a basisfeit, and to whom, no two on one day.

    Nothing of one that is withdrawn, nor of its days from ``end`` on.
    """
    basis = counted(basis, end)
    if basis.period is None:
        return []
    beurten = dienst.beurten.get(str(basis.values[dienst.houder]))
    found = _spells(dienst, basis, feiten, end)
    return list(found if beurten is None else _divided(found, beurten))


def _spells(dienst: DienstRule, basis: Record, feiten: Feiten, end: int | None) -> Iterator[Spell]:
    match dienst.regel:
        case Ontbreken():
            return _ontbreken(dienst, dienst.regel, basis, feiten)
        case Beeindiging():
            return _beeindiging(dienst, dienst.regel, basis, feiten)
        case Drempel():
            return _drempel(dienst, dienst.regel, basis, feiten)
        case Informatiepakket():
            return _informatiepakket(dienst, dienst.regel, basis, feiten, end)
    raise TypeError(f"{dienst.regel.patroon} is a pattern of pairs")


def _divided(found: Iterable[Spell], beurten: Iterable[tuple[Period, str]]) -> Iterator[Spell]:
    """Each spell over the ontvangers that are told one after the other."""
    for spell, (days, ontvanger) in product(found, beurten):
        told = spell.told.shared_with(days)
        if told is not None:
            yield Spell(told, replace(spell.standing, ontvanger=ontvanger))


def since(dienst: DienstRule, basis: Record) -> int | None:
    """The first day of which a basisfeit makes the feiten count, from which bronnen are asked for them; None when it is withdrawn."""
    if basis.period is None:
        return None
    days = reference(dienst, dienst.regel, basis) if isinstance(dienst.regel, Informatiepakket) else None
    return basis.period.start if days is None else max(MIN_DAY, days.start)


def reference(dienst: DienstRule, regel: Informatiepakket, basis: Record) -> Period | None:
    """The days of reference of a basisfeit that stands."""
    if basis.period is None:
        return None
    day = basis.period.start if regel.peildatum == BEGINDATUM else basis.values[dienst.velden[regel.peildatum]]
    if not isinstance(day, int):  # in a schema that is older than the rule
        return None
    return Period(day, day + 1) if regel.terug is None else Period(day_before(day, regel.terug), day)


def on(found: Iterable[Spell], day: int) -> Standing | None:
    """What stands on a day."""
    return next((s.standing for s in found if day in s.told), None)


def next_border(found: Iterable[Spell], day: int) -> int | None:
    """The first day after ``day`` on which a spell begins or ends."""
    borders = chain.from_iterable((s.told.start, s.told.end) for s in found)
    return min((b for b in borders if b is not None and b > day), default=None)


def _ontbreken(dienst: DienstRule, regel: Ontbreken, basis: Record, feiten: Feiten) -> Iterator[Spell]:
    """None of the feiten on these days of the basisfeit: told since the wachttijd, with what ended as it began."""
    window = _window(dienst, regel.leeftijd, basis)
    for hole in _holes(feiten):
        gap = None if window is None else hole.shared_with(window)
        if gap is not None and (told := _from(gap, day_after(gap.start, regel.wachttijd))) is not None:
            yield Spell(told, _standing(dienst, basis, gap, _ended(feiten, hole.start)))


def _beeindiging(dienst: DienstRule, regel: Beeindiging, basis: Record, feiten: Feiten) -> Iterator[Spell]:
    """A feit of one soort ended, and none began within the termijn: told from then on, about the days since it ended."""
    window = _window(dienst, regel.leeftijd, basis)
    for hole in _holes(feiten):
        ended = [(s, f) for s, f in _ended(feiten, hole.start) if s.naam == regel.van]
        told = _from(hole, day_after(hole.start, regel.termijn)) if ended else None
        told = None if told is None or window is None else told.shared_with(window)
        if told is not None:
            yield Spell(told, _standing(dienst, basis, Period(hole.start, told.end), ended))


def _drempel(dienst: DienstRule, regel: Drempel, basis: Record, feiten: Feiten) -> Iterator[Spell]:
    """The amounts of the feiten are together more than the grens, on a run of days: told from its first day until the next begins."""
    counted = counted_of(dienst, regel, feiten)
    runs = _runs(basis.period, basis.values[dienst.velden[regel.grens]], [(p, bedrag) for _, p, bedrag in counted])
    for run, later in pairwise([*runs, None]):
        if run is not None:
            during = [feit for feit, period, _ in counted if period.shared_with(run) is not None]
            yield Spell(Period(run.start, None if later is None else later.start), _standing(dienst, basis, run, during))


def _runs(window: Period | None, grens: Waarde, bedragen: Iterable[tuple[Period, int]]) -> Iterator[Period]:
    """The runs of days of a basisfeit on which the sum is more than its grens."""
    if window is None or not isinstance(grens, int):  # in a schema that is older than the rule
        return
    within = ((period.shared_with(window), bedrag) for period, bedrag in bedragen)
    yield from above(sums((period, bedrag) for period, bedrag in within if period is not None), grens)


def counted_of(dienst: DienstRule, regel: Drempel, feiten: Feiten) -> list[tuple[tuple[Soort, Record], Period, int]]:
    """The feiten whose amount a month is known, with their days and that amount."""
    bedragen = {b.soort: b for b in regel.bedragen}
    found = []
    for soort, feit in feiten:
        bedrag, at = bedragen[soort.naam], dict(dienst.feiten[soort.nummer])
        value = feit.values[at[bedrag.veld]]
        tijdvak = "MAAND" if bedrag.tijdvak is None else feit.values[at[bedrag.tijdvak]]
        if feit.period is not None and isinstance(value, int):
            monthly = per_maand(value, str(tijdvak), feit.period)
            found += [] if monthly is None else [((soort, feit), feit.period, monthly)]
    return found


def _informatiepakket(dienst: DienstRule, regel: Informatiepakket, basis: Record, feiten: Feiten, end: int | None) -> Iterator[Spell]:
    """Whatever feiten share a day with those of reference, also none: told since the wachttijd, and no longer than the basisfeit lasts."""
    whole = reference(dienst, regel, basis)
    days = None if whole is None else before(whole, end)
    told = None if basis.period is None else _from(basis.period, day_after(basis.period.start, regel.wachttijd))
    if days is not None and told is not None:
        found = [(s, f) for s, f in feiten if f.period is not None and f.period.shared_with(days) is not None]
        yield Spell(told, _standing(dienst, basis, days, found))


def _window(dienst: DienstRule, leeftijd: Leeftijd | None, basis: Record) -> Period | None:
    """The days of the basisfeit on which somebody has the age, if there are."""
    if leeftijd is None or basis.period is None:
        return basis.period
    born = basis.values[dienst.velden[leeftijd.veld]]
    if not isinstance(born, int):  # in a schema that is older than the rule
        return None
    begin = BEFORE if leeftijd.vanaf is None else birthday(born, leeftijd.vanaf)
    return basis.period.shared_with(Period(begin, None if leeftijd.tot is None else birthday(born, leeftijd.tot)))


def _holes(feiten: Feiten) -> Iterator[Period]:
    """The days on which none of the feiten is, before, between and after them."""
    start = BEFORE
    for period in sorted((f.period for _, f in feiten if f.period is not None), key=lambda p: p.start):
        if period.start > start:
            yield Period(start, period.start)
        if period.end is None:
            return
        start = max(start, period.end)
    yield Period(start, None)


def _from(period: Period, day: int) -> Period | None:
    """The days of a period from ``day`` on, if there are."""
    return period.shared_with(Period(day, None))


def _ended(feiten: Feiten, day: int) -> Feiten:
    """The feiten whose last day is the one before ``day``."""
    return [(s, f) for s, f in feiten if f.period is not None and f.period.end == day]


def _standing(dienst: DienstRule, basis: Record, shared: Period, feiten: Feiten) -> Standing:
    """What is told with the listed fields of some feiten, in the order of their days."""
    ordered = sorted(feiten, key=_days)
    delen = tuple(Deel(s.naam, f.period, _listed(dienst, s, f)) for s, f in ordered if f.period is not None)
    return Standing(str(basis.values[dienst.houder]), str(basis.values[dienst.kenmerk]), shared, delen, tuple(ordered))


def _listed(dienst: DienstRule, soort: Soort, feit: Record) -> tuple[tuple[str, Waarde], ...]:
    """The fields of a feit that the dienst lists, days in ISO 8601."""
    named = [(name, feit.values[i]) for name, i in dienst.feiten[soort.nummer]]
    return tuple((name, iso_day(int(v)) if name in soort.datums and v is not None else v) for name, v in named)


def _days(feit: tuple[Soort, Record]) -> tuple[int, float, int, str]:
    """The order of feiten: by their days, and then by their names."""
    soort, record = feit
    period = record.period or Period(BEFORE, None)
    return period.start, inf if period.end is None else period.end, soort.nummer, record.record_id
