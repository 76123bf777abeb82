"""``samenloop hit-rates``: how often signals hit, by what ontvangers report, for the yearly report."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from connectors.ontvangers.topic_reader import read_topics
from samenloop.context import BrokersOption, DataOption, brokers_of, catalogue_of, settings_of
from samenloop.errors import NotDoneError
from samenloop.running import run
from schemas.catalogue import Catalogue
from streams.audit.archive import Archive
from streams.audit.hit_rates import SMALL, UITKOMSTEN, Report, Tally
from streams.audit.manifest import ArchiveError

_SIGNALEN, _TERUGMELDINGEN = "signalen.", "terugmeldingen."


def hit_rates(
    *,
    archive: Annotated[Path | None, typer.Option(help="Folder that 'samenloop archive' filled, instead of the topics as they are.")] = None,
    year: Annotated[int | None, typer.Option(help="Only signals that were first sent in this year.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    brokers: BrokersOption = None,
    data: DataOption = None,
) -> None:
    """Count per dienst, bron and year what was sent, delivered, accepted and handled, and with which outcome; small counts are not told."""
    settings = settings_of(brokers=brokers, data=data)
    catalogue = catalogue_of(settings)
    try:
        tally = run(_of_topics(brokers_of(settings), catalogue)) if archive is None else _of_archive(archive, catalogue)
    except ArchiveError as e:
        raise NotDoneError(str(e)) from e
    if tally is None:
        raise typer.Exit(2)
    report = tally.report(year)
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(report), indent=2).decode())
    else:
        _show(report)


async def _of_topics(brokers: str, catalogue: Catalogue) -> Tally:
    tally = Tally(catalogue)
    async for record in read_topics(brokers, [_SIGNALEN + o for o in catalogue.ontvangers]):
        tally.signaal(record.value)
    async for record in read_topics(brokers, [_TERUGMELDINGEN + o for o in catalogue.ontvangers]):
        tally.terugmelding(record.topic.removeprefix(_TERUGMELDINGEN), record.value)
    return tally


def _of_archive(folder: Path, catalogue: Catalogue) -> Tally:
    archive, tally = Archive(folder), Tally(catalogue)
    for _, value in _values(archive, _SIGNALEN):
        tally.signaal(value)
    for ontvanger, value in _values(archive, _TERUGMELDINGEN):
        tally.terugmelding(ontvanger, value)
    return tally


def _values(archive: Archive, family: str) -> Iterator[tuple[str, bytes | None]]:
    """Each value of the topics of a family, with the ontvanger whose topic it is."""
    for topic in archive.topics:
        if topic.startswith(family):
            for rows in archive.columns(topic, 0, ["value"]):
                yield from ((topic.removeprefix(family), value) for value in rows["value"])


def _show(report: Report) -> None:
    table = Table(title=f"signalen en wat ontvangers ervan terugmelden; <{SMALL}: te weinig om te noemen")
    for column in ("dienst", "bron", "jaar"):
        table.add_column(column, overflow="fold")
    for column in ("verstuurd", "bezorgd", "geaccepteerd", "afgehandeld", *UITKOMSTEN, "trefkans"):
        table.add_column(column.lower().replace("_", " "), justify="right")
    for r in report.rijen:
        standen = (r.verstuurd, r.bezorgd, r.geaccepteerd, r.afgehandeld)
        rate = "-" if r.trefkans is None else f"{100 * r.trefkans:.1f} %"
        table.add_row(r.dienst, r.bron, str(r.jaar), *map(_cell, standen), *map(_cell, r.uitkomsten.values()), rate)
    wide = None if sys.stdout.isatty() else 200  # a pipe has no width of its own
    Console(width=wide).print(table)
    if report.onbekend:
        typer.echo(f"{report.onbekend} terugmeldingen are of no signal that was sent to who reports them: they count nowhere", err=True)
    if report.onleesbaar:
        typer.echo(f"{report.onleesbaar} records cannot be read", err=True)


def _cell(number: int | None) -> str:
    return f"<{SMALL}" if number is None else f"{number:,}"
