"""``samenloop publish``: the edge. Checks, pseudonymises and publishes a bron's file."""

import asyncio
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from aiokafka.errors import KafkaError

from connectors.bronnen.lines import LineReader
from connectors.bronnen.producer import MutatieProducer, TopicMissingError
from connectors.bronnen.publish import PublishError, Summary, Verdict, publish
from samenloop.called import called
from samenloop.context import BrokersOption, DataOption, brokers_of, catalogue_of, settings_of
from samenloop.edge import reader_of
from samenloop.errors import NotDoneError
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
    reader = reader_of(settings, catalogue_of(settings), soort)
    try:
        with ExitStack() as stack:
            lines = lines_of(open_source(stack, file))
            write = reporter_of(stack, report, file)
            advance = progress_of(stack, file, "publishing", quiet=as_json)
            summary = asyncio.run(_publish(brokers_of(settings), lines, reader, write, advance))
    except TopicMissingError as e:
        raise NotDoneError(f"{soort}: {e}: make it with '{called()} topics apply'") from e
    except (PublishError, KafkaError, OSError, sqlite3.Error) as e:
        raise NotDoneError(f"{soort}: {e}") from e
    if not summary.lines:
        raise NotDoneError("standard input: there is nothing to publish")
    _show(summary, as_json=as_json)
    raise typer.Exit(1 if summary.rejected else 0)


async def _publish(
    brokers: str, lines: Iterator[bytes], reader: LineReader, report: Callable[[Verdict], None], advance: Callable[[int], None]
) -> Summary:
    async with MutatieProducer(brokers) as producer:
        return await publish(lines, reader, producer, report, advance)


def _show(summary: Summary, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"regels": summary.lines, "gepubliceerd": summary.published, "afgekeurd": dict(summary.rejected)}))
        return
    typer.echo(f"{summary.lines} lines: {summary.published} published, {summary.rejected.total()} rejected")
    for code, number in summary.rejected.most_common():
        typer.echo(f"  {number:>9}  {code}  {code.text}")
