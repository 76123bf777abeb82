"""``samenloop bron``: a bron with a register, at work in the foreground."""

import asyncio
import json
import signal
import sqlite3
import sys
from collections import Counter
from contextlib import ExitStack, closing
from itertools import islice
from pathlib import Path
from typing import Annotated

import structlog
import typer
from aiokafka.errors import KafkaError

from connectors.bronnen.lines import Published
from connectors.bronnen.producer import TopicMissingError
from connectors.bronnen.publish import Verdict, checked
from connectors.bronnen.register import Register, RegisterError
from connectors.bronnen.register_bron import RegisterBron
from connectors.bronnen.rejections import RejectedError
from samenloop.called import called
from samenloop.context import BrokersOption, DataOption, brokers_of, catalogue_of, settings_of
from samenloop.edge import reader_of
from samenloop.errors import NotDoneError
from samenloop.files import lines_of, open_source, progress_of, reporter_of
from samenloop.logs import log_to
from samenloop.settings import Settings
from schemas.catalogue import Catalogue

log = structlog.get_logger()
_BATCH = 5_000  # lines that a transaction takes


def bron(  # noqa: PLR0913 - one parameter an option
    bron: Annotated[str, typer.Argument(metavar="BRON", help="E.g. uwv.")],
    *,
    register: Annotated[Path, typer.Option(help="SQLite file with the bron's records; made when absent.")],
    load: Annotated[
        str | None, typer.Option(metavar="FILE", help="JSON Lines to take into the register first; - reads standard input.")
    ] = None,
    soort: Annotated[str | None, typer.Option(metavar="BRON.SOORT", help="What --load holds, e.g. uwv.uitkering.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write the verwerkingsverslag of --load, one JSON line a line.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Summary of --load as JSON, no progress bar.")] = False,
    brokers: BrokersOption = None,
    data: DataOption = None,
) -> None:
    """Hold a bron's records, answer the node's volgverzoeken, and publish about followed persons only, until SIGINT or SIGTERM."""
    log_to(sys.stderr, "info")
    settings = settings_of(brokers=brokers, data=data)
    catalogue = catalogue_of(settings)
    _check(catalogue, bron, load, soort)
    servers = brokers_of(settings)
    try:
        with closing(Register(register, catalogue, bron)) as held:
            rejected = 0
            if load is not None and soort is not None:
                outcome = _load(held, settings, catalogue, soort, load, report, quiet=as_json)
                typer.echo(json.dumps(outcome) if as_json else ", ".join(f"{n} {what.lower()}" for what, n in outcome.items()))
                rejected = outcome["AFGEKEURD"]
            asyncio.run(_work(RegisterBron(bron, catalogue, servers, held), bron))
    except TopicMissingError as e:
        raise NotDoneError(f"{bron}: {e}: make it with '{called()} topics apply'") from e
    except (RegisterError, KafkaError, OSError, sqlite3.Error) as e:
        raise NotDoneError(f"{bron}: {e}") from e
    raise typer.Exit(1 if rejected else 0)


def _check(catalogue: Catalogue, bron: str, load: str | None, soort: str | None) -> None:
    known = {catalogue.bron_of(s).id for s in catalogue.mutatie_topics}
    if bron not in known:
        raise NotDoneError(f"there is no bron {bron} in the catalogue; there are: {', '.join(sorted(known))}")
    if (load is None) != (soort is None):
        raise NotDoneError("--load and --soort go together")
    if soort is not None and soort.split(".")[0] != bron:
        raise NotDoneError(f"{soort} is not a soort of {bron}")


def _load(
    register: Register, settings: Settings, catalogue: Catalogue, soort: str, file: str, report: Path | None, *, quiet: bool
) -> dict[str, int]:
    """Take a file into the register; returns how many lines were new, known and rejected."""
    reader = reader_of(settings, catalogue, soort)
    outcome = Counter(OPGENOMEN=0, BEKEND=0, AFGEKEURD=0)
    with ExitStack() as stack:
        lines = lines_of(open_source(stack, file))
        write = reporter_of(stack, report, file)
        found = checked(lines, reader, progress_of(stack, file, "loading", quiet=quiet))
        while batch := list(islice(found, _BATCH)):
            with register.batch():
                verdicts = [_take(register, soort, number, item) for number, item in batch]
            for verdict in verdicts:
                outcome[verdict.uitkomst] += 1
                write(verdict)
    return dict(outcome)


def _take(register: Register, soort: str, number: int, item: Published | RejectedError) -> Verdict:
    if isinstance(item, RejectedError):
        return Verdict(number, "AFGEKEURD", item.code, item.field)
    return Verdict(number, "OPGENOMEN" if register.deliver(soort, item) else "BEKEND")


async def _work(working: RegisterBron, name: str) -> None:
    task = asyncio.create_task(working.run())
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    log.info("at work", bron=name)
    try:
        await task
    except asyncio.CancelledError:
        log.info("stopped", bron=name)
