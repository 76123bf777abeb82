"""``samenloop worker``: one worker of the engine against any Kafka."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from connectors.broker.topics import diff_topics
from samenloop.called import called
from samenloop.context import BrokersOption, DataOption, HttpOption, brokers_of, catalogue_of, settings_of
from samenloop.errors import NotDoneError
from samenloop.logs import log_to
from samenloop.running import run
from samenloop.settings import Settings
from streams.settings import EngineSettings
from streams.worker import run_worker


def engine_settings(settings: Settings, brokers: str) -> EngineSettings:
    """What the engine needs of the settings."""
    return EngineSettings(
        brokers,
        settings.toepassing,
        settings.partities,
        datadir=settings.data / "faust",
        session_timeout=settings.session_timeout,
        http=None if settings.http == "off" else settings.http,
        transaction_timeout=settings.transaction_timeout,
        instantie=settings.instantie,
        kern=settings.kern,
    )


def worker(
    brokers: BrokersOption = None,
    data: DataOption = None,
    http: HttpOption = None,
    instance_id: Annotated[
        str | None, typer.Option(help="Name of this worker, its own and kept over restarts: then a restart moves no partitions.")
    ] = None,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
    catalogus: Annotated[Path | None, typer.Option(help="Directory of another catalogue than the published one.")] = None,
) -> None:
    """Run one worker of the engine until SIGINT or SIGTERM. Start more of them to scale out: Kafka moves the partitions."""
    settings = settings_of(brokers=brokers, data=data, catalogus=catalogus, http=http, instantie=instance_id)
    log_to(sys.stderr, log_level)
    servers = brokers_of(settings)
    _need_topics(settings, servers)
    raise typer.Exit(asyncio.run(run_worker(engine_settings(settings, servers), catalogue_of(settings))))


def _need_topics(settings: Settings, brokers: str) -> None:
    """A consumer waits for ever for topics that do not exist."""
    found = run(diff_topics(brokers, catalogue_of(settings), partities=settings.partities, toepassing=settings.toepassing))
    if found is None:
        raise typer.Exit(0)
    for topic, there in found.partitions_differ:
        raise NotDoneError(f"topic {topic.naam} has {there} partitions, the settings say {topic.partities}")
    if found.lacking:
        names = ", ".join(t.naam for t in found.lacking[:3])
        raise NotDoneError(f"the cluster lacks {len(found.lacking)} topics ({names} …): make them with '{called()} topics apply'")
