"""Lines of a file to Kafka through the edge, for the commands of those who deliver, and what is said of it."""

import asyncio
import json
import sqlite3
from collections.abc import Callable, Iterable

import typer
from aiokafka.errors import KafkaError

from connectors.bronnen.producer import MutatieProducer, TopicMissingError
from connectors.bronnen.publish import Message, PublishError, Reader, Summary, Verdict, publish
from samenloop.called import called
from samenloop.errors import NotDoneError


def deliver(
    brokers: str,
    what: str,
    lines: Iterable[bytes],
    reader: Reader[Message],
    report: Callable[[Verdict], None],
    advance: Callable[[int], None],
) -> Summary:
    """Publish ``lines``, of ``what``; raises NotDoneError."""
    try:
        summary = asyncio.run(_publish(brokers, lines, reader, report, advance))
    except TopicMissingError as e:
        raise NotDoneError(f"{what}: {e}: make it with '{called()} topics apply'") from e
    except (PublishError, KafkaError, OSError, sqlite3.Error) as e:
        raise NotDoneError(f"{what}: {e}") from e
    if not summary.lines:
        raise NotDoneError("standard input: there is nothing to publish")
    return summary


async def _publish(
    brokers: str, lines: Iterable[bytes], reader: Reader[Message], report: Callable[[Verdict], None], advance: Callable[[int], None]
) -> Summary:
    async with MutatieProducer(brokers) as producer:
        return await publish(lines, reader, producer, report, advance)


def show_summary(summary: Summary, *, as_json: bool) -> None:
    """How many lines were published, and why the others were not."""
    if as_json:
        typer.echo(json.dumps({"regels": summary.lines, "gepubliceerd": summary.published, "afgekeurd": dict(summary.rejected)}))
        return
    typer.echo(f"{summary.lines} lines: {summary.published} published, {summary.rejected.total()} rejected")
    for code, number in summary.rejected.most_common():
        typer.echo(f"  {number:>9}  {code}  {code.text}")
