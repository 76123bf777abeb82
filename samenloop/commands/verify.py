"""``samenloop verify``: a second opinion on the signals that stand, from an archive."""

import json
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from samenloop.context import ToepassingOption, settings_of
from samenloop.errors import NotDoneError
from samenloop.moments import AboutOption, KnownOnOption, day_named, last_millisecond
from streams.audit.archive import Archive
from streams.audit.manifest import ArchiveError
from streams.audit.second_opinion import AsOf, Finding, Opinion, second_opinion
from streams.audit.tables import catalogues_in_force

SHOWN = 100  # findings of each soort on a screen


def verify(
    archive: Annotated[Path, typer.Option(help="Folder that 'samenloop archive' filled.")],
    *,
    known_on: KnownOnOption = None,
    about: AboutOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    toepassing: ToepassingOption = None,
) -> None:
    """Work out with DuckDB which signals have to stand, and compare with those that do; exit 1 when they differ."""
    settings = settings_of(toepassing=toepassing)
    as_of = AsOf(None if known_on is None else last_millisecond(known_on), None if about is None else day_named(about))
    with ExitStack() as stack:
        try:
            found = Archive(archive)
            catalogues = catalogues_in_force(found, settings.toepassing)
            opinion = second_opinion(found, catalogues, settings.toepassing, as_of, _bar(stack, quiet=as_json))
        except ArchiveError as e:
            raise NotDoneError(str(e)) from e
    if as_json:
        typer.echo(json.dumps(_json(opinion), ensure_ascii=False, indent=2))
    else:
        Console(highlight=False, soft_wrap=True).print("\n".join(_lines(opinion)), markup=False)
    if opinion.findings:
        raise typer.Exit(1)


def _bar(stack: ExitStack, *, quiet: bool) -> Callable[[int, int], None]:
    if quiet or not sys.stderr.isatty():
        return lambda _done, _of: None
    bar = stack.enter_context(Progress(console=Console(stderr=True)))
    task = bar.add_task("reading", total=None)
    return lambda done, of: bar.update(task, completed=done, total=of)


def _json(o: Opinion) -> dict[str, Any]:
    return {
        "klopt": not o.findings,
        "mutaties": o.mutaties,
        "signalen": o.signalen,
        "geldend": o.geldend,
        "geweigerd": o.geweigerd,
        "niet_genomen": o.niet_genomen,
        "seconden": {stage: round(seconds, 3) for stage, seconds in o.seconds.items()},
        "bevindingen": [f._asdict() for f in o.findings],
        "volgorde": [f._asdict() for f in o.volgorde],
    }


def _lines(o: Opinion) -> list[str]:
    lines = [
        f"{o.mutaties:>12,}  mutaties, {o.geweigerd:,} of them in quarantine, {o.niet_genomen:,} records not taken yet",
        f"{o.signalen:>12,}  messages to ontvangers",
        f"{o.geldend:>12,}  signals stand",
    ]
    if not o.findings:
        lines.append("They are the signals that the records and the rules give.")
    for soort in sorted({f.soort for f in o.findings}):
        mine = [f for f in o.findings if f.soort == soort]
        lines += ["", f"{soort}: {len(mine):,}", *(line for f in mine[:SHOWN] for line in _finding(f))]
        lines += [f"  and {len(mine) - SHOWN:,} more, see --json"] if len(mine) > SHOWN else []
    if o.volgorde:
        others = f"{len(o.volgorde):,} signals were then not as the records give"
        lines += ["", f"{others}: these were taken in another order than they were registered in (--json lists them)"]
    return lines


def _finding(f: Finding) -> list[str]:
    lines = [f"  {f.waar}  {f.tekst}"]
    if f.records and f.topic:
        lines += [f"    {k}: records {v}, topic {f.topic[k]}" for k, v in f.records.items() if v != f.topic[k]]
    elif f.records or f.topic:
        told = f.records or f.topic or {}
        days = f"{told['begindatum']} to {told['einddatum'] or 'now'}"
        lines.append(f"    {told['ontvanger']} {told['kenmerk']}: {told['feitsoort']} {told['feit']}, {days}")
    return lines
