"""The embedded broker: keeps its data, refuses a second, and never outlives its parent."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path

import pytest
from jgo.maven import MavenContext

from connectors.broker.distribution import DistributionError, distribution, java_of
from connectors.broker.embedded import BrokerError, EmbeddedBroker, _locked
from connectors.broker.running import RunningBroker, running, take

CLI = str(Path(sys.executable).with_name("samenloop"))


def until(true: Callable[[], bool], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def cli(*args: str, data: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [CLI, *args], env={**os.environ, "SAMENLOOP_DATA": str(data)}, capture_output=True, text=True, timeout=90, check=False
    )


def test_data_and_ports_stay_between_runs_and_a_second_broker_is_refused(tmp_path: Path) -> None:
    broker = EmbeddedBroker(tmp_path)
    first = broker.start()
    try:
        assert running(tmp_path) == first
        with pytest.raises(BrokerError, match=f"already runs .* pid {first.pid}"):
            EmbeddedBroker(tmp_path).start()
        assert cli("topics", "apply", data=tmp_path).returncode == 0
    finally:
        broker.stop()
    assert running(tmp_path) is None
    with socket.socket() as taken, EmbeddedBroker(tmp_path) as second:
        assert second.bootstrap == first.bootstrap
        assert cli("topics", "diff", data=tmp_path).returncode == 0, "the topics of the first run are there"
        listed = cli("kafka", "topics", "--list", data=tmp_path)
        assert "mutaties.gemeente.bijstand" in listed.stdout.splitlines()
        for tool in (("cluster", "cluster-id"), ("configs", "--describe", "--entity-type", "brokers"), ("kafka-features.sh", "describe")):
            said = cli("kafka", *tool, data=tmp_path)
            assert said.returncode == 0, said.stdout + said.stderr
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(BrokerError, match=f"port {taken.getsockname()[1]} is taken"):
            EmbeddedBroker(tmp_path / "other", port=taken.getsockname()[1]).start()


def test_ports_that_another_program_took_in_the_meantime_are_not_insisted_on(tmp_path: Path) -> None:
    (tmp_path / "kafka").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        last = RunningBroker(1, f"127.0.0.1:{port}", port, "4")
        (tmp_path / "kafka" / "broker.json").write_text(json.dumps(asdict(last)))
        assert port not in EmbeddedBroker(tmp_path)._ports()
    assert EmbeddedBroker(tmp_path)._ports() == (port, port), "free again, so that clients find the broker where it was"
    assert running(tmp_path) is None, "the file of a broker that is gone says nothing"


@pytest.mark.parametrize("left", ["", "{", "[]", '{"pid": 1}'])
def test_a_torn_file_of_the_last_run_does_no_harm(tmp_path: Path, left: str) -> None:
    (tmp_path / "kafka").mkdir()
    (tmp_path / "kafka" / "broker.json").write_text(left)
    assert running(tmp_path) is None
    assert len(set(EmbeddedBroker(tmp_path)._ports())) == 2


@pytest.mark.parametrize("lives", [False, True])
def test_only_a_broker_whose_guard_is_gone_is_waited_for_until_its_last_process_has_ended(tmp_path: Path, lives: bool) -> None:
    guard = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    (tmp_path / "broker.json").write_text(json.dumps(asdict(RunningBroker(guard.pid, "127.0.0.1:1", 1, "4"))))
    kafka = (tmp_path / "lock").open("ab")
    assert take(kafka)
    if not lives:
        guard.kill()
        guard.wait()
    released = threading.Timer(0.5, kafka.close)
    released.start()
    try:
        with pytest.raises(BrokerError, match=f"already runs .* pid {guard.pid}") if lives else nullcontext(), _locked(tmp_path):
            assert kafka.closed
    finally:
        released.join()
        guard.kill()
        guard.wait()


def test_kill_9_of_the_parent_leaves_no_kafka_behind_and_a_stale_file_does_no_harm(tmp_path: Path) -> None:
    program = "import sys, time; from pathlib import Path; from connectors.broker.embedded import EmbeddedBroker as B"
    program += "; B(Path(sys.argv[1])).start(); time.sleep(600)"
    parent = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)])
    try:
        assert until(lambda: running(tmp_path) is not None and (tmp_path / "kafka" / "broker.json").exists())
    finally:
        parent.kill()
        parent.wait()
    assert until(lambda: running(tmp_path) is None), "Kafka outlived its parent"
    assert (tmp_path / "kafka" / "broker.json").exists()
    with EmbeddedBroker(tmp_path) as again:
        os.kill(again.pid, signal.SIGKILL)  # the guard
        assert until(lambda: running(tmp_path) is None), "Kafka outlived its guard"


def test_ctrl_c_ends_up_with_all_that_it_started(tmp_path: Path) -> None:
    node = subprocess.Popen([CLI, "up", "--data", str(tmp_path)], stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert node.stderr is not None
        assert any("partition ready" in line for line in node.stderr)
        os.killpg(node.pid, signal.SIGINT)
        rest = node.stderr.read()
        assert node.wait(20) == 0
    finally:
        node.kill()
    assert "Traceback" not in rest
    assert "LeaveGroup request failed" not in rest, "who is cut off while taking leave is waited for, 40 seconds long"
    assert running(tmp_path) is None


def test_a_broker_started_alone_lives_on_until_it_is_stopped(tmp_path: Path) -> None:
    assert cli("broker", "status", data=tmp_path).returncode == 1
    started = cli("broker", "start", data=tmp_path)
    try:
        assert started.returncode == 0, started.stderr
        assert cli("broker", "status", data=tmp_path).returncode == 0
    finally:
        stopped = cli("broker", "stop", data=tmp_path)
    assert stopped.returncode == 0
    assert running(tmp_path) is None


def test_a_kafka_that_cannot_start_fails_at_once_with_the_end_of_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.broker.embedded.properties", lambda **_: "node.id=none\n")
    monkeypatch.setattr(EmbeddedBroker, "_format", lambda *_: None)
    with pytest.raises(BrokerError, match=r"Kafka ended while it started(.|\n)*Exception"):
        EmbeddedBroker(tmp_path).start()
    assert running(tmp_path) is None


@pytest.mark.parametrize("place", ["", "kafka", "kafka/lock/x", "kafka/server.properties/x", "kafka/kafka.log/x"])
def test_a_data_directory_that_cannot_be_used_is_named(tmp_path: Path, place: str) -> None:
    data = tmp_path / "data"
    (data / place).parent.mkdir(parents=True, exist_ok=True)
    (data / place).write_text("in the way")
    said = cli("broker", "start", data=data)
    assert said.returncode == 2
    assert re.search(rf"{re.escape(str(data))}\S* cannot be used: ", said.stderr)
    assert "Traceback" not in said.stderr


def test_a_corrupt_data_directory_fails_with_the_reason_that_kafka_gives(tmp_path: Path) -> None:
    stored = tmp_path / "kafka" / "data"
    stored.mkdir(parents=True)
    (stored / "meta.properties").write_text("garbage")
    said = cli("broker", "start", data=tmp_path)
    assert said.returncode == 2
    assert "node ID not found in" in said.stderr
    assert running(tmp_path) is None


def test_a_java_that_is_missing_or_too_old_is_named(tmp_path: Path) -> None:
    old = tmp_path / "java"
    old.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n")
    old.chmod(0o755)
    with pytest.raises(DistributionError, match="version 11, at least 17"):
        java_of(old)
    with pytest.raises(DistributionError, match="cannot be run"):
        java_of(tmp_path / "nowhere")


def test_two_processes_that_bring_kafka_at_the_same_time_both_get_it(tmp_path: Path) -> None:
    """Into an empty cache, but for the large jars, which would only take time."""
    distribution()
    here, there = MavenContext().repo_cache, tmp_path / ".m2" / "repository"
    for jar in here.rglob("*.jar"):
        if jar.stat().st_size > 100_000:
            (there / jar.relative_to(here)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(jar, there / jar.relative_to(here))
    bring = [sys.executable, "-c", "from connectors.broker.distribution import distribution; distribution()"]
    both = [subprocess.Popen(bring, env={**os.environ, "HOME": str(tmp_path)}, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [p.communicate(timeout=120)[1][-500:] for p in both]
    assert [p.returncode for p in both] == [0, 0], said


def test_an_unknown_tool_lists_those_that_there_are(tmp_path: Path) -> None:
    said = cli("kafka", "console-consumr", data=tmp_path)
    assert said.returncode == 2
    assert "console-consumer" in said.stderr
