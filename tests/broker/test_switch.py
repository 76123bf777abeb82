"""The switch-over on a real broker: killed in its middle and done again, nothing is lost or told twice, and the audit finds it right."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bench.catalogues import own_filtering_catalogue
from connectors.bronnen.population import population, shuffled
from schemas.catalogue import Catalogue
from schemas.codec import decode_signaal
from schemas.values import Signaal
from streams.crash_points import SETTING
from tests.core.test_switch import changed, with_a_soort_of_another_dienst, without_a_field, worked
from tests.kept import standing, told, versions_run_on
from tests.node import APP, PARTITIES, Node, node_in

SAMENLOOP = str(Path(sys.executable).with_name("samenloop"))
HALF = 600


class Rules(NamedTuple):
    """Two catalogues, and where they stand."""

    old: Path
    new: Path


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Rules:
    """The new rules list a field that was not kept, and give a soort to another dienst."""
    folder = tmp_path_factory.mktemp("rules")
    base = own_filtering_catalogue(folder / "base")
    changed(base, folder / "old", without_a_field)
    changed(base, folder / "new", with_a_soort_of_another_dienst)
    return Rules(folder / "old", folder / "new")


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, rules: Rules) -> Iterator[Node]:
    with node_in(tmp_path_factory.mktemp("switch"), Catalogue.load(rules.new)) as node:
        yield node


def command(node: Node, *args: str, **env: str) -> "subprocess.CompletedProcess[str]":
    own = {"SAMENLOOP_BROKERS": node.brokers, "SAMENLOOP_PARTITIES": str(PARTITIES), "SAMENLOOP_DATA": str(node.data)}
    return subprocess.run([SAMENLOOP, *args], env={**os.environ, **own, **env}, capture_output=True, text=True, timeout=90, check=False)


def switched(node: Node, rules: Rules, **env: str) -> "subprocess.CompletedProcess[str]":
    return command(node, "switch", "--catalogus", str(rules.old), "--to", str(rules.new), "--json", **env)


def archived(node: Node, catalogus: Path, out: Path) -> None:
    done = command(node, "archive", "--catalogus", str(catalogus), "--out", str(out), "--json")
    assert done.returncode == 0, done.stderr


def signals(node: Node) -> list[Signaal]:
    return [decode_signaal(value) for _, value in asyncio.run(node.signalen())]


def deliver(node: Node, catalogus: Path, deliveries: list[tuple[str, Any]]) -> None:
    node.start_worker(SAMENLOOP_CATALOGUS=str(catalogus))
    asyncio.run(node.publish(deliveries))
    asyncio.run(node.until_idle())


def test_a_switch_that_is_killed_is_done_again_and_nothing_is_lost_or_told_twice(node: Node, rules: Rules, tmp_path: Path) -> None:
    new, out = Catalogue.load(rules.new), tmp_path / "archief"
    deliveries = [(d.soort, d.line) for d in shuffled(population(new, persons=120, seed=31, mutations=2 * HALF), seed=32)]
    deliver(node, rules.old, deliveries[:HALF])
    refused = switched(node, rules)
    assert (refused.returncode, "stop them first" in refused.stderr) == (2, True)
    assert set(node.stop_workers()) == {0}

    archived(node, rules.old, out)
    foreseen = json.loads(command(node, "compare", "--to", str(rules.new), "--archive", str(out), "--json").stdout)
    before = len(signals(node))

    killed = switched(node, rules, **{SETTING: "before-commit:3"})
    assert killed.returncode == -signal.SIGKILL
    half = len(signals(node))
    worker = node.start_worker(SAMENLOOP_CATALOGUS=str(rules.new))
    assert worker.wait(60) == 2, "some partitions are not switched yet"
    assert "'switch' takes it over" in node.logs()[-1]

    done = switched(node, rules)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["partitions"] == PARTITIES - 2
    again = json.loads(switched(node, rules).stdout)
    assert (again["partitions"], again["messages"]) == (0, 0)

    said = [s for s in signals(node) if s.oorzaak.topic == f"{APP}-verloop"]
    assert before < half < len(signals(node)) == before + len(said)
    assert {(c["signaal_id"], c["versie"], c["soort"]) for c in foreseen["changes"]} == {(s.signaal_id, s.versie, s.soort) for s in said}
    assert standing(signals(node)) == standing(told(worked(new, deliveries[:HALF])))

    deliver(node, rules.new, deliveries[HALF:])
    node.workers[-1].send_signal(signal.SIGTERM)
    assert node.workers[-1].wait(15) == 0
    assert versions_run_on(signals(node))
    assert standing(signals(node)) == standing(told(worked(new, deliveries)))

    archived(node, rules.new, out)
    proved = command(node, "replay", "--archive", str(out), "--json")
    assert proved.returncode == 0, proved.stdout + proved.stderr
    assert json.loads(proved.stdout)["same"] == len(signals(node))
