"""``samenloop klok``: begins a day, for those rules that depend on it."""

from datetime import date
from typing import Annotated

import typer

from connectors.klok import every_day, tick, today
from samenloop.context import BrokersOption, DataOption, brokers_of, catalogue_of, settings_of
from samenloop.errors import NotDoneError
from samenloop.moments import day_named
from samenloop.running import run


def klok(
    day: Annotated[str | None, typer.Argument(metavar="[DAY]", help="ISO 8601; without it today in the Netherlands.")] = None,
    *,
    every: Annotated[bool, typer.Option("--every-day", help="Stay, and begin each day that comes.")] = False,
    brokers: BrokersOption = None,
    data: DataOption = None,
) -> None:
    """Begin a day: one tick on every partition. To begin a day again, or one before it, changes nothing."""
    settings = settings_of(brokers=brokers, data=data)
    catalogue, servers = catalogue_of(settings), brokers_of(settings)
    if every and day is not None:
        raise NotDoneError("--every-day begins with today: it takes no DAY")
    chosen = today() if day is None else date.fromisoformat(day_named(day))
    if every:
        run(every_day(servers, catalogue, _say))
    else:
        number = run(tick(servers, catalogue, chosen))
        if number is not None:
            _say(chosen, number)


def _say(day: date, partitions: int) -> None:
    typer.echo(f"{day}: {partitions} ticks")
