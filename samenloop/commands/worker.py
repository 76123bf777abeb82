"""``samenloop worker``: one worker of the engine against any Kafka."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from samenloop.context import BrokersOption, DataOption, brokers_of, catalogue_of, settings_of
from samenloop.logs import log_to
from samenloop.settings import Settings
from streams.settings import EngineSettings
from streams.worker import run_worker


def engine_settings(settings: Settings, brokers: str) -> EngineSettings:
    """What the engine needs of the settings."""
    return EngineSettings(
        brokers, settings.toepassing, settings.partities, datadir=settings.data / "faust", session_timeout=settings.session_timeout
    )


def worker(
    brokers: BrokersOption = None,
    data: DataOption = None,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
    catalogus: Annotated[Path | None, typer.Option(help="Directory of another catalogue than the published one.")] = None,
) -> None:
    """Run one worker of the engine until SIGINT or SIGTERM. Start more of them to scale out: Kafka moves the partitions."""
    settings = settings_of(brokers=brokers, data=data, catalogus=catalogus)
    log_to(sys.stderr, log_level)
    code = asyncio.run(run_worker(engine_settings(settings, brokers_of(settings)), catalogue_of(settings)))
    raise typer.Exit(code)
