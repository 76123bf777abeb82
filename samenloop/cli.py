"""The command line ``samenloop``: one line a command, each in its own module."""

import os
import sys
from collections.abc import Iterable
from importlib import import_module
from typing import Any, Final

import typer

from samenloop.errors import NotDoneError
from samenloop.logs import log_to

COMMANDS: Final = {  # name → module of samenloop.commands, and the function or group in it
    "bron": ("bron", "bron"),
    "demo": ("demo", "demo"),
    "up": ("up", "up"),
    "worker": ("worker", "worker"),
    "klok": ("klok", "klok"),
    "publish": ("publish", "publish_file"),
    "follow": ("follow", "follow_ontvanger"),
    "signals": ("signals", "signals"),
    "report": ("report", "report_handling"),
    "relay": ("relay", "relay"),
    "hit-rates": ("hit_rates", "hit_rates"),
    "explain": ("explain", "explain"),
    "verify": ("verify", "verify"),
    "console": ("console", "console"),
    "catalogue": ("catalogue", "catalogue"),
    "archive": ("archive", "archive"),
    "replay": ("replay", "replay_history"),
    "compare": ("compare", "compare"),
    "switch": ("switch", "switch"),
    "kafka": ("kafka", "kafka"),
    "broker": ("broker", "broker"),
    "log": ("log", "log"),
    "quarantine": ("quarantine", "quarantine"),
    "topics": ("topics", "topics"),
}
_SETTINGS: Final[dict[str, dict[str, Any]]] = {
    "kafka": {"context_settings": {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}}
}


def app_of(names: Iterable[str]) -> typer.Typer:
    """The command line with these commands. Each brings its libraries: to import all takes twice as long as most commands do."""
    app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

    @app.callback(help="The open knooppunt for social-security signals.")
    def samenloop() -> None:
        """Without it, Typer would make of one command the whole program."""

    for name in names:
        module, attribute = COMMANDS[name]
        found = getattr(import_module(f"samenloop.commands.{module}"), attribute)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name)
        else:
            app.command(name, **_SETTINGS.get(name, {}))(found)
    return app


def main() -> None:
    """Entry point; exit 0 done, 1 done with rejects, 2 not done."""
    log_to(sys.stderr, "critical")  # what goes wrong ends a command with one line; the libraries would say it many times over
    called = sys.argv[1] if len(sys.argv) > 1 else None
    try:
        app_of([called] if called in COMMANDS else COMMANDS)()
    except NotDoneError as e:
        typer.echo(f"samenloop: {e}", err=True)
        sys.exit(2)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # who read us has gone, and Python would complain at the end
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
