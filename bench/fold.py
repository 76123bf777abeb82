"""The CPU of the fold alone: the workload as framed bytes in memory, folded as a worker would, without any Kafka.

Prints the process time a mutatie in microseconds, and as so many turns of a loop of plain Python in the same run: the machine is shared,
only that ratio can be compared.
"""

import gc
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Final, Literal
from zlib import crc32

import typer

from bench.catalogues import own_filtering_catalogue
from bench.fill import Encoder, WireRecord, kept
from bench.workload import SIZES, synthetic, translated
from schemas.catalogue import Catalogue
from streams.encoded import rows_in
from streams.fold import Folder
from streams.records import Run, SourceRecord, run_of
from streams.settings import EngineSettings, KernChoice
from streams.store import PartitionStore

PARTITIES = 4
TURNS = 300_000  # of the loop to compare with


_KERNS: Final[tuple[KernChoice, ...]] = ("native", "python")

Frames = list[tuple[int, str, Run]]  # partition, topic, records


def bench(
    *,
    size: Annotated[str, typer.Option(help=f"One of {', '.join(SIZES)}.")] = "mid",
    table: Annotated[Path | None, typer.Option(help="Deliveries of the comparison's harness (Parquet) instead of synthetic ones.")] = None,
    records: Annotated[Path | None, typer.Option(help="Records that `./run bench` has kept, instead.")] = None,
    kern: Annotated[Literal["native", "python", "both"], typer.Option(help="What folds.")] = "both",
    published: Annotated[bool, typer.Option("--published", help="Under the published catalogue; else every bron filters itself.")] = False,
    frame: Annotated[int, typer.Option(help="Most records of a frame.")] = EngineSettings.frame_records,
    profile: Annotated[bool, typer.Option("--profile", help="Show where the time goes, by cProfile.")] = False,
) -> None:
    """Fold a workload and say what a mutatie costs."""
    with tempfile.TemporaryDirectory() as folder:
        catalogue = Catalogue.load(None if published else own_filtering_catalogue(Path(folder)))
    deliveries = synthetic(catalogue, SIZES[size]) if table is None else translated(catalogue, table)
    made = map(Encoder(catalogue).encode, deliveries) if records is None else kept(records)
    frames = _frames(islice(made, SIZES[size].mutations), frame)
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)  # as a worker does
    for choice in _KERNS if kern == "both" else (kern,):
        folding = Folder(catalogue, "bench", choice)
        if folding.kern != choice:
            raise typer.BadParameter(f"there is no native core: {folding.without_kern}")
        (_profile if profile else _show)(folding, frames)


def _frames(records: Iterable[WireRecord], most: int) -> Frames:
    """The frames of a worker that catches up: one of each topic and partition in turn, while there are."""
    logs: dict[tuple[int, str], list[SourceRecord]] = {}
    for record in records:
        key = record.key.encode()
        log = logs.setdefault((crc32(key) % PARTITIES, record.topic), [])
        log.append(SourceRecord(key, record.value, len(log)))
    waiting: list[tuple[int, str, Iterator[SourceRecord]]] = [(p, t, iter(log)) for (p, t), log in sorted(logs.items())]
    frames: Frames = []
    while waiting:
        cut = [(p, t, rest, list(islice(rest, most))) for p, t, rest in waiting]
        frames += [(p, t, run_of(run)) for p, t, _, run in cut if run]
        waiting = [(p, t, rest) for p, t, rest, run in cut if run]
    return frames


def fold_all(folder: Folder, frames: Frames) -> tuple[float, dict[str, float]]:
    """Seconds of process time for all frames, and figures about the outcome."""
    stores = [PartitionStore(folder.rulebook.layout) for _ in range(PARTITIES)]
    spent, sent, sent_bytes, row_bytes, touched = 0.0, 0, 0, 0, 0
    for partition, topic, records in frames:
        begin = time.process_time()
        effects = folder.fold(stores[partition], partition, [(topic, records)])
        spent += time.process_time() - begin
        stores[partition].apply(effects)
        messages = [m for rows in effects.messages.values() for m in rows_in(rows)]
        sent += len(messages)
        sent_bytes += sum(len(value or b"") for _, value, _ in messages)
        touched += len(effects.changes)
        row_bytes += sum(len(row or b"") for row in effects.changes.values())
    return spent, {"messages": sent, "message bytes": sent_bytes, "rows": touched, "row bytes": row_bytes}


def _turn() -> float:
    """Microseconds of process time that one turn of a loop takes here and now."""
    found: dict[int, tuple[int, str, bytes]] = {}
    begin = time.process_time()
    for i in range(TURNS):
        found[i & 1023] = (i, str(i), b"x" * 8)
    return (time.process_time() - begin) / TURNS * 1e6


def _show(folder: Folder, frames: Frames) -> None:
    total, before = sum(len(run) for _, _, run in frames), _turn()
    spent, outcome = fold_all(folder, frames)
    mutatie, turn = spent / total * 1e6, (before + _turn()) / 2
    turns = f"{mutatie / turn:.0f} turns of {turn:.3f} µs"
    typer.echo(f"{folder.kern}: {total:,} mutaties in {len(frames)} frames: {mutatie:.2f} µs a mutatie, {turns}")
    for name, figure in outcome.items():
        typer.echo(f"{name + ' a mutatie':26}{figure / total:8.2f}")


def _profile(folder: Folder, frames: Frames) -> None:
    import cProfile  # noqa: PLC0415 - only then
    import pstats  # noqa: PLC0415

    profiler = cProfile.Profile(time.process_time)
    profiler.runcall(fold_all, folder, frames)
    pstats.Stats(profiler, stream=sys.stdout).sort_stats("tottime").print_stats(35)


if __name__ == "__main__":
    typer.run(bench)
