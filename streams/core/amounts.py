"""Amounts of money that hold on days: each as that of a month, and what they are together. Whole eurocents, rounded down."""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Final

from schemas.regels import TIJDVAKKEN
from streams.core.period import Period

_YEAR: Final = 365  # days
_MONTHS: Final = 12


def per_maand(bedrag: int, tijdvak: str, period: Period) -> int | None:
    """What an amount is a month, of a feit that lasts ``period``; None where nothing says over how many days it is."""
    if tijdvak not in TIJDVAKKEN:
        return None
    factor = TIJDVAKKEN[tijdvak]
    if factor is None and period.end is None:
        return None
    times, parts = factor or (_YEAR, _MONTHS * ((period.end or period.start) - period.start))
    return bedrag * times // parts


def sums(bedragen: Iterable[tuple[Period, int]]) -> Iterator[tuple[Period, int]]:
    """The days on which there may be amounts, in order and without holes, with the sum of those that hold then."""
    changes: dict[int, int] = {}
    for period, bedrag in bedragen:
        changes[period.start] = changes.get(period.start, 0) + bedrag
        if period.end is not None:
            changes[period.end] = changes.get(period.end, 0) - bedrag
    som = 0
    for day, until in pairwise([*sorted(changes), None]):
        if day is not None:
            som += changes[day]
            yield Period(day, until), som


def above(found: Iterable[tuple[Period, int]], grens: int) -> Iterator[Period]:
    """The longest runs of days on which the sum is more than ``grens``, and more than nothing."""
    run: Period | None = None
    for period, som in found:
        if som > max(grens, 0):
            run = Period(period.start if run is None else run.start, period.end)
        elif run is not None:
            yield run
            run = None
    if run is not None:
        yield run
