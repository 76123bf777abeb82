"""``samenloop archive``: the topics and the catalogue into Avro files that outlive the log."""

import json
from pathlib import Path
from typing import Annotated

import typer

from samenloop.context import BrokersOption, DataOption, ToepassingOption, brokers_of, catalogue_of, settings_of
from samenloop.errors import NotDoneError
from samenloop.progress import bar_of
from samenloop.running import run
from streams.audit.archiver import Archived, ArchivingError, archive_topics
from streams.audit.manifest import ArchiveError


def archive(
    out: Annotated[Path, typer.Option(help="Folder of the archive; what it has already is left as it is.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Summary as JSON, no progress bar.")] = False,
    brokers: BrokersOption = None,
    data: DataOption = None,
    toepassing: ToepassingOption = None,
    catalogus: Annotated[Path | None, typer.Option(help="Directory of another catalogue than the published one.")] = None,
) -> None:
    """Copy the topics and the catalogue into an archive of Avro files, from where it ends; exit 1 when the log had lost some before."""
    settings = settings_of(brokers=brokers, data=data, toepassing=toepassing, catalogus=catalogus)
    catalogue = catalogue_of(settings)
    try:
        with bar_of("archiving", quiet=as_json) as told:
            found = run(archive_topics(brokers_of(settings), out, catalogue, settings.toepassing, told))
    except (ArchivingError, ArchiveError) as e:
        raise NotDoneError(str(e)) from e
    if found is None:
        raise typer.Exit(2)
    if as_json:
        typer.echo(json.dumps({"records": found.records, "files": found.files, "lost": found.lost, "catalogus": catalogue.versie}))
    else:
        _say(found, out)
    if found.lost:
        raise typer.Exit(1)


def _say(found: Archived, out: Path) -> None:
    for place in found.lost:
        typer.echo(f"lost  {place}: the log no longer has these offsets, and the archive never had them", err=True)
    for topic, records in sorted(found.records.items()):
        if not topic.startswith("signalen."):
            typer.echo(f"{records:>12,}  {topic}")
    signalen = {t: n for t, n in found.records.items() if t.startswith("signalen.")}
    if signalen:
        typer.echo(f"{sum(signalen.values()):>12,}  signalen.* ({len(signalen)} ontvangers)")
    typer.echo(f"{sum(found.records.values()):>12,}  records added to {out} in {found.files} files")
