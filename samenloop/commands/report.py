"""``samenloop report``: an ontvanger reports what became of its signals."""

import json
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, get_args

import typer

from connectors.bronnen.publish import Summary, Verdict
from connectors.ontvangers.terugmelding import ReportReader
from connectors.ontvangers.topic_reader import read_topics
from samenloop.commands.follow import OntvangerArgument
from samenloop.context import BrokersOption, DataOption, brokers_of, catalogue_of, settings_of
from samenloop.delivering import deliver, show_summary
from samenloop.errors import NotDoneError
from samenloop.files import lines_of, open_source, progress_of, reporter_of
from samenloop.ontvanger import ontvanger_of
from samenloop.running import run
from samenloop.settings import Settings
from schemas.codec import WireError, decode_signaal
from schemas.values import Stand, Uitkomst

StandOption = Annotated[str | None, typer.Option(metavar="STAND", help=f"How far it is: {', '.join(get_args(Stand))}.")]
UitkomstOption = Annotated[str | None, typer.Option(metavar="UITKOMST", help=f"What came of it: {', '.join(get_args(Uitkomst))}.")]


def report_handling(  # noqa: PLR0913 - one parameter an option
    ontvanger: OntvangerArgument,
    signaal_id: Annotated[str | None, typer.Argument(metavar="[SIGNAAL_ID]", help="The signal; or --file for many.")] = None,
    *,
    stand: StandOption = None,
    uitkomst: UitkomstOption = None,
    versie: Annotated[int | None, typer.Option(min=1, help="Of which version; the newest when it is not said.")] = None,
    file: Annotated[str | None, typer.Option(help="JSON Lines with signaal_id, stand, uitkomst, versie; - reads standard input.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write the verwerkingsverslag, one JSON line a line of the file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Summary as JSON, no progress bar.")] = False,
    brokers: BrokersOption = None,
    data: DataOption = None,
) -> None:
    """Report that signals were delivered, accepted or handled, and with which outcome. Exit 1 when lines of a file are rejected."""
    settings = settings_of(brokers=brokers, data=data)
    name = ontvanger_of(catalogue_of(settings), ontvanger)
    if (signaal_id is None) == (file is None):
        raise NotDoneError("name one signal by SIGNAAL_ID, or many with --file")
    if file is not None and (stand or uitkomst or versie):
        raise NotDoneError("the lines of a file say themselves which stand, uitkomst and versie they report")
    if file is None and (stand is None or report is not None):
        raise NotDoneError(f"say with --stand how far it is ({', '.join(get_args(Stand))}); --report is for a --file")
    if file is not None:
        with ExitStack() as stack:
            lines, write = lines_of(open_source(stack, file)), reporter_of(stack, report, file)
            summary = _report(settings, name, lines, write, progress_of(stack, file, "reporting", quiet=as_json))
    else:
        told = {"signaal_id": signaal_id, "stand": stand, "uitkomst": uitkomst, "versie": versie}
        summary = _report(settings, name, [json.dumps(told).encode()], _refuse, lambda _: None)
    show_summary(summary, as_json=as_json)
    raise typer.Exit(1 if summary.rejected else 0)


def _refuse(verdict: Verdict) -> None:
    if verdict.reden is not None:
        raise NotDoneError(f"{verdict.veld}: {verdict.reden.text}")


def _report(
    settings: Settings, ontvanger: str, lines: Iterable[bytes], write: Callable[[Verdict], None], advance: Callable[[int], None]
) -> Summary:
    catalogue, brokers = catalogue_of(settings), brokers_of(settings)
    sent = run(_sent(brokers, f"signalen.{ontvanger}"))
    if sent is None:
        raise typer.Exit(2)
    reader = ReportReader(catalogue, ontvanger, sent, datetime.now(UTC).isoformat(timespec="milliseconds"))
    return deliver(brokers, reader.topic, lines, reader, write, advance)


async def _sent(brokers: str, topic: str) -> dict[str, int]:
    """signaal_id → its newest version, of all signals on the topic."""
    newest: dict[str, int] = {}
    async for record in read_topics(brokers, [topic]):
        try:
            signaal = decode_signaal(record.value)
        except WireError as e:
            typer.echo(f"{record.topic}-{record.partition}@{record.offset}: {e}", err=True)
            continue
        newest[signaal.signaal_id] = max(signaal.versie, newest.get(signaal.signaal_id, 0))
    return newest
