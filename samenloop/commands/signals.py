"""``samenloop signals``: what stands now for one ontvanger."""

import json
import sys
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from connectors.ontvangers.standing import standing
from connectors.ontvangers.topic_reader import read_topics
from samenloop.commands.follow import OntvangerArgument
from samenloop.context import BrokersOption, DataOption, brokers_of, catalogue_of, settings_of
from samenloop.ontvanger import ontvanger_of
from samenloop.rendering import days, gegevens
from samenloop.running import run
from schemas.codec import WireError, decode_signaal
from schemas.values import Signaal


def signals(
    ontvanger: OntvangerArgument,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON array of signals.")] = False,
    brokers: BrokersOption = None,
    data: DataOption = None,
) -> None:
    """Show what stands now: the topic of an ontvanger folded to its live signals."""
    settings = settings_of(brokers=brokers, data=data)
    name = ontvanger_of(catalogue_of(settings), ontvanger)
    live = standing(run(_read(brokers_of(settings), f"signalen.{name}")) or [])
    if as_json:
        typer.echo(json.dumps(msgspec.to_builtins(live), ensure_ascii=False))
        return
    table = Table(title=f"{name}: {len(live)} signalen")
    for column in ("kenmerk", "feit", "gedeelde dagen", "gegevens", "signaal_id", "versie"):
        table.add_column(column, no_wrap=column in {"kenmerk", "signaal_id"}, overflow="fold")
    for s in live:
        table.add_row(s.kenmerk, s.feit.soort, days(s.begindatum, s.einddatum), gegevens(s.gegevens), s.signaal_id, str(s.versie))
    wide = None if sys.stdout.isatty() else 200  # a pipe has no width of its own
    Console(width=wide).print(table)


async def _read(brokers: str, topic: str) -> list[Signaal]:
    found = []
    async for record in read_topics(brokers, [topic]):
        try:
            found.append(decode_signaal(record.value))
        except WireError as e:
            typer.echo(f"{record.topic}-{record.partition}@{record.offset}: {e}", err=True)
    return found
