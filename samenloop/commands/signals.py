"""``samenloop signals``: what stands now for one ontvanger."""

import json
import sys
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from connectors.ontvangers.standing import standing
from connectors.ontvangers.topic_reader import read_places, read_topics
from samenloop.cited import places_of
from samenloop.commands.follow import OntvangerArgument
from samenloop.context import BrokersOption, DataOption, brokers_of, catalogue_of, settings_of
from samenloop.known import holds_on, known, may_be_known
from samenloop.moments import AboutOption, KnownOnOption, day_named, last_millisecond
from samenloop.ontvanger import ontvanger_of
from samenloop.rendering import days, gegevens, subject
from samenloop.running import run
from schemas.catalogue import Catalogue
from schemas.codec import Codec, WireError, decode_signaal
from schemas.values import ElkSignaal


def signals(
    ontvanger: OntvangerArgument,
    *,
    known_on: KnownOnOption = None,
    about: AboutOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON array of signals.")] = False,
    brokers: BrokersOption = None,
    data: DataOption = None,
) -> None:
    """Show what stands now, or what stood by what was known then: the topic of an ontvanger folded to its live signals."""
    settings = settings_of(brokers=brokers, data=data)
    catalogue = catalogue_of(settings)
    name = ontvanger_of(catalogue, ontvanger)
    moment, day = None if known_on is None else last_millisecond(known_on), None if about is None else day_named(about)
    live = standing(run(_read(brokers_of(settings), catalogue, f"signalen.{name}", moment)) or [])
    live = [s for s in live if day is None or holds_on(s, day)]
    if as_json:
        typer.echo(json.dumps(msgspec.to_builtins(live), ensure_ascii=False))
        return
    table = Table(title=f"{name}: {len(live)} signalen")
    for column in ("kenmerk", "feit", "gedeelde dagen", "gegevens", "signaal_id", "versie"):
        table.add_column(column, no_wrap=column in {"kenmerk", "signaal_id"}, overflow="fold")
    for s in live:
        table.add_row(s.kenmerk, subject(s), days(s.begindatum, s.einddatum), gegevens(s.gegevens), s.signaal_id, str(s.versie))
    wide = None if sys.stdout.isatty() else 200  # a pipe has no width of its own
    Console(width=wide).print(table)


async def _read(brokers: str, catalogue: Catalogue, topic: str, known_on: int | None) -> list[ElkSignaal]:
    found = []
    async for record in read_topics(brokers, [topic]):
        try:
            found.append(decode_signaal(record.value))
        except WireError as e:
            typer.echo(f"{record.topic}-{record.partition}@{record.offset}: {e}", err=True)
    if known_on is None:
        return found
    places = await read_places(brokers, [p for s in may_be_known(found, known_on) for p in places_of(s)])
    return known(Codec(catalogue), places, found, known_on)
