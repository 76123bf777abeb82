"""The command line ``samenloop``: one line a command, each in its own module."""

import os
import sys

import typer

from samenloop.commands.broker import broker
from samenloop.commands.bron import bron
from samenloop.commands.console import console
from samenloop.commands.demo import demo
from samenloop.commands.explain import explain
from samenloop.commands.follow import follow_ontvanger
from samenloop.commands.kafka import kafka
from samenloop.commands.publish import publish_file
from samenloop.commands.quarantine import quarantine
from samenloop.commands.signals import signals
from samenloop.commands.topics import topics
from samenloop.commands.up import up
from samenloop.commands.worker import worker
from samenloop.errors import NotDoneError
from samenloop.logs import log_to

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="The open knooppunt for social-security signals."
)


app.command()(bron)
app.command()(demo)
app.command()(up)
app.command()(worker)
app.command("publish")(publish_file)
app.command("follow")(follow_ontvanger)
app.command()(signals)
app.command()(explain)
app.command()(console)
app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []})(kafka)
app.add_typer(broker, name="broker")
app.add_typer(quarantine, name="quarantine")
app.add_typer(topics, name="topics")


def main() -> None:
    """Entry point; exit 0 done, 1 done with rejects, 2 not done."""
    log_to(sys.stderr, "critical")  # what goes wrong ends a command with one line; the libraries would say it many times over
    try:
        app()
    except NotDoneError as e:
        typer.echo(f"samenloop: {e}", err=True)
        sys.exit(2)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # who read us has gone, and Python would complain at the end
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
