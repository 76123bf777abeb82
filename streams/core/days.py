"""On which day of the klok a record came, told by its offset, so that no row of a persoon needs to say it.

A partition keeps a row for each day on which the klok struck: the day on which it struck before, and of each topic the first offset
that was taken since. A record came between two of them. Rows that are older than anything is kept for are dropped.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from streams.core.period import BEFORE
from streams.core.timeline import Read

Rows = dict[bytes, bytes | None]


class Day(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A day on which the klok struck."""

    before: int | None  # on which it struck before; None: never
    begins: Mapping[int, int] = {}  # nummer of a soort → the first offset of it that was taken since


class Days:
    """The days behind which nothing need be known any more, up to ``newest``."""

    def __init__(self, newest: int, found: Mapping[int, Day]) -> None:
        self._days = sorted({newest, *found})
        self._begins: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)  # soort → (offset, day), both rising
        for day in self._days:
            for nummer, offset in found[day].begins.items() if day in found else ():
                self._begins[nummer].append((offset, day))

    def taken(self, nummer: int, offset: int) -> int:
        """The klok's day when the record at an offset was taken; BEFORE all of them, where that is no longer known."""
        begins = self._begins.get(nummer, [])
        at = bisect_right(begins, offset, key=lambda begin: begin[0])
        return begins[at - 1][1] if at else BEFORE

    def behind(self, day: int) -> int:
        """The next day on which the klok struck after ``day``; the first that it can be, when it has not."""
        at = bisect_right(self._days, day)
        return self._days[at] if at < len(self._days) else day + 1


def begun(read: Read, klok: int | None, nummer: int, first: Callable[[], int]) -> Rows:
    """The row that changes when records of a soort are taken, the first at ``first()``: only where none was since the klok struck."""
    if klok is None:
        return {}
    key = _key(klok)
    row = read(key)
    day = Day(None) if row is None else _decode(row)
    return {} if nummer in day.begins else {key: _encode(Day(day.before, {**day.begins, nummer: first()}))}


def struck(read: Read, klok: int | None, day: int, termijn: int) -> tuple[Days, Rows]:
    """The klok strikes on ``day``, after ``klok``: the days that count, and what changes in their rows; they go back for a ``termijn``."""
    found, rows = dict[int, Day](), Rows({_key(day): _encode(Day(klok))})
    at = klok
    while at is not None and (row := read(_key(at))) is not None:
        if min(found, default=day) <= day - termijn:  # the one before tells enough: whatever came before it is too old
            rows[_key(at)] = None
            at = _decode(row).before
        else:
            found[at] = _decode(row)
            at = found[at].before
    return Days(day, found), rows


def _key(day: int) -> bytes:
    return b"#dag.%d" % day


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Day).decode
