"""``samenloop follow``: signals of one ontvanger as they come."""

import sys
from typing import Annotated

import typer
from rich.console import Console

from connectors.ontvangers.subscription import Received, follow
from samenloop.context import BrokersOption, DataOption, brokers_of, catalogue_of, settings_of
from samenloop.ontvanger import ontvanger_of
from samenloop.rendering import signaal_line
from samenloop.running import run
from schemas.codec import WireError

OntvangerArgument = Annotated[str, typer.Argument(metavar="ONTVANGER", help="E.g. gm0363, 0363 or Amsterdam.")]


def follow_ontvanger(
    ontvanger: OntvangerArgument,
    *,
    from_beginning: Annotated[bool, typer.Option("--from-beginning", help="Begin with what is there already.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the values as they are on the topic, one a line.")] = False,
    max_messages: Annotated[int | None, typer.Option(min=1, help="End after so many signals.")] = None,
    group: Annotated[str | None, typer.Option(help="Consumer group: go on where this group ended last time.")] = None,
    brokers: BrokersOption = None,
    data: DataOption = None,
) -> None:
    """Follow the signals of one ontvanger, each once, until Ctrl-C."""
    settings = settings_of(brokers=brokers, data=data)
    topic = f"signalen.{ontvanger_of(catalogue_of(settings), ontvanger)}"
    console = Console(highlight=False, soft_wrap=True)

    def show(received: Received) -> None:
        if as_json:
            sys.stdout.write(received.value.decode() + "\n")
            sys.stdout.flush()
        else:
            console.print(signaal_line(received.signaal))

    async def work() -> None:
        number = 0
        async for received in follow(brokers_of(settings), topic, from_beginning=from_beginning, group=group, unreadable=_unreadable):
            show(received)
            number += 1
            if number == max_messages:
                return

    run(work())


def _unreadable(place: str, error: WireError) -> None:
    typer.echo(f"{place}: {error}", err=True)
