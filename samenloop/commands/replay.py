"""``samenloop replay``: the history done again, and compared with what was sent."""

import os
import signal
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final

import msgspec
import typer

from samenloop.context import BrokersOption, DataOption, ToepassingOption, brokers_of, catalogue_of, settings_of
from samenloop.errors import NotDoneError
from samenloop.ontvanger import ontvanger_of
from samenloop.progress import bar_of
from samenloop.running import run
from samenloop.settings import Settings
from streams.audit.archiver import ArchivingError, archive_topics
from streams.audit.history import Scope, moment_of
from streams.audit.manifest import ArchiveError
from streams.audit.page import MEANINGS, page_of
from streams.audit.report import Report
from streams.audit.run import Question, replay

_SHOWN: Final = 20  # findings on the terminal
_BESIDE: Final = {"quarantaine": "records were refused as they should be", "volgverzoeken": "volgverzoeken were sent as they are made"}


class SourceName(StrEnum):
    """Where the history is read."""

    KAFKA = "kafka"
    ARCHIVE = "archive"


def replay_history(  # noqa: PLR0913 - one parameter an option
    *,
    begin: Annotated[str | None, typer.Option("--from", help="First day or moment, e.g. 2026-01-31 or 2026-01-31T09:00 (UTC).")] = None,
    end: Annotated[str | None, typer.Option("--to", help="The moment to stop before.")] = None,
    ontvanger: Annotated[list[str] | None, typer.Option(help="Compare only this ontvanger's signals; may be given more than once.")] = None,
    dienst: Annotated[str | None, typer.Option(help="Compare only the signals of this dienst.")] = None,
    source: Annotated[SourceName | None, typer.Option(help="kafka, or archive; archive when one is given.")] = None,
    archive: Annotated[Path | None, typer.Option(help="Folder that 'samenloop archive' filled.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write the report as a page for people.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The report as JSON, no progress bar.")] = False,
    processes: Annotated[int, typer.Option(min=1, help="How many partitions are replayed at a time.")] = os.cpu_count() or 1,
    brokers: BrokersOption = None,
    data: DataOption = None,
    toepassing: ToepassingOption = None,
    catalogus: Annotated[Path | None, typer.Option(help="With --source kafka: the catalogue's directory.")] = None,
) -> None:
    """Do the engine's work again from the topics or an archive, touching nothing live, and compare with what was sent, byte by byte.

    What was asked of bronnen and what was refused is compared too, unless only an ontvanger or a dienst is looked at.

    Exit 1 on any difference. Ctrl-C stops it, and the same command goes on from there.
    """
    settings = settings_of(brokers=brokers, data=data, toepassing=toepassing, catalogus=catalogus)
    catalogue = catalogue_of(settings)
    ontvangers = None if not ontvanger else tuple(sorted(ontvanger_of(catalogue, o) for o in ontvanger))
    if dienst is not None and dienst not in catalogue.diensten:
        raise NotDoneError(f"there is no dienst {dienst} in the catalogue; there are {', '.join(sorted(catalogue.diensten))}")
    scope = Scope(_moment("--from", begin), _moment("--to", end))
    with ExitStack() as stack:
        if (source or (SourceName.ARCHIVE if archive else SourceName.KAFKA)) is SourceName.KAFKA:
            archive = archive or Path(stack.enter_context(TemporaryDirectory(prefix="samenloop-replay-")))
            _fill(settings, archive)
        if archive is None:
            raise NotDoneError("--source archive needs --archive FOLDER")
        found = _replay(Question(archive, settings.toepassing, scope, ontvangers, dienst), settings, processes, quiet=as_json)
    if report is not None:
        report.write_text(page_of(found), encoding="utf-8")
    _say(found, as_json=as_json)
    if not found.is_clean:
        raise typer.Exit(1)


def _moment(option: str, text: str | None) -> int | None:
    try:
        return None if text is None else moment_of(text)
    except ValueError:
        raise NotDoneError(f"{option} {text}: a day or a moment is expected, as 2026-01-31 or 2026-01-31T09:00") from None


def _fill(settings: Settings, archive: Path) -> None:
    """The topics as they are now, into an archive: a replay reads no other form."""
    try:
        done = run(archive_topics(brokers_of(settings), archive, catalogue_of(settings), settings.toepassing))
    except (ArchivingError, ArchiveError) as e:
        raise NotDoneError(str(e)) from e
    if done is None:
        raise typer.Exit(130)
    for place in done.lost:
        typer.echo(f"the log no longer has {place}: replay an archive that has", err=True)


def _replay(question: Question, settings: Settings, processes: int, *, quiet: bool) -> Report:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with bar_of("replaying", quiet=quiet) as told:
            return replay(question, settings.data / "replay" / question.key, processes, told)
    except (ArchiveError, OSError) as e:
        raise NotDoneError(str(e)) from e
    except KeyboardInterrupt:
        typer.echo("stopped; the same command goes on from here", err=True)
        raise typer.Exit(130) from None


def _say(report: Report, *, as_json: bool) -> None:
    if as_json:
        typer.echo(msgspec.json.encode(report).decode())
        return
    typer.echo(f"{report.records:,} records of {report.transactions:,} transactions replayed in {report.seconds:.1f} s")
    typer.echo(f"{report.same:,} signals were sent as they are made, byte for byte")
    for kind, same in report.beside.items():
        typer.echo(f"{same:,} {_BESIDE[kind]}")
    if report.later:
        typer.echo(f"{report.later:,} messages belong to transactions behind the end and are not judged")
    for kind, meaning in MEANINGS.items():
        if report.counts[kind]:
            typer.echo(f"{report.counts[kind]:,} {kind}: {meaning}")
    for f in report.findings[:_SHOWN]:
        name = f"  {f.signaal_id} v{f.versie}" if f.signaal_id else f"  {f.about}" if f.about else ""
        behind = f" (follows from {f.follows_from})" if f.follows_from else ""
        typer.echo(f"  {f.kind:<9}  {f.place}{name}: {f.why}{behind}")
    if len(report.findings) > _SHOWN:
        typer.echo(f"  … {len(report.findings) - _SHOWN:,} more: see --report or --json", err=True)
