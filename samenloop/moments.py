"""Moments and days as a user gives them."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Final

import typer

from samenloop.errors import NotDoneError

KnownOnOption = Annotated[
    str | None, typer.Option("--known-on", metavar="MOMENT", help="Only what was registered by then: a day (all of it, UTC) or a moment.")
]
AboutOption = Annotated[str | None, typer.Option("--about", metavar="DAY", help="Only what holds on this day.")]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)


def last_millisecond(named: str) -> int:
    """The last millisecond of a day (UTC), or the moment itself, since the epoch; raises NotDoneError."""
    try:
        if len(named) == len("2026-01-31"):
            return (datetime.combine(date.fromisoformat(named) + timedelta(days=1), datetime.min.time(), UTC) - _EPOCH) // _MS - 1
        moment = datetime.fromisoformat(named)
    except (ValueError, OverflowError):
        raise NotDoneError(f"{named} is no day or moment: give 2026-01-31 or 2026-01-31T09:00:00Z") from None
    if moment.tzinfo is None:
        raise NotDoneError(f"{named} has no time zone: end it with Z, or with an offset like +01:00")
    return (moment - _EPOCH) // _MS


def day_named(named: str) -> str:
    """A day in ISO 8601; raises NotDoneError."""
    try:
        return date.fromisoformat(named).isoformat()
    except ValueError:
        raise NotDoneError(f"{named} is no day: give one like 2026-01-31") from None
