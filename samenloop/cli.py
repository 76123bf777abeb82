"""The command line ``samenloop``: one line a command, each in its own module."""

import sys

import typer

from samenloop.commands.bron import bron
from samenloop.commands.publish import publish_file
from samenloop.commands.worker import worker
from samenloop.errors import NotDoneError

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="The open knooppunt for social-security signals."
)


app.command()(bron)
app.command("publish")(publish_file)
app.command()(worker)


def main() -> None:
    """Entry point; exit 0 done, 1 done with rejects, 2 not done."""
    try:
        app()
    except NotDoneError as e:
        typer.echo(f"samenloop: {e}", err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
