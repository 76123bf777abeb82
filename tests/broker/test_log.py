"""The logs of a real node: checkpoints on their topic, an ontvanger that countersigns, and an archive in which a change is named."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from bench.catalogues import own_filtering_catalogue
from connectors.bronnen.population import Delivery, population, shuffled
from schemas.catalogue import Catalogue
from schemas.checkpoints import CHECKPOINTS
from schemas.sources import PLAIN, overdrachten_topic
from streams.audit.archive import Archive
from streams.proof.checkpoint import checkpoint_of
from streams.proof.note import note_of
from tests.broker.test_archive import DIES_AT_THE_NTH_FSYNC
from tests.kept import change_rows
from tests.node import Node, node_in, remade

SAMENLOOP = str(Path(sys.executable).with_name("samenloop"))
NAME = "knooppunt.example/log"


@pytest.fixture(scope="module")
def deliveries(job: Catalogue) -> list[Delivery]:
    return shuffled(population(job, persons=60, seed=6, mutations=600), seed=9)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    folder = own_filtering_catalogue(tmp_path_factory.mktemp("catalogue"))
    with node_in(tmp_path_factory.mktemp("log"), Catalogue.load(folder)) as node:
        node.env = {"SAMENLOOP_CATALOGUS": str(folder)}
        node.start_worker()
        yield node


async def deliver(node: Node, deliveries: list[Delivery]) -> None:
    await node.publish(((d.soort, d.line) for d in deliveries), pause=0.1, every=100)
    await node.until_idle()


class Auditor:
    """Who keeps the logs and the archive of a node, and the ontvanger that countersigns."""

    def __init__(self, node: Node, folder: Path, name: str) -> None:
        self.node, self.folder, self.name = node, folder, name
        self.logs, self.archive, self.ontvanger = folder / "logs", folder / "archive", folder / "ontvanger"
        self.run("key", name, "--out", folder / "log.key", broker=False)
        self.run("key", "amsterdam.example", "--out", folder / "gm.key", "--cosigner", broker=False)

    def run(self, *arguments: object, broker: bool = True, group: str = "log") -> "subprocess.CompletedProcess[str]":
        where = ["--brokers", self.node.brokers] if broker else []
        command = [SAMENLOOP, group, *map(str, arguments), *where]
        environment = {"SAMENLOOP_CATALOGUS": self.node.env["SAMENLOOP_CATALOGUS"]}
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)

    def checkpoint(self, logs: Path | None = None) -> "subprocess.CompletedProcess[str]":
        keys = ["--key", self.folder / "log.key", "--cosigner", self.folder / "gm.key.pub"]
        return self.run("checkpoint", *keys, "--logs", logs or self.logs, "--json")

    def killed_at(self, fsync: int) -> int:
        """The same, killed before so many things are on the disk; the exit code."""
        line = ["log", "checkpoint", "--key", str(self.folder / "log.key"), "--logs", str(self.logs), "--brokers", self.node.brokers]
        return subprocess.run([sys.executable, "-c", DIES_AT_THE_NTH_FSYNC, str(fsync), *line], capture_output=True, check=False).returncode

    def cosign(self, ontvanger: str) -> "subprocess.CompletedProcess[str]":
        public, key = self.folder / "log.key.pub", self.folder / "gm.key"
        return self.run("cosign", ontvanger, "--key", key, "--log-key", public, "--logs", self.ontvanger, "--all")

    def verified(self) -> dict[str, Any]:
        keys = ["--log-key", self.folder / "log.key.pub", "--cosigner", self.folder / "gm.key.pub"]
        done = self.run("verify", "--archive", self.archive, "--logs", self.logs, *keys, "--json", broker=False)
        assert not done.stderr
        result: dict[str, Any] = json.loads(done.stdout)
        assert done.returncode == (1 if result["findings"] else 0)
        return result


def told(done: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def records(node: Node) -> int:
    topics = [t for t in asyncio.run(node.topics()) if t.startswith(("mutaties.", "signalen.")) or t in {*PLAIN, "quarantaine"}]
    return len(asyncio.run(node.records([*topics, f"{node.app}-verloop", overdrachten_topic(node.app)])))


def test_what_a_node_took_and_sent_is_signed_countersigned_archived_and_every_change_of_it_is_named(
    node: Node, deliveries: list[Delivery], tmp_path: Path
) -> None:
    auditor = Auditor(node, tmp_path, NAME)
    asyncio.run(deliver(node, deliveries[:400]))
    first = told(auditor.checkpoint())
    assert first["records"] == records(node) > 400
    assert first["published"] == first["logs"]
    ontvanger = next(t for t in asyncio.run(node.topics()) if t.startswith("signalen.") and asyncio.run(node.records([t])))
    assert f"{NAME}/{ontvanger}/0: it holds what was received" in auditor.cosign(ontvanger.removeprefix("signalen.")).stdout

    asyncio.run(deliver(node, deliveries[400:]))
    for fsync in (1, 20):  # killed before the first checkpoint is on the disk, and with some that are and none published
        assert auditor.killed_at(fsync) == -signal.SIGKILL
    second = told(auditor.checkpoint())
    assert second["published"] > 20
    assert second["records"] < records(node) - first["records"], "what was on the disk counts"
    assert told(auditor.checkpoint()) == second | {"records": 0, "published": 0}, "nothing is new"
    on_topic = [checkpoint_of(note_of(r.value).text) for r in asyncio.run(node.records([CHECKPOINTS]))]
    assert len({c.origin for c in on_topic}) == second["logs"]

    done = auditor.cosign(ontvanger.removeprefix("signalen."))
    assert done.returncode == 0, done.stderr
    assert "other logs: they only grew" in done.stdout

    assert auditor.run("--out", auditor.archive, group="archive").returncode == 0
    clean = auditor.verified()
    assert (clean["findings"], clean["covered"], clean["later"]) == ([], records(node), 0)
    assert clean["cosigned"]["amsterdam.example"] >= second["logs"]

    told(auditor.checkpoint())  # it takes the countersignatures from the topic
    rows, proof = list(Archive(auditor.archive).rows(ontvanger, 0)), tmp_path / "tlog-proof"
    auditor.run("prove", f"{ontvanger}-0@{rows[-1].offset}", "--logs", auditor.logs, "--countersigned", "--out", proof)
    public = ["--log-key", tmp_path / "log.key.pub", "--cosigner", tmp_path / "gm.key.pub"]
    shown = told(auditor.run("check", proof, *public, "--json", broker=False))
    assert (shown["offset"], shown["value"].encode(), shown["cosigners"]) == (rows[-1].offset, rows[-1].value, ["amsterdam.example"])

    change_rows(auditor.archive, ontvanger, 0, lambda rows: [rows[0]._replace(value=b"{}"), *rows[1:]])
    (finding,) = auditor.verified()["findings"]
    assert (finding["kind"], finding["topic"], finding["partition"], finding["first"]) == ("changed", ontvanger, 0, rows[0].offset)


async def rewritten(node: Node, topic: str, number: int) -> None:
    """Delete a topic, and fill it with other records than it had."""
    await remade(node, [topic])
    producer = AIOKafkaProducer(bootstrap_servers=node.brokers)
    await producer.start()
    for i in range(number):
        await producer.send_and_wait(topic, b"another %d" % i, partition=0)
    await producer.stop()


def test_a_history_that_was_rewritten_in_kafka_is_not_signed(node: Node, tmp_path: Path) -> None:
    """Not when the logs are made anew from it, nor does an ontvanger countersign what it did not receive."""
    auditor = Auditor(node, tmp_path, "knooppunt.example/other")
    signed = told(auditor.checkpoint())
    again = told(auditor.checkpoint(tmp_path / "again"))
    assert (again["records"], again["published"]) == (signed["records"], 0), "from the same history the same logs are made"
    ontvanger = next(p.parent.parent.name for p in sorted(auditor.logs.glob("signalen.*/0/checkpoint")))
    size = checkpoint_of(note_of((auditor.logs / ontvanger / "0" / "checkpoint").read_bytes()).text).size

    node.stop_workers()
    asyncio.run(rewritten(node, ontvanger, size + 1))

    refused = auditor.checkpoint(tmp_path / "anew")
    assert refused.returncode == 2
    assert (
        f"{auditor.name}/{ontvanger}/0: what Kafka holds does not go on from the checkpoint of size {size}: nothing was signed"
        in refused.stderr
    )
    done = auditor.cosign(ontvanger.removeprefix("signalen."))
    assert done.returncode == 1
    assert f"{auditor.name}/{ontvanger}/0: what Kafka holds does not make the checkpoint of size {size}" in done.stderr
