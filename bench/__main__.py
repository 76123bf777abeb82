"""``./run bench``: mutations a second of one worker, next to the floor, with the result checked."""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import psutil
import typer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from bench.fill import fill
from bench.workload import SIZES, own_filtering_catalogue, workload
from connectors.broker.topics import apply_topics
from schemas.catalogue import Catalogue
from tests.node import APP, PARTITIES, Node, node_in
from tests.oracle import fold, recompute


def bench(
    *,
    size: Annotated[str, typer.Option(help=f"One of {', '.join(SIZES)}.")] = "std",
    rounds: Annotated[int, typer.Option(min=1)] = 3,
    quick: Annotated[bool, typer.Option("--quick", help="The small size, one round.")] = False,
    peers: Annotated[Path | None, typer.Option(help="Folder of the comparison's harness: its data are translated.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the results as JSON.")] = None,
) -> None:
    """Measure a worker of the product, unchanged, and the floor, in turn."""
    size, rounds = ("small", 1) if quick else (size, rounds)
    with tempfile.TemporaryDirectory() as folder:
        results = _run(Path(folder), size, rounds, peers)
    if out is not None:
        out.write_text(json.dumps(results, indent=1))
    _show(results)


def _run(work: Path, size: str, rounds: int, peers: Path | None) -> list[dict[str, Any]]:
    folder = own_filtering_catalogue(work)
    catalogue = Catalogue.load(folder)
    results: list[dict[str, Any]] = []
    with node_in(work, catalogue) as node:
        _say(f"filling {SIZES[size].mutations:,} mutations")
        total = asyncio.run(fill(node.brokers, catalogue, workload(catalogue, size, peers, work)))
        wanted = recompute(workload(catalogue, size, peers, work), work)
        for number in range(1, rounds + 1):
            floor = _floor(node, total)
            engine = _engine(node, folder, total, f"{APP}-{number}")
            folded = fold(asyncio.run(node.signalen()))
            engine["right"] = folded.live == wanted and not (folded.conflicts or folded.gaps or folded.duplicates)
            _empty(node, f"{APP}-{number}")
            results.append({"round": number, "mutations": total, "live": len(wanted), "floor": floor, "engine": engine})
            _say(json.dumps(results[-1]))
    return results


def _floor(node: Node, total: int) -> dict[str, float]:
    outputs = [f"floor.{i}" for i in range(40)]
    _create(node, outputs)
    sources = [f"mutaties.{s}" for s in node.catalogue.mutatie_topics]
    command = [sys.executable, "-m", "bench.floor", node.brokers, str(total), ",".join(sources), ",".join(outputs)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    _delete(node, outputs)
    return {"mutations_s": round(total / float(said))}


def _engine(node: Node, folder: Path, total: int, app: str) -> dict[str, Any]:
    asyncio.run(apply_topics(node.brokers, node.catalogue, partities=PARTITIES, replicatie=1, toepassing=app))
    process = psutil.Process(node.start_worker(SAMENLOOP_CATALOGUS=str(folder), SAMENLOOP_TOEPASSING=app).pid)
    begin, cpu, end = asyncio.run(_until_committed(node, process, app))
    result = {
        "mutations_s": round(total / (end - begin)),
        "cpu_s_a_million": round((sum(process.cpu_times()[:2]) - cpu) / total * 1e6, 1),
        "memory_mb": round(process.memory_info().rss / 1e6),
    }
    node.stop_workers()
    node.workers.clear()
    return result


async def _until_committed(node: Node, process: psutil.Process, app: str) -> tuple[float, float, float]:
    """(when the first partition was ready, CPU until then, when all were committed)."""
    log = node.data / "worker-0.log"
    while "partition ready" not in log.read_text():  # noqa: ASYNC110 - another process, which tells nobody
        await asyncio.sleep(0.01)
    begin, cpu = time.perf_counter(), sum(process.cpu_times()[:2])
    while await node.lag(app):  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    return begin, cpu, time.perf_counter()


def _create(node: Node, names: list[str]) -> None:
    asyncio.run(_admin(node, lambda a: a.create_topics([NewTopic(n, PARTITIES, 1) for n in names])))


def _delete(node: Node, names: list[str]) -> None:
    asyncio.run(_admin(node, lambda a: a.delete_topics(names)))


async def _admin(node: Node, work: Callable[[AIOKafkaAdminClient], Awaitable[object]]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=node.brokers)
    await admin.start()
    try:
        await work(admin)
    finally:
        await admin.close()


def _empty(node: Node, app: str) -> None:
    """Remove what a round has written; the next one makes its topics anew."""
    _delete(node, [t for t in asyncio.run(node.topics()) if t.startswith(("signalen.", "volgverzoeken.", app))])
    (node.data / "worker-0.log").unlink()
    time.sleep(5)  # the broker removes the files in the background


def _show(results: list[dict[str, Any]]) -> None:
    floor, engine = (median(r[k]["mutations_s"] for r in results) for k in ("floor", "engine"))
    right = all(r["engine"]["right"] for r in results)
    typer.echo(f"engine {engine:,.0f} mutations/s, floor {floor:,.0f}: {engine / floor:.2f} of it; results {'right' if right else 'WRONG'}")
    if not right:
        raise typer.Exit(1)


def _say(text: str) -> None:
    typer.echo(text, err=True)


if __name__ == "__main__":
    typer.run(bench)
