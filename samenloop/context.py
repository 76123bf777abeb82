"""What every command starts from: its settings, the catalogue and the brokers to talk to."""

from functools import cache
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from connectors.broker.running import running
from samenloop.called import called
from samenloop.errors import NotDoneError
from samenloop.security import secured
from samenloop.settings import Settings
from schemas.catalogue import Catalogue
from schemas.parts import CatalogueError

DEMO = "demo"  # where below the data directory a demo keeps all that it makes

BrokersOption = Annotated[str | None, typer.Option(help="Kafka bootstrap servers; without it the embedded broker is used.")]
HttpOption = Annotated[str | None, typer.Option(help="HOST:PORT of /live, /ready and /metrics; port 0: any free one; off: none.")]
ToepassingOption = Annotated[str | None, typer.Option(help="Name of the engine, when it is not the one of the settings.")]
DataOption = Annotated[Path | None, typer.Option(help="Directory of the embedded broker, the key and the logs.")]


def settings_of(**flags: object) -> Settings:
    """Settings with the flags that were given on top; raises NotDoneError."""
    try:
        return Settings(**{k: v for k, v in flags.items() if v is not None})  # type: ignore[arg-type]  # pydantic checks them
    except ValidationError as e:
        faults = "; ".join(": ".join([*map(str, x["loc"]), x["msg"].removeprefix("Value error, ")]) for x in e.errors())
        raise NotDoneError(f"settings: {faults}") from e


@cache
def catalogue_of(settings: Settings) -> Catalogue:
    """The catalogue that the settings name; raises NotDoneError."""
    try:
        return Catalogue.load(settings.catalogus)
    except CatalogueError as e:
        raise NotDoneError(f"catalogue: {e}") from e


def brokers_of(settings: Settings) -> str:
    """Bootstrap servers: those of the settings, or of the embedded broker that runs in the data directory."""
    if settings.brokers:
        return secured(settings, settings.brokers)
    found = running(settings.data) or running(settings.data / DEMO)
    if found is None:
        raise NotDoneError(f"no broker runs in {settings.data}: start one with '{called()} up', or name one with --brokers")
    return found.bootstrap
