"""Feiten that go on as one: records of a soort that are equal in the fields that a dienst names, and leave no day between them.

An employer that renumbers a job ends one inkomstenverhouding and begins another, and somebody works on. Such records are a chain. It
counts as its first record, with the days of all of them; the others count for nothing beside it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from streams.core.period import Period
from streams.core.record import Record
from streams.core.rulebook import DienstRule

Counts = tuple[Record, tuple[Record, ...]]
"""A feit with the days of its chain, as withdrawn when it is not the first of one; and the records that go on from it."""

Chains = Mapping[bytes, Counts]  # name → the feit as it counts, of those that are in a chain with others
NO_CHAINS: Final[Chains] = {}


def counted_in(chains: Chains, feit: Record) -> Counts:
    """A feit as it counts: that of its chain, or itself."""
    return chains.get(feit.name, (feit, ()))


def alone_last(feiten: list[Record], chains: Chains) -> list[Record]:
    """What no longer counts for itself comes before what does: it is withdrawn before something else is told in its place."""
    return sorted(feiten, key=lambda f: counted_in(chains, f)[0].period is not None) if chains else feiten


def alike(dienst: DienstRule, soort: int, feit: Record, other: Record) -> bool:
    """Whether two feiten of a soort are equal in what makes them go on as one."""
    if feit.period is None or other.period is None:
        return False
    return all(feit.values[i] == other.values[i] for i in dienst.groepeer[soort])


def chains_of(dienst: DienstRule, soort: int, feiten: Iterable[Record], basis: Record) -> Chains:
    """The chains among all ``feiten`` of a soort that share a day with a basisfeit: only of those are the bronnen asked."""
    key = dienst.groepeer.get(soort)
    if key is None or basis.period is None:
        return NO_CHAINS
    by_key: dict[tuple[object, ...], list[Record]] = {}
    for feit in feiten:
        if feit.period is not None and basis.period.shared_with(feit.period) is not None:
            by_key.setdefault(tuple([feit.values[i] for i in key]), []).append(feit)
    return {name: counts for records in by_key.values() if len(records) > 1 for name, counts in _linked(records)}


def _linked(records: Sequence[Record]) -> Iterable[tuple[bytes, Counts]]:
    """Of records with one key those in a chain of two or more; of two that begin on one day the lower record_id is the first."""
    chain: list[Record] = []
    last: Period | None = None
    for record in sorted(records, key=_begin):
        period = record.period
        if last is not None and period is not None and (last.end is None or period.start <= last.end):
            chain.append(record)
            last = _both(last, period)
            continue
        yield from _counts(chain, last)
        chain, last = [record], period
    yield from _counts(chain, last)


def _counts(chain: Sequence[Record], period: Period | None) -> Iterable[tuple[bytes, Counts]]:
    if len(chain) > 1:
        first, *rest = chain
        yield first.name, (_with(first, period), tuple(rest))
        yield from ((record.name, (_with(record, None), ())) for record in rest)


def _begin(record: Record) -> tuple[int, str]:
    return 0 if record.period is None else record.period.start, record.record_id


def _both(first: Period, second: Period) -> Period:
    return Period(first.start, None if first.end is None or second.end is None else max(first.end, second.end))


def _with(record: Record, period: Period | None) -> Record:
    return Record(record.name, record.versie, record.offset, period, record.values, record.sent)
