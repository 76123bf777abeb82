"""When the klok next matters to a persoon: a row of its own, so that these days can be told from all rows without reading any other."""

from typing import Final

import msgspec

_KEY: Final = b".due"


class Due(msgspec.Struct, frozen=True, gc=False):
    """Days of the klok, counted from 1970-01-01; None: there is none."""

    regels: int | None = None  # time alone changes what should stand
    bewaren: int | None = None  # it is to be seen whether anything of the persoon may still be kept; see retention.py
    laatst: int | None = None  # on which something came, or was told, of which no record bears the place

    @property
    def next(self) -> int | None:
        """The day on which the persoon is next to be looked at."""
        return min((day for day in (self.regels, self.bewaren) if day is not None), default=None)

    def row(self) -> bytes | None:
        """The days as they are kept, None where there is none of them."""
        if self == NOT_DUE:
            return None
        return b"/".join(b"" if day is None else b"%d" % day for day in (self.regels, self.bewaren, self.laatst))


NOT_DUE: Final = Due()


def due_of(row: bytes | None) -> Due:
    """The days in a row."""
    return NOT_DUE if row is None else Due(*(int(day) if day else None for day in row.split(b"/")))


def due_key(persoon: bytes) -> bytes:
    """The key of that row."""
    return persoon + _KEY


def is_due(key: bytes) -> bool:
    """Whether a row is such a one."""
    return key.endswith(_KEY)
