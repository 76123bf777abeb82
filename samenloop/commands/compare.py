"""``samenloop compare``: what other rules would say, before they hold."""

import os
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from samenloop.context import DataOption, ToepassingOption, settings_of
from samenloop.errors import NotDoneError
from samenloop.progress import bar_of
from schemas.catalogue import Catalogue
from schemas.parts import CatalogueError
from streams.audit.manifest import ArchiveError
from streams.audit.page import preview_page_of
from streams.audit.preview import SOORTEN, Preview, preview
from streams.core.switch import SwitchError


def compare(
    to: Annotated[Path, typer.Option("--to", help="Directory of the catalogue whose rules are tried.")],
    archive: Annotated[Path, typer.Option(help="Folder that 'samenloop archive' filled.")],
    *,
    report: Annotated[Path | None, typer.Option(help="Write it as a page for people.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="All of it as JSON, no progress bar.")] = False,
    processes: Annotated[int, typer.Option(min=1, help="How many partitions are worked on at a time.")] = os.cpu_count() or 1,
    data: DataOption = None,
    toepassing: ToepassingOption = None,
) -> None:
    """Try the rules of another catalogue on the history: who gets more, less, other. No topic is touched; 'switch' makes it true."""
    settings = settings_of(data=data, toepassing=toepassing)
    try:
        catalogue = Catalogue.load(to)
        with bar_of("comparing", quiet=as_json) as told:
            found = preview(archive, settings.toepassing, to, processes, told)
    except CatalogueError as e:
        raise NotDoneError(f"catalogue: {e}") from e
    except (ArchiveError, SwitchError) as e:
        raise NotDoneError(str(e)) from e
    if report is not None:
        report.write_text(preview_page_of(found, {o.id: o.naam for o in catalogue.ontvangers.values()}), encoding="utf-8")
    if as_json:
        typer.echo(msgspec.json.encode(found).decode())
    else:
        _say(found)


def _say(found: Preview) -> None:
    typer.echo(f"{found.records:,} records done again, {found.persons:,} persons judged by catalogue {found.naar[:12]}")
    for soort in SOORTEN:
        typer.echo(f"{found.number(soort):>10,}  {soort}")
    for total in found.totals:
        typer.echo(f"{total.ontvanger}  {total.dienst}: {total.nieuw:,} more, {total.vervallen:,} less, {total.gewijzigd:,} other")
    for bron, number in found.volgverzoeken.items():
        typer.echo(f"{number:>10,}  volgverzoeken to {bron}")
