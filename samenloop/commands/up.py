"""``samenloop up``: a whole node in the foreground."""

import asyncio
import sys
from collections.abc import Sequence

import typer
from rich.console import Console

from connectors.broker.distribution import DistributionError
from connectors.broker.embedded import BrokerError, EmbeddedBroker
from connectors.klok import every_day
from connectors.relay import Relay
from samenloop.commands.topics import make_topics
from samenloop.commands.worker import engine_settings
from samenloop.context import DataOption, HttpOption, catalogue_of, settings_of
from samenloop.errors import NotDoneError
from samenloop.logs import log_to
from streams.worker import run_worker, stop_on_signals


def up(data: DataOption = None, http: HttpOption = None) -> None:
    """Run the embedded Kafka, the catalogue's topics, klok, relay and a worker until Ctrl-C. The state stays in the data directory."""
    settings = settings_of(data=data, http=http)
    log_to(sys.stderr, "info")
    say = Console(stderr=True, highlight=False).print
    broker = EmbeddedBroker(settings.data, java=settings.java)

    async def work() -> int:
        stop = stop_on_signals()
        made = await make_topics(settings, bootstrap)
        say(f"{len(made.missing)} topics made, the worker starts; Ctrl-C stops all")
        relay = Relay(bootstrap, catalogue_of(settings), settings.toepassing)
        beside = [asyncio.create_task(c) for c in (every_day(bootstrap, catalogue_of(settings)), relay.run(lambda _: None))]
        for task in beside:
            task.add_done_callback(lambda _: stop.set())
        try:
            return await run_worker(engine_settings(settings, bootstrap), catalogue_of(settings), stop)
        finally:
            await _ended(beside)

    try:
        bootstrap = broker.start().bootstrap
        say(f"Kafka runs on {bootstrap}, its log is {broker.log}")
        code = asyncio.run(work())
    except (BrokerError, DistributionError) as e:
        raise NotDoneError(str(e)) from e
    finally:
        broker.stop()
    say("stopped")
    raise typer.Exit(code)


async def _ended(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel, and wait until each has taken leave of Kafka; raises what one of them met before."""
    for task in tasks:
        task.cancel()
    for found in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(found, Exception):
            raise found
