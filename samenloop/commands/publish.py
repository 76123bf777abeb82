"""``samenloop publish``: the edge. Checks, pseudonymises and publishes a bron's file."""

from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from samenloop.context import BrokersOption, DataOption, brokers_of, catalogue_of, settings_of
from samenloop.delivering import deliver, show_summary
from samenloop.edge import publisher_of
from samenloop.files import lines_of, open_source, progress_of, reporter_of


class Format(StrEnum):
    """Formats of a bron's file."""

    JSONL = "jsonl"


def publish_file(
    soort: Annotated[str, typer.Argument(metavar="BRON.SOORT", help="E.g. uwv.inkomstenverhouding.")],
    file: Annotated[str, typer.Argument(metavar="FILE", help="JSON Lines: the schema's fields plus bsn; - reads standard input.")],
    *,
    format: Annotated[Format, typer.Option(help="Format of the file.")] = Format.JSONL,  # noqa: A002, ARG001 - the flag's name; there is one format as yet
    report: Annotated[Path | None, typer.Option(help="Write the verwerkingsverslag, one JSON line a line of the file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Summary as JSON, no progress bar.")] = False,
    brokers: BrokersOption = None,
    data: DataOption = None,
) -> None:
    """Check, pseudonymise and publish a file. Bad lines are rejected with place and reason, the others go out."""
    settings = settings_of(brokers=brokers, data=data)
    reader = publisher_of(settings, catalogue_of(settings), soort)
    with ExitStack() as stack:
        lines = lines_of(open_source(stack, file))
        write = reporter_of(stack, report, file)
        advance = progress_of(stack, file, "publishing", quiet=as_json)
        summary = deliver(brokers_of(settings), soort, lines, reader, write, advance)
    show_summary(summary, as_json=as_json)
    raise typer.Exit(1 if summary.rejected else 0)
