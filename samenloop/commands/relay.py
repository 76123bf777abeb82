"""``samenloop relay``: what ontvangers report as handled, to the engine."""

from collections import Counter
from typing import Annotated

import typer

from connectors.relay import Relay
from samenloop.context import BrokersOption, DataOption, ToepassingOption, brokers_of, catalogue_of, settings_of
from samenloop.running import run


def relay(
    *,
    once: Annotated[bool, typer.Option("--once", help="End when all is told that is there.")] = False,
    brokers: BrokersOption = None,
    data: DataOption = None,
    toepassing: ToepassingOption = None,
) -> None:
    """Tell the engine which signals were handled, so that it does not send them again for the same facts. 'up' does so by itself."""
    settings = settings_of(brokers=brokers, data=data, toepassing=toepassing)
    run(Relay(brokers_of(settings), catalogue_of(settings), settings.toepassing).run(_say, once=once))


def _say(done: Counter[str]) -> None:
    typer.echo(", ".join(f"{number} {_WORDS[what]}" for what, number in sorted(done.items())))


_WORDS = {
    "gemeld": "told to the engine",
    "niet_afgehandeld": "not handled yet",
    "onbekend": "of a signal or version that was not sent to who reports it",
    "onleesbaar": "that cannot be read",
    "verlopen": "of a signal whose basisfeit is no longer on the log",
}
