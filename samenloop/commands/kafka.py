"""``samenloop kafka``: Apache's own console tools on the embedded distribution."""

from typing import Annotated

import typer

from connectors.broker.distribution import DistributionError
from connectors.broker.tools import TOOLS, UnknownToolError, run_tool
from samenloop.context import brokers_of, settings_of
from samenloop.errors import NotDoneError


def kafka(
    context: typer.Context,
    tool: Annotated[str, typer.Argument(metavar="TOOL", help=f"One of {', '.join(sorted(TOOLS))}.")],
) -> None:
    """Run one of Apache Kafka's console tools; all that follows TOOL is passed on to it."""
    settings = settings_of()
    try:
        bootstrap = brokers_of(settings)
    except NotDoneError:
        bootstrap = None  # some tools need none, and --help never does
    try:
        code = run_tool(tool, context.args, bootstrap=bootstrap, java=settings.java)
    except (UnknownToolError, DistributionError) as e:
        raise NotDoneError(str(e)) from e
    raise typer.Exit(code)
