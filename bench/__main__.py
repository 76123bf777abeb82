"""``./run bench``: measures the product unchanged; a figure counts only when the result is right."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from bench.growth import growth
from bench.machine import this_machine
from bench.peers import Peers
from bench.publishing import publishing
from bench.report import put_into, report
from bench.results import Results, read
from bench.rounds import rounds
from bench.state import state
from bench.workload import SIZES
from schemas.catalogue import Catalogue

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
_DOCS = Path(__file__).parents[1] / "docs"


class Part(StrEnum):
    """What can be measured by itself."""

    ROUNDS = "rounds"
    GROWTH = "growth"
    STATE = "state"
    PUBLISH = "publish"


@app.callback(invoke_without_command=True)
def bench(  # noqa: PLR0913 - one parameter a flag
    context: typer.Context,
    *,
    quick: Annotated[bool, typer.Option("--quick", help="A small size, one round, no growth: under two minutes.")] = False,
    peers: Annotated[Path | None, typer.Option(help="Folder of the comparison's harness; its set-up must have been run.")] = None,
    pairs: Annotated[int, typer.Option("--pairs", "--rounds", min=1, help="Rounds, each on a fresh broker.")] = 5,
    size: Annotated[str, typer.Option(help=f"One of {', '.join(SIZES)}.")] = "std",
    only: Annotated[list[Part] | None, typer.Option(help="Measure this part; may be given several times.")] = None,
    speed_only: Annotated[bool, typer.Option("--speed-only", help="Rounds without latency and recovery.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write the results as JSON.")] = None,
) -> None:
    """Measure everything, or a part. Exit code 1 when a result is wrong: its figure is refused."""
    if context.invoked_subcommand is not None:
        return
    parts = only or [p for p in Part if not (quick and p is Part.GROWTH)]
    size, pairs, peers = ("quick", 1, None) if quick else (size, pairs, peers)
    results = Results(this_machine())
    if Part.STATE in parts:
        results.state.append(state(Catalogue.load()))
        _keep(results, out)
    if Part.PUBLISH in parts:
        results.publish.append(publishing(50_000 if quick else 500_000))
        _keep(results, out)
    if Part.ROUNDS in parts:
        for one in rounds(size, pairs, None if peers is None else Peers(peers), full=not speed_only, say=_say):
            _say(msgspec.json.encode(one).decode())
            results.rounds.append(one)
            _keep(results, out)
    if Part.GROWTH in parts:
        for grown in growth():
            _say(msgspec.json.encode(grown).decode())
            results.growth.append(grown)
            _keep(results, out)
    typer.echo(report(results))
    if results.faults:
        raise typer.Exit(1)


@app.command()
def render(
    files: Annotated[list[Path], typer.Argument(help="Results of one or more invocations on one machine.")],
    docs: Annotated[Path, typer.Option(help="Folder of performance.md, performance.json and performance.svg.")] = _DOCS,
) -> None:
    """Put results together into the table and the chart of docs/performance.md."""
    from bench.chart import draw  # noqa: PLC0415 - matplotlib is slow to import

    results = read(files)
    results.write(docs / "performance.json")
    put_into(docs / "performance.md", results)
    draw(results, docs / "performance.svg")


def _keep(results: Results, out: Path | None) -> None:
    """After each part: what was measured stays when the next one fails."""
    if out is not None:
        results.write(out)


def _say(text: str) -> None:
    typer.echo(text, err=True)


if __name__ == "__main__":
    app()
