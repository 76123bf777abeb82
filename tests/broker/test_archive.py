"""The archive of a real node: what it holds, that it goes on where it ended, and that nothing half ever counts."""

import asyncio
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from avro.datafile import DataFileReader
from avro.io import DatumReader

from bench.catalogues import own_filtering_catalogue
from connectors.bronnen.population import Delivery, population, shuffled
from schemas.catalogue import Catalogue
from schemas.verloop import decode_verloop
from streams.audit.archive import Archive
from streams.audit.manifest import MANIFEST, ArchiveError
from tests.node import APP, PARTITIES, Node, node_in

SAMENLOOP = str(Path(sys.executable).with_name("samenloop"))


@pytest.fixture(scope="module")
def deliveries(job: Catalogue) -> list[Delivery]:
    return shuffled(population(job, persons=300, seed=6, mutations=3_000), seed=9)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, deliveries: list[Delivery]) -> Iterator[Node]:
    """A node that has taken two thirds of the deliveries."""
    folder = own_filtering_catalogue(tmp_path_factory.mktemp("catalogue"))
    with node_in(tmp_path_factory.mktemp("archive"), Catalogue.load(folder)) as node:
        node.env = {"SAMENLOOP_CATALOGUS": str(folder)}
        node.start_worker()
        asyncio.run(_deliver(node, deliveries[:2000]))
        yield node


async def _deliver(node: Node, deliveries: list[Delivery]) -> None:
    await node.publish(((d.soort, d.line) for d in deliveries), pause=0.1, every=500)
    await node.until_idle()


def command(node: Node, out: Path) -> list[str]:
    return [SAMENLOOP, "archive", "--brokers", node.brokers, "--out", str(out), "--json", "--catalogus", node.env["SAMENLOOP_CATALOGUS"]]


def archived(node: Node, out: Path) -> dict[str, Any]:
    done = subprocess.run(command(node, out), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def everything(archive: Archive) -> dict[tuple[str, int], list[Any]]:
    return {(t, p): list(archive.rows(t, p)) for t in archive.topics for p in archive.partitions(t)}


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def out(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out") / "archief"
    archived(node, folder)
    return folder


def test_every_record_is_there_with_key_value_offset_time_and_headers(node: Node, out: Path) -> None:
    archive = Archive(out)
    topics = [t for t in asyncio.run(node.topics()) if not t.endswith("-changelog")]
    found: dict[tuple[str, int], list[Any]] = {}
    for r in asyncio.run(node.records(topics)):
        found.setdefault((r.topic, r.partition), []).append((r.offset, r.timestamp, r.key, r.value, list(r.headers)))

    assert {tp: [tuple(r) for r in rows] for tp, rows in everything(archive).items()} == found
    assert {t.split(".")[0] for t in archive.topics} >= {"mutaties", "signalen", f"{APP}-verloop"}
    assert list(archive.faults()) == []
    assert archive.catalogue(node.catalogue.versie).versie == node.catalogue.versie


def test_any_avro_tool_reads_it(out: Path) -> None:
    archive = Archive(out)
    for topic in archive.topics:
        for entry in archive.files_of(topic, 0):
            with DataFileReader((out / entry.file).open("rb"), DatumReader()) as reader:
                assert reader.GetMeta("samenloop.topic") == topic.encode()
                read = [(r["offset"], r["key"], r["value"], [(h["key"], h["value"]) for h in r["headers"]]) for r in reader]
            ours = [r for r in archive.rows(topic, 0, entry.first) if r.offset <= entry.last]
            assert read == [(r.offset, r.key, r.value, r.headers) for r in ours]


def test_what_the_transactions_took_is_every_record_once_and_in_order(node: Node, out: Path) -> None:
    archive = Archive(out)
    for partition in range(PARTITIES):
        position: dict[str, int] = {}
        for row in archive.rows(f"{APP}-verloop", partition):
            verloop = decode_verloop(row.value)
            assert verloop.catalogus == node.catalogue.versie
            for taken in verloop.genomen:
                assert taken.begin == position.get(taken.topic, 0)
                position[taken.topic] = taken.end
                there = [r for r in archive.rows(taken.topic, partition, taken.begin) if r.offset < taken.end]
                assert len(there) == taken.records
        assert position == {t: archive.end(t, partition) for t in archive.topics if t.startswith("mutaties.") and archive.end(t, partition)}


@pytest.mark.parametrize("source", ["archive", "kafka"])
def test_a_replay_of_what_a_real_worker_did_is_clean(node: Node, out: Path, tmp_path: Path, source: str) -> None:
    where = ["--archive", str(out)] if source == "archive" else ["--brokers", node.brokers, "--catalogus", node.env["SAMENLOOP_CATALOGUS"]]
    done = subprocess.run(
        [SAMENLOOP, "replay", "--source", source, *where, "--data", str(tmp_path), "--json"], capture_output=True, text=True, check=False
    )
    report = json.loads(done.stdout)
    assert (done.returncode, report["findings"]) == (0, []), done.stderr
    assert report["records"] == 2_000
    assert report["same"] == sum(len(rows) for (topic, _), rows in everything(Archive(out)).items() if topic.startswith("signalen."))
    assert report["catalogues"] == [node.catalogue.versie]


def test_the_second_opinion_on_what_a_real_worker_did_is_the_same(out: Path) -> None:
    done = subprocess.run([SAMENLOOP, "verify", "--archive", str(out), "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert (told["bevindingen"], told["mutaties"], told["niet_genomen"]) == ([], 2000, 0)
    assert told["geldend"] > 100


def test_a_second_run_on_an_unchanged_log_adds_nothing(node: Node, out: Path) -> None:
    before = snapshot(out)
    again = archived(node, out)
    assert (again["records"], again["files"]) == ({}, 0)
    assert snapshot(out) == before


def test_a_changed_byte_is_found_and_its_file_named(out: Path, tmp_path: Path) -> None:
    shutil.copytree(out, tmp_path / "copy")
    archive = Archive(tmp_path / "copy")
    entry = archive.files_of("mutaties.gemeente.bijstand", 1)[0]
    file = tmp_path / "copy" / entry.file
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)

    assert [fault.split(":")[0] for fault in archive.faults()] == [entry.file]
    with pytest.raises(ArchiveError, match=f"{entry.file}: the file was changed"):
        list(archive.rows("mutaties.gemeente.bijstand", 1))
    assert list(archive.rows("mutaties.gemeente.bijstand", 0)), "the others are read as before"


DIES_AT_THE_NTH_FSYNC = """
import os, signal, sys
n, sync = int(sys.argv.pop(1)), os.fsync
def fsync(fd):
    global n
    n -= 1
    if n == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    sync(fd)
os.fsync = fsync
from samenloop.cli import main
main()
"""


def test_kill_9_leaves_nothing_half_that_counts_and_the_next_run_ends_the_work(
    node: Node, out: Path, deliveries: list[Delivery], tmp_path: Path
) -> None:
    """Killed before a file is on the disk, before its name is, before the manifest is, early and late."""
    asyncio.run(_deliver(node, deliveries[2000:]))
    killed = tmp_path / "killed"
    shutil.copytree(out, killed)
    for hit in (1, 2, 3, 32, 61):
        line = [sys.executable, "-c", DIES_AT_THE_NTH_FSYNC, str(hit), *command(node, killed)[1:]]
        assert subprocess.run(line, capture_output=True, check=False).returncode == -signal.SIGKILL
        assert list(Archive(killed).faults()) == []
    archived(node, killed)
    archived(node, out)
    assert not list(killed.rglob("*.part"))
    assert everything(Archive(killed)) == everything(Archive(out))


def test_a_line_of_the_manifest_that_was_not_finished_does_not_count(out: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(out, copy)
    with (copy / MANIFEST).open("ab") as manifest:
        manifest.write(b'{"type":"rows","file":"mut')
    assert Archive(copy).files == Archive(out).files


def test_two_at_once_are_told_apart(node: Node, out: Path) -> None:
    with (out / ".lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        refused = subprocess.run(command(node, out), capture_output=True, text=True, check=False, env=os.environ)
    assert refused.returncode == 2
    assert "another process is archiving there" in refused.stderr
