"""``samenloop broker``: the embedded broker alone."""

from typing import Annotated

import typer

from connectors.broker.distribution import DistributionError
from connectors.broker.embedded import BrokerError, EmbeddedBroker, stop_running
from connectors.broker.running import running
from samenloop.context import DataOption, settings_of
from samenloop.errors import NotDoneError

broker = typer.Typer(no_args_is_help=True, help="Start, stop or look at the embedded Kafka alone.")


@broker.command()
def start(
    data: DataOption = None, port: Annotated[int | None, typer.Option(help="Port on loopback; a free one by default.")] = None
) -> None:
    """Start the embedded Kafka and leave it running."""
    settings = settings_of(data=data)
    try:
        started = EmbeddedBroker(settings.data, port=port, java=settings.java).start(detached=True)
    except (BrokerError, DistributionError) as e:
        raise NotDoneError(str(e)) from e
    typer.echo(f"Kafka {started.version} runs on {started.bootstrap} with pid {started.pid}")


@broker.command()
def stop(data: DataOption = None) -> None:
    """Stop the embedded Kafka of the data directory."""
    settings = settings_of(data=data)
    try:
        stopped = stop_running(settings.data)
    except BrokerError as e:
        raise NotDoneError(str(e)) from e
    typer.echo(f"stopped Kafka on {stopped.bootstrap}" if stopped else f"no Kafka runs in {settings.data}")


@broker.command()
def status(data: DataOption = None) -> None:
    """Say whether the embedded Kafka of the data directory runs; exit 1 when it does not."""
    settings = settings_of(data=data)
    found = running(settings.data)
    if found is None:
        typer.echo(f"no Kafka runs in {settings.data}")
        raise typer.Exit(1)
    typer.echo(f"Kafka {found.version} runs on {found.bootstrap} with pid {found.pid}")
