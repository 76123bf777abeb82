"""``samenloop publish``: the edge. Checks, pseudonymises and publishes a bron's file."""

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from aiokafka.errors import KafkaError
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from connectors.bronnen.lines import MAX_LINE, LineReader
from connectors.bronnen.producer import MutatieProducer
from connectors.bronnen.pseudonym import KeyFileError, Pseudonymiser, read_or_make_key
from connectors.bronnen.publish import PublishError, Summary, Verdict, publish
from samenloop.context import BrokersOption, DataOption, brokers_of, catalogue_of, settings_of
from samenloop.errors import NotDoneError


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
    catalogue = catalogue_of(settings)
    if soort not in catalogue.mutatie_topics:
        raise NotDoneError(f"there is no {soort} in the catalogue; there are: {', '.join(sorted(catalogue.mutatie_topics))}")
    try:
        reader = LineReader(catalogue, soort, Pseudonymiser(read_or_make_key(settings.sleutelbestand)))
        with ExitStack() as stack:
            source = _open(stack, file)
            write = _reporter(stack, report)
            advance = _progress(stack, file, quiet=as_json)
            summary = asyncio.run(_publish(brokers_of(settings), _lines(source), reader, write, advance))
    except (KeyFileError, PublishError) as e:
        raise NotDoneError(str(e)) from e
    except (KafkaError, OSError) as e:
        raise NotDoneError(f"{soort}: {e}") from e
    _show(summary, as_json=as_json)
    raise typer.Exit(1 if summary.rejected else 0)


async def _publish(
    brokers: str, lines: Iterator[bytes], reader: LineReader, report: Callable[[Verdict], None], advance: Callable[[int], None]
) -> Summary:
    async with MutatieProducer(brokers) as producer:
        return await publish(lines, reader, producer, report, advance)


def _open(stack: ExitStack, file: str) -> BinaryIO:
    if file == "-":
        return sys.stdin.buffer
    try:
        return stack.enter_context(Path(file).open("rb"))
    except OSError as e:
        raise NotDoneError(f"{file}: {e.strerror}") from e


def _lines(source: BinaryIO) -> Iterator[bytes]:
    """Lines, never more than a bit over MAX_LINE bytes of each in memory; the rest of a longer one is skipped."""
    while line := source.readline(MAX_LINE + 2):
        if not line.endswith(b"\n") and len(line) > MAX_LINE:
            while (rest := source.readline(MAX_LINE)) and not rest.endswith(b"\n"):
                pass
        yield line


def _reporter(stack: ExitStack, report: Path | None) -> Callable[[Verdict], None]:
    if report is None:
        return lambda _: None
    out = stack.enter_context(report.open("w", encoding="utf-8"))

    def write(verdict: Verdict) -> None:
        out.write(json.dumps({k: v for k, v in asdict(verdict).items() if v is not None}) + "\n")

    return write


def _progress(stack: ExitStack, file: str, *, quiet: bool) -> Callable[[int], None]:
    if quiet or file == "-" or not sys.stderr.isatty():
        return lambda _: None
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    bar = stack.enter_context(Progress(*columns, console=Console(stderr=True)))
    task = bar.add_task("publishing", total=Path(file).stat().st_size)
    return lambda size: bar.advance(task, size)


def _show(summary: Summary, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"regels": summary.lines, "gepubliceerd": summary.published, "afgekeurd": dict(summary.rejected)}))
        return
    typer.echo(f"{summary.lines} lines: {summary.published} published, {summary.rejected.total()} rejected")
    for code, number in summary.rejected.most_common():
        typer.echo(f"  {number:>9}  {code}  {code.text}")
