"""``./run bench``: measures the product unchanged; a figure counts only when the result is right."""

import signal
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from bench.machine import this_machine
from bench.measure import measure
from bench.peers import Peers
from bench.plan import BESIDE, Part, Plan
from bench.report import put_into, report
from bench.results import Results, read
from bench.workload import SIZES

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
_DOCS = Path(__file__).parents[1] / "docs"


@app.callback(invoke_without_command=True)
def bench(  # noqa: PLR0913 - one parameter a flag
    context: typer.Context,
    *,
    quick: Annotated[bool, typer.Option("--quick", help="A small size, one round, no growth: under two minutes.")] = False,
    peers: Annotated[Path | None, typer.Option(help="Folder of the comparison's harness; its set-up must have been run.")] = None,
    pairs: Annotated[int, typer.Option("--pairs", "--rounds", min=1, help="Rounds, and pairs of each growth.")] = 5,
    size: Annotated[str, typer.Option(help=f"One of {', '.join(SIZES)}.")] = "std",
    only: Annotated[list[Part] | None, typer.Option(help="Measure this part; may be given several times.")] = None,
    beside: Annotated[list[str] | None, typer.Option(help=f"A system in the same rounds; by default {', '.join(BESIDE)}.")] = None,
    speed_only: Annotated[bool, typer.Option("--speed-only", help="Rounds without latency and recovery.")] = False,
    work: Annotated[Path | None, typer.Option(help="Keep the prepared workload here, for the next invocation.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the results as JSON, added to what the file holds.")] = None,
) -> None:
    """Measure everything, or a part. Exit code 1 when a result is wrong: its figure is refused."""
    if context.invoked_subcommand is not None:
        return
    results = read([out]) if out is not None and out.exists() else Results(this_machine())
    if results.machine != this_machine():
        raise typer.BadParameter(f"{out} holds the results of another machine or of other versions")
    harness = None if peers is None or quick else Peers(peers)
    done = len(results.rounds)
    with tempfile.TemporaryDirectory() as temporary:
        at = work or Path(temporary)
        if quick:
            parts = tuple(only or (Part.STATE, Part.PUBLISH, Part.ROUNDS))
            plan = Plan(parts, "quick", range(1), None, BESIDE, full=True, lines=50_000, work=at)
        else:
            numbers = range(done, done + pairs)
            plan = Plan(tuple(only or Part), size, numbers, harness, tuple(beside or BESIDE), full=not speed_only, lines=500_000, work=at)
        for found in measure(plan):
            typer.echo(msgspec.json.encode(found).decode(), err=True)
            results.add(found)
            if out is not None:
                results.write(out)
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


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the worker and the broker end with it
    app()
