"""Dates of a period that a bron knows in part only: taken as wide as they may be, and marked (decision 21)."""

import calendar
import re
from collections.abc import Mapping
from typing import Any, Final

from schemas.catalogue import ONZEKER

_IN_PART: Final = re.compile(r"(\d{4})-?(?:(00)-?00|(\d\d)-?00)")
_UNKNOWN: Final = "0000"
_NAMES: Final[Mapping[object, frozenset[str]]] = {
    None: frozenset(),
    "BEGINDATUM": frozenset({"begindatum"}),
    "EINDDATUM": frozenset({"einddatum"}),
    "BEIDE": frozenset({"begindatum", "einddatum"}),
}
_MARKS: Final = {names: mark for mark, names in _NAMES.items()}


def widest(feit: Mapping[str, Any]) -> dict[str, Any]:
    """The feit of a line with the first day that its begin may be, the last that its end may be, and what of that is not certain.

    An end of which nothing is known is none: the fact may last. A begin of which nothing is known stays, for the check to refuse, and so
    does whatever is no date.
    """
    found = {name: day for name, take in (("begindatum", _first), ("einddatum", _last)) if (day := take(feit.get(name))) is not _CERTAIN}
    if not found:
        return dict(feit)
    mark = feit.get(ONZEKER)
    if not isinstance(mark, str | None) or mark not in _NAMES:  # for the check to refuse
        return {**feit, **found}
    return {**feit, **found, ONZEKER: _MARKS[_NAMES[mark].union(found)]}


_CERTAIN: Final = object()


def _first(text: object) -> object:
    match _parts(text):
        case (year, None) if year != _UNKNOWN:
            return f"{year}-01-01"
        case (year, month) if year != _UNKNOWN and month is not None:
            return f"{year}-{month}-01"
    return _CERTAIN


def _last(text: object) -> object:
    match _parts(text):
        case (year, None):
            return None if year == _UNKNOWN else f"{year}-12-31"
        case (year, month) if year != _UNKNOWN and month is not None and 1 <= int(month) <= 12:
            return f"{year}-{month}-{calendar.monthrange(int(year), int(month))[1]}"
    return _CERTAIN


def _parts(text: object) -> tuple[str, str | None] | None:
    """Year and month of a date that is known in part; no month when that is not known either."""
    found = _IN_PART.fullmatch(text) if isinstance(text, str) and text.isascii() else None
    return None if found is None else (found[1], found[3])
