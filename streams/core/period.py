"""Periods of days, half-open, and the one place where the law's "tot en met" is converted."""

import re
from calendar import monthrange
from datetime import date
from functools import lru_cache
from typing import Final, Self

import msgspec

from schemas.codec import MIN_DAY

BEFORE: Final = MIN_DAY - 1  # the klok's day while it has not ticked: before all that can be registered
_EPOCH = date(1970, 1, 1).toordinal()
_TERMIJN: Final = re.compile(r"P([0-9]+)([DM])").fullmatch


class Period(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The days from ``start`` up to, not including, ``end``; ``end`` None is open. Days are counted from 1970-01-01."""

    start: int
    end: int | None

    @classmethod
    def tot_en_met(cls, begindatum: int, einddatum: int | None) -> Self:
        """The period of a record whose last day is ``einddatum``; raises ValueError when that lies before the first."""
        if einddatum is not None and einddatum < begindatum:
            raise ValueError("einddatum lies before begindatum")
        return cls(begindatum, None if einddatum is None else einddatum + 1)

    @property
    def einddatum(self) -> int | None:
        """The last day, tot en met; None while the period is open."""
        return None if self.end is None else self.end - 1

    def __contains__(self, day: object) -> bool:
        """Whether ``day`` lies in the period."""
        return isinstance(day, int) and self.start <= day and (self.end is None or day < self.end)

    def shared_with(self, other: Self) -> Self | None:
        """The days that both have, or None when they share none."""
        start = max(self.start, other.start)
        end = other.end if self.end is None or (other.end is not None and other.end < self.end) else self.end
        return type(self)(start, end) if end is None or start < end else None


def day_number(at: date) -> int:
    """A date as a number of days."""
    return at.toordinal() - _EPOCH


@lru_cache(maxsize=100_000)
def iso_day(day: int) -> str:
    """``day`` as ISO 8601, e.g. 2026-01-31."""
    return date.fromordinal(_EPOCH + day).isoformat()


@lru_cache(maxsize=10_000)
def day_after(day: int, termijn: str) -> int:
    """The day that comes ``termijn`` (``P1M``, ``P30D``) after ``day``; a month that is too short ends it."""
    return _moved(day, termijn, 1)


@lru_cache(maxsize=10_000)
def day_before(day: int, termijn: str) -> int:
    """The day that comes ``termijn`` before ``day``; a month that is too short ends it."""
    return _moved(day, termijn, -1)


def _moved(day: int, termijn: str, sign: int) -> int:
    found = _TERMIJN(termijn)
    if found is None:
        raise ValueError("a termijn is P, a number and M or D")
    number, unit = sign * int(found[1]), found[2]
    if unit == "D":
        return day + number
    at = date.fromordinal(_EPOCH + day)
    year, month = divmod(at.year * 12 + at.month - 1 + number, 12)
    return date(year, month + 1, min(at.day, monthrange(year, month + 1)[1])).toordinal() - _EPOCH


@lru_cache(maxsize=100_000)
def birthday(born: int, age: int) -> int:
    """The day on which somebody who was born on the day ``born`` turns ``age``; who was born on 29 February does so on 1 March."""
    at = date.fromordinal(_EPOCH + born)
    leap = (at.month, at.day) == (2, 29) and monthrange(at.year + age, 2)[1] != at.day
    return (date(at.year + age, 3, 1) if leap else at.replace(year=at.year + age)).toordinal() - _EPOCH
