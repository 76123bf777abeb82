"""``samenloop quarantine``: the records that were refused, one of them from near, and what may become of them."""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from samenloop.called import called
from samenloop.closing import close
from samenloop.context import BrokersOption, DataOption, brokers_of, catalogue_of, settings_of
from samenloop.errors import NotDoneError
from samenloop.quarantine import Held, Selection, judge_of, read_quarantine, text_of
from samenloop.quarantined_record import show, shown_text
from samenloop.retry import Report, retry
from samenloop.running import run
from schemas.catalogue import Catalogue
from schemas.reasons import Reason
from schemas.sources import PLAIN, overdrachten_topic
from streams.core.messages import iso_time

quarantine = typer.Typer(
    no_args_is_help=True, help="The records that the engine refused: look at them, retry them after a fix, or close them."
)

NumberArgument = Annotated[int, typer.Argument(metavar="NUMBER", min=0, help="As 'list' shows it.")]
NumbersArgument = Annotated[list[int] | None, typer.Argument(metavar="[NUMBER]...", min=0, help="As 'list' shows them.")]
AllOpenOption = Annotated[bool, typer.Option("--all", help="All that stand open.")]
TopicOption = Annotated[list[str] | None, typer.Option("--topic", help="Only of this topic, e.g. uwv.uitkering; may be repeated.")]
ReasonOption = Annotated[list[Reason] | None, typer.Option("--reason", help="Only refused for this reason; may be repeated.")]
JsonOption = Annotated[bool, typer.Option("--json", help="As JSON.")]


@quarantine.command("list")
def list_records(
    *,
    topic: TopicOption = None,
    reason: ReasonOption = None,
    all_records: Annotated[bool, typer.Option("--all", help="Also those that were retried or closed.")] = False,
    as_json: JsonOption = False,
    brokers: BrokersOption = None,
    data: DataOption = None,
) -> None:
    """Show the records that stand open in quarantine, and how many there are for each reason."""
    settings = settings_of(brokers=brokers, data=data)
    catalogue = catalogue_of(settings)
    selection = Selection(topics=topics_of(catalogue, topic), reasons=reason or ())
    found = run(read_quarantine(brokers_of(settings), judge_of(catalogue, settings.toepassing)))
    if found is None:
        raise typer.Exit(2)
    records = [h for h in selection.of(found.records()) if all_records or h.is_open]
    reasons = Counter(h.reason for h in records)
    if found.strangers:
        typer.echo(f"{found.strangers} records on the topic were written by neither the engine nor a command: left out", err=True)
    if as_json:
        typer.echo(json.dumps({"records": [h.as_json() for h in records], "by_reason": dict(reasons.most_common())}, indent=2))
        return
    if not records:
        typer.echo("no record stands in quarantine" if all_records else "no record stands open in quarantine")
        return
    _print(records, reasons, all_records=all_records)


def _print(records: Sequence[Held], reasons: Counter[str], *, all_records: bool) -> None:
    table = Table(title=f"{'in quarantine' if all_records else 'open in quarantine'}: {len(records)}")
    for column in ("number", "reason", "topic", "partition", "offset", "refused", "bytes", "schema id", "now"):
        table.add_column(column, justify="right" if column in {"number", "partition", "offset", "bytes", "schema id"} else "left")
    if all_records:
        table.add_column("state")
    for h in records:
        place = (h.place.topic, str(h.place.partition), str(h.place.offset))
        what = (str(h.size), "-" if h.schema_id is None else str(h.schema_id), "taken" if h.refused_now is None else "refused")
        table.add_row(str(h.number), h.reason, *place, iso_time(h.time)[:19] + "Z", *what, *([h.state] if all_records else []))
    wide = None if sys.stdout.isatty() else 220  # a pipe has no width of its own
    console = Console(width=wide, highlight=False)
    console.print(table)
    for code, number in reasons.most_common():
        console.print(f"  {number:>9}  {code}  {text_of(code)}", soft_wrap=True, markup=False)


@quarantine.command("show")
def show_record(
    number: NumberArgument,
    *,
    content: Annotated[
        bool, typer.Option("--content", help="Also key, bytes and decoded value: these are about a person, look only when you must.")
    ] = False,
    as_json: JsonOption = False,
    brokers: BrokersOption = None,
    data: DataOption = None,
) -> None:
    """Show one record: why it was refused, where it stands, how its bytes begin, and whether a retry would help."""
    settings = settings_of(brokers=brokers, data=data)
    found = run(show(brokers_of(settings), catalogue_of(settings), settings.toepassing, number, content=content))
    if found is None:
        raise typer.Exit(2)
    if as_json:
        typer.echo(json.dumps(found.as_json(), ensure_ascii=False, indent=2, default=str))
        return
    Console(highlight=False, soft_wrap=True).print(shown_text(found), markup=False)


@quarantine.command("retry")
def retry_records(
    numbers: NumbersArgument = None,
    *,
    all_open: AllOpenOption = False,
    topic: TopicOption = None,
    reason: ReasonOption = None,
    as_json: JsonOption = False,
    brokers: BrokersOption = None,
    data: DataOption = None,
) -> None:
    """Give records to the engine again, after a fix: each is written once more where it came from. Exit 1 when one could not be."""
    settings = settings_of(brokers=brokers, data=data)
    catalogue = catalogue_of(settings)
    selection = _selection(catalogue, numbers, topic, reason, all_open=all_open)
    known = [*topics_of(catalogue, [*catalogue.mutatie_topics, *PLAIN]), overdrachten_topic(settings.toepassing)]
    report = run(retry(brokers_of(settings), settings.toepassing, known, selection))
    if report is None:
        raise typer.Exit(2)
    _tell(report, as_json=as_json)
    raise typer.Exit(1 if report.left else 0)


@quarantine.command("close")
def close_records(  # noqa: PLR0913 - one parameter an option
    numbers: NumbersArgument = None,
    *,
    because: Annotated[str, typer.Option(help="Why no retry is needed: kept and shown, so nothing of a person may stand in it.")],
    all_open: AllOpenOption = False,
    topic: TopicOption = None,
    reason: ReasonOption = None,
    as_json: JsonOption = False,
    brokers: BrokersOption = None,
    data: DataOption = None,
) -> None:
    """Close records that need no retry, e.g. since the bron has delivered anew. They stay where they are; 'list --all' says why."""
    settings = settings_of(brokers=brokers, data=data)
    selection = _selection(catalogue_of(settings), numbers, topic, reason, all_open=all_open)
    closing = run(close(brokers_of(settings), settings.toepassing, selection, because))
    if closing is None:
        raise typer.Exit(2)
    if as_json:
        typer.echo(json.dumps(closing.as_json(), indent=2))
        return
    typer.echo(f"{len(closing.closed)} closed")
    for number, state in closing.before.items():
        typer.echo(f"  {number} was {state}")


def _selection(
    catalogue: Catalogue, numbers: list[int] | None, topic: list[str] | None, reason: list[Reason] | None, *, all_open: bool
) -> Selection:
    """What an operator means; raises NotDoneError when nothing is said, or too much."""
    if not (numbers or all_open or topic or reason):
        raise NotDoneError("name records by number, or --all, --topic or --reason")
    if numbers and (all_open or topic or reason):
        raise NotDoneError("name records by number, or say which with --all, --topic or --reason: not both")
    return Selection(numbers or (), topics_of(catalogue, topic), reason or ())


def _tell(report: Report, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(report.as_json(), indent=2))
        return
    hint = f"; '{called()} quarantine list' shows which of them are refused again" if report.retried else ""
    typer.echo(f"{len(report.retried)} retried{hint}")
    for number, place in report.retried.items():
        typer.echo(f"  {number} stands at {place}")
    for number, place in report.before.items():
        typer.echo(f"  {number} was retried before, and stands at {place}")
    for number, why in report.left.items():
        typer.echo(f"  {number} is left as it is: {why}", err=True)


def topics_of(catalogue: Catalogue, named: Sequence[str] | None) -> list[str]:
    """The topics that an operator names, with or without ``mutaties.``; raises NotDoneError."""
    known = {*catalogue.mutatie_topics, *PLAIN}
    soorten = [n.removeprefix("mutaties.") for n in named or ()]
    for soort in soorten:
        if soort not in known:
            raise NotDoneError(f"there is no {soort} in the catalogue; there are: {', '.join(sorted(known))}")
    return [s if s in PLAIN else f"mutaties.{s}" for s in soorten]
