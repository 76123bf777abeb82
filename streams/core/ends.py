"""What ends the basisfeiten of a persoon: of those days it is no ground any more, whatever the records of it say."""

from collections.abc import Iterable

from streams.core.period import Period
from streams.core.record import Record
from streams.core.rulebook import DienstRule
from streams.core.timeline import Timeline


def end_of(dienst: DienstRule, timeline: Timeline) -> int | None:
    """The first day on which no basisfeit of a dienst counts any more, behind the first of what ends them; None: nothing does."""
    records = None if dienst.eindigt_bij is None else timeline.head.gronden.get(dienst.eindigt_bij)
    if not records:
        return None
    return min((r.period.start + 1 for r in records if r.period is not None), default=None)


def counting(dienst: DienstRule, timeline: Timeline) -> Iterable[tuple[Record, Record]]:
    """The basisfeiten of a dienst in the order of their positions, each as it is and as it counts."""
    gronden = timeline.head.gronden.get(dienst.basis, ())
    if dienst.eindigt_bij not in timeline.head.gronden:
        return zip(gronden, gronden, strict=True)
    end = end_of(dienst, timeline)
    return [(basis, counted(basis, end)) for basis in gronden]


def counted(basis: Record, end: int | None) -> Record:
    """A basisfeit with only the days before ``end``; as one that is withdrawn when there are none."""
    if end is None or basis.period is None:
        return basis
    period = before(basis.period, end)
    return basis if period == basis.period else Record(basis.name, basis.versie, basis.offset, period, basis.values, basis.sent)


def before(period: Period, end: int | None) -> Period | None:
    """The days of a period before ``end``, if there are."""
    if end is None:
        return period
    return period.shared_with(Period(period.start, end)) if period.start < end else None
