"""``./run faults``: faults at random on the real broker, one after the other, and a table of those that the node survived."""

import asyncio
import logging
import tempfile
import time
import traceback
from collections import Counter, defaultdict
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from tests.faults.field import Fault, Surroundings, survive
from tests.faults.selection import FAULTS

console = Console(stderr=True)


def faults(
    *,
    rounds: Annotated[int, typer.Option(min=1, help="Each round is one fault.")] = 20,
    seed: Annotated[int | None, typer.Option(help="Of the first round; the next ones count on. By default another one each time.")] = None,
    fault: Annotated[str | None, typer.Option(help="Only faults whose name holds this text.")] = None,
    mutations: Annotated[int, typer.Option(min=500, help="Deliveries of a round.")] = 6_000,
    quick: Annotated[bool, typer.Option("--quick", help="Outages of seconds, as in the tests, in place of a minute.")] = False,
) -> None:
    """Let faults happen to a node under way; exit 1 when one of them was not survived."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # our own clients meet the faults too, and go on
    chosen = [f for f in FAULTS if fault is None or fault in f.name]
    if not chosen:
        raise typer.BadParameter(f"there is no such fault; there are: {', '.join(f.name for f in FAULTS)}")
    first = Random().randrange(1 << 30) if seed is None else seed
    survived: dict[str, list[float]] = defaultdict(list)
    failed: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, closing(Places(Path(folder))) as places:
        for number in range(first, first + rounds):
            one = Random(number).choice(chosen)
            begin = time.monotonic()
            if _round(one, places, number, mutations, thorough=not quick):
                survived[one.name].append(time.monotonic() - begin)
            else:
                failed[one.name] += 1
    _show(chosen, survived, failed)
    if failed:
        raise typer.Exit(1)


class Places:
    """The broker of the rounds; after a round that failed it is another one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made = 0
        self._place: Surroundings | None = None

    def place(self) -> Surroundings:
        """Where the next round happens."""
        if self._place is None:
            self._made += 1
            data = self._folder / str(self._made)
            data.mkdir()
            self._place = Surroundings(data)
        return self._place

    def close(self) -> None:
        """Stop the broker; its data stay until the end."""
        if self._place is not None:
            self._place.close()
            self._place = None


def _round(fault: Fault, places: Places, seed: int, mutations: int, *, thorough: bool) -> bool:
    console.print(f"[dim]{time.strftime('%H:%M:%S')}[/] seed {seed}: {fault.name} … ", end="")
    try:
        run, folded = asyncio.run(survive(fault, places.place(), seed, mutations=mutations, thorough=thorough))
    except Exception:  # noqa: BLE001 - whatever it is, the round failed and the next one goes on
        console.print("[red]failed[/]")
        console.print(traceback.format_exc(), markup=False, highlight=False)
        flags = f"--rounds 1 --seed {seed} --fault '{fault.name}' --mutations {mutations}{'' if thorough else ' --quick'}"
        console.print(f"again: ./run faults {flags}", markup=False)
        places.close()
        return False
    ended = f", {len(run.endings)} restarts" if run.endings else ""
    console.print(f"[green]survived[/]: {len(folded.live):,} signals stand, {folded.messages:,} sent{ended}")
    return True


def _show(chosen: list[Fault], survived: dict[str, list[float]], failed: Counter[str]) -> None:
    table = Table("fault", "survived", "failed", "seconds a round")
    for fault in chosen:
        times = survived[fault.name]
        if times or failed[fault.name]:
            mean = f"{sum(times) / len(times):.0f}" if times else ""
            table.add_row(fault.name, str(len(times)), str(failed[fault.name] or ""), mean)
    Console().print(table)


if __name__ == "__main__":
    typer.run(faults)
