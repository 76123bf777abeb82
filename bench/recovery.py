"""``python -m bench.recovery``: how long a worker takes from kill -9 until it is ready again, with the state of many persons.

The state is that of a synthetic population, folded by the product, and repeated under other pseudonyms.
"""

import asyncio
import json
import tempfile
import time
from base64 import b32encode
from collections.abc import Iterator
from hashlib import sha256
from itertools import cycle, islice
from pathlib import Path
from typing import Annotated, Any

import aiohttp
import psutil
import typer
from aiokafka import AIOKafkaProducer

from connectors.broker.embedded import EmbeddedBroker
from connectors.broker.topics import apply_topics
from connectors.bronnen.lines import LineReader
from connectors.bronnen.population import population
from connectors.bronnen.pseudonym import Pseudonymiser
from schemas.catalogue import Catalogue
from streams.effects import Effects
from streams.fold import Folder
from streams.records import SourceRecord, run_of
from streams.store import PartitionStore
from tests.node import APP, Node

Rows = list[tuple[bytes, bytes | None]]
PERSOON_BYTES = 52
BATCH_BYTES = 400_000


def recovery(
    persons: Annotated[int, typer.Option(min=1)] = 400_000,
    partities: Annotated[int, typer.Option(min=1)] = 4,
    mutations: Annotated[int, typer.Option(help="Mutations a person.")] = 20,
    dead: Annotated[int, typer.Option(help="Older rows of each person that the broker has not cleaned up.")] = 0,
    rounds: Annotated[int, typer.Option(min=1)] = 2,
) -> None:
    """Fill the state, start a worker, kill it, and start it again; a line of JSON each time."""
    catalogue = Catalogue.load()
    with tempfile.TemporaryDirectory() as folder:
        broker = EmbeddedBroker(Path(folder))
        node = Node(broker.start().bootstrap, Path(folder), catalogue)
        node.env = {"SAMENLOOP_PARTITIES": str(partities)}
        try:
            asyncio.run(apply_topics(node.brokers, catalogue, partities=partities, replicatie=1, toepassing=APP))
            begin = time.perf_counter()
            size = asyncio.run(_fill(node.brokers, catalogue, persons, partities, mutations, dead))
            _say({"persons": persons, "bytes_a_person": round(size / persons), "filled_s": round(time.perf_counter() - begin)})
            for _ in range(rounds):
                _say(_start(node))
                node.workers[-1].kill()
                node.workers[-1].wait()
        finally:
            node.stop_workers()
            broker.stop()


def _start(node: Node) -> dict[str, Any]:
    """Start a worker, and wait until it is ready."""
    begin = time.perf_counter()
    process = psutil.Process(node.start_worker().pid)
    metrics = asyncio.run(_until_ready(node, len(node.workers) - 1))
    found = {line.split()[0]: float(line.split()[1]) for line in metrics.splitlines() if not line.startswith("#")}
    return {
        "ready_s": round(time.perf_counter() - begin, 1),
        "cpu_s": round(sum(process.cpu_times()[:2]), 1),
        "memory_mb": round(process.memory_info().rss / 1e6),
        "persons": found["samenloop_persons"],
        "state_mb": round(found["samenloop_state_bytes"] / 1e6),
        "open_s_a_partition": round(found["samenloop_open_seconds_sum"] / found["samenloop_open_seconds_count"], 1),
    }


async def _until_ready(node: Node, worker: int) -> str:
    while True:
        try:
            status, _ = await node.health(worker, "/ready")
        except aiohttp.ClientError:
            status = 0
        if status == 200:
            return (await node.health(worker, "/metrics"))[1]
        await asyncio.sleep(0.1)


def _templates(catalogue: Catalogue, mutations: int, persons: int = 1_000) -> list[Rows]:
    """The rows that the product keeps of each of some persons."""
    pseudonymiser = Pseudonymiser(bytes(32))
    readers = {s: LineReader(catalogue, s, pseudonymiser) for s in catalogue.mutatie_topics}
    folder = Folder(catalogue, APP)
    store = PartitionStore(folder.rulebook.layout)
    for number, d in enumerate(population(catalogue, persons=persons, seed=1, mutations=mutations * persons)):
        m = readers[d.soort].read(json.dumps(d.line).encode())
        record = SourceRecord(m.persoon.encode(), m.value, number)
        store.apply(folder.fold(store, 0, [(f"mutaties.{d.soort}", run_of([record]))]))
    rows: dict[bytes, Rows] = {}
    for key, value in store.rows.items():
        rows.setdefault(key[:PERSOON_BYTES], []).append((key, value))
    return list(rows.values())


def _changelog(templates: list[Rows], partition: int, partities: int, persons: int) -> Iterator[tuple[bytes, bytes | None]]:
    for number, rows in zip(range(partition, persons, partities), cycle(templates), strict=False):
        persoon = b32encode(sha256(b"%d" % number).digest())[:PERSOON_BYTES]
        yield from ((persoon + key[PERSOON_BYTES:], value) for key, value in rows)


async def _fill(brokers: str, catalogue: Catalogue, persons: int, partities: int, mutations: int, dead: int) -> int:
    """Write the changelog as the engine would; the bytes of the live rows."""
    templates, size = _templates(catalogue, mutations), 0
    producer = AIOKafkaProducer(bootstrap_servers=brokers, compression_type="lz4", max_batch_size=BATCH_BYTES, linger_ms=5)
    await producer.start()
    for partition in range(partities):
        meta = list(PartitionStore(Folder(catalogue, APP).rulebook.layout).rows_of(Effects()).items())
        for _ in range(dead + 1):
            rows = [*meta, *_changelog(templates, partition, partities, persons)]
            await _send(producer, partition, rows)
        size += sum(len(k) + len(v or b"") for k, v in rows)
    await producer.stop()
    return size


async def _send(producer: AIOKafkaProducer, partition: int, rows: Rows) -> None:
    left, waiting = iter(rows), set[Any]()
    while some := list(islice(left, 200)):
        batch = producer.create_batch()
        for key, value in some:
            assert batch.append(timestamp=None, key=key, value=value) is not None
        waiting.add(await producer.send_batch(batch, f"{APP}-personen-changelog", partition=partition))
        if len(waiting) > 16:
            _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    await asyncio.gather(*waiting)


def _say(what: dict[str, Any]) -> None:
    typer.echo(json.dumps(what))


if __name__ == "__main__":
    typer.run(recovery)
