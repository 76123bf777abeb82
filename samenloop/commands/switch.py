"""``samenloop switch``: from the rules of one catalogue to those of another, once and for all partitions."""

import json
import time
from pathlib import Path
from typing import Annotated

import typer

from connectors.broker.topics import diff_topics
from samenloop.called import called
from samenloop.commands.worker import engine_settings
from samenloop.context import BrokersOption, DataOption, ToepassingOption, brokers_of, catalogue_of, settings_of
from samenloop.errors import NotDoneError
from samenloop.progress import bar_of
from samenloop.running import run
from schemas.catalogue import Catalogue
from schemas.parts import CatalogueError
from streams.core.switch import SwitchError
from streams.log import NotTakenError
from streams.recovery import RecoveryError
from streams.store import LayoutError
from streams.switchover import SwitchOver


def switch(
    to: Annotated[Path, typer.Option("--to", help="Directory of the catalogue whose rules are to hold from now on.")],
    *,
    catalogus: Annotated[Path | None, typer.Option(help="Directory of the catalogue until now, if not the published one.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Summary as JSON, no progress bar.")] = False,
    brokers: BrokersOption = None,
    data: DataOption = None,
    toepassing: ToepassingOption = None,
) -> None:
    """Judge every persoon by the rules of another catalogue, and tell each ontvanger what differs. Workers must stand still.

    Whatever ends it, the same command goes on; done twice it says nothing more. Then start workers with the new catalogue.
    """
    settings = settings_of(brokers=brokers, data=data, toepassing=toepassing, catalogus=catalogus)
    servers, old, new = brokers_of(settings), catalogue_of(settings), _loaded(to)
    found = run(diff_topics(servers, new, partities=settings.partities, toepassing=settings.toepassing))
    if found is None:
        raise typer.Exit(130)
    if found.lacking:
        raise NotDoneError(f"the cluster lacks {len(found.lacking)} topics of the new catalogue: '{called()} topics apply' makes them")
    try:
        over = SwitchOver(engine_settings(settings, servers), old, new, int(time.time() * 1000))
        with bar_of("switching", quiet=as_json) as told:
            done = run(over.run(told))
    except (SwitchError, LayoutError, NotTakenError, RecoveryError) as e:
        raise NotDoneError(str(e)) from e
    if done is None:
        raise typer.Exit(130)
    persons, messages = sum(s.persons for s in done), sum(s.messages for s in done)
    if as_json:
        typer.echo(json.dumps({"catalogus": new.versie, "partitions": len(done), "persons": persons, "messages": messages}))
    elif done:
        typer.echo(
            f"{len(done)} partitions now stand under catalogue {new.versie[:12]}: {persons:,} persons judged, {messages:,} messages sent"
        )
    else:
        typer.echo(f"all partitions stand under catalogue {new.versie[:12]} already: nothing was sent")


def _loaded(folder: Path) -> Catalogue:
    try:
        return Catalogue.load(folder)
    except CatalogueError as e:
        raise NotDoneError(f"catalogue: {e}") from e
