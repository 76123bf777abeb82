"""What an ontvanger knows already: a feit is not told when all days that count are covered by what was declared to it."""

from collections.abc import Iterable, Mapping, Sequence

from streams.core.amounts import per_maand
from streams.core.period import Period
from streams.core.record import Record
from streams.core.rulebook import Known, Most

Beside = Mapping[int, Sequence[Record]]  # nummer of the soort → records in the head of a persoon


def is_known(known: Known, houder: str, feit: Record, shared: Period, beside: Beside) -> bool:
    """Whether the records of the houder, and of who merged with it, that fit the feit cover all ``shared`` days."""
    return _cover((r.period for r in beside.get(known.soort, ()) if r.period is not None and _fits(known, houder, feit, r)), shared)


def _fits(known: Known, houder: str, feit: Record, opgave: Record) -> bool:
    if not known.of_one(opgave.values[known.houder], houder) or any(feit.values[f] != opgave.values[o] for f, o in known.gelijk):
        return False
    if known.hoogstens is None:
        return True
    grens, bedrag = opgave.values[known.hoogstens.grens], _monthly(known.hoogstens, feit)
    return isinstance(grens, int) and bedrag is not None and bedrag <= grens


def _monthly(most: Most, feit: Record) -> int | None:
    """The amount of a feit a month; None where it is not known."""
    bedrag = feit.values[most.bedrag]
    if not isinstance(bedrag, int) or feit.period is None:
        return None
    return per_maand(bedrag, "MAAND" if most.tijdvak is None else str(feit.values[most.tijdvak]), feit.period)


def _cover(periods: Iterable[Period], days: Period) -> bool:
    """Whether the periods together have all ``days``."""
    start = days.start
    for period in sorted(periods, key=lambda p: p.start):
        if period.start > start:
            return False
        if period.end is None or (days.end is not None and period.end >= days.end):
            return True
        start = max(start, period.end)
    return False
