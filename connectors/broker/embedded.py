"""The embedded broker: a real Apache Kafka in KRaft mode on loopback, with its data in a directory of its own."""

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from io import BufferedWriter
from pathlib import Path
from types import MappingProxyType
from typing import Final

from connectors.broker.distribution import Distribution, distribution
from connectors.broker.guard import STOP_SECONDS, end
from connectors.broker.lock import KAFKA
from connectors.broker.running import RunningBroker, last_run, running, take
from connectors.broker.settings import properties

START_SECONDS: Final = 60.0
_API_VERSIONS: Final = struct.pack(">ihhih", 10, 18, 0, 1, -1)  # length, key, version, correlation id, no client id


class BrokerError(Exception):
    """The embedded broker cannot do what was asked; the text says why and where to look."""


class EmbeddedBroker:
    """Starts and stops the broker of a data directory. Data stay between runs; two brokers on one directory are refused."""

    def __init__(
        self,
        data: Path,
        *,
        port: int | None = None,
        java: Path | None = None,
        heap_mb: int = 768,
        settings: Mapping[str, str] = MappingProxyType({}),  # of Kafka, on top of ours
    ) -> None:
        self._home = (data / "kafka").absolute()
        self._port = port
        self._java = java
        self._heap_mb = heap_mb
        self._settings = settings
        self._program: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """The broker's log file."""
        return self._home / "kafka.log"

    def start(self, *, detached: bool = False) -> RunningBroker:
        """Start and wait until it answers; ``detached`` lets it live on after this process. Raises BrokerError."""
        try:
            self._program, broker_port, controller_port = self._begin(detached=detached)
        except OSError as e:
            raise BrokerError(f"{e.filename or self._home} cannot be used: {e.strerror or e}") from e
        running = RunningBroker(self._program.pid, f"127.0.0.1:{broker_port}", controller_port, KAFKA)
        try:
            self._wait(broker_port)
        except BaseException:
            self.stop()
            raise
        (self._home / "broker.json").write_text(json.dumps(asdict(running)))
        return running

    def stop(self) -> None:
        """Stop the broker that this object started; does nothing when it has none."""
        if self._program is None:
            return
        program, self._program = self._program, None
        if program.stdin is None:
            end(program)
            return
        program.stdin.close()  # the guard sees it and ends Kafka
        try:
            program.wait(STOP_SECONDS + 5)
        except subprocess.TimeoutExpired:
            program.kill()
            program.wait()

    def __enter__(self) -> RunningBroker:
        """Start."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    def _begin(self, *, detached: bool) -> tuple["subprocess.Popen[bytes]", int, int]:
        self._home.mkdir(parents=True, exist_ok=True)
        kafka = distribution(self._java)
        with _locked(self._home) as lock:
            broker_port, controller_port = self._ports()
            config = self._home / "server.properties"
            places = properties(broker_port=broker_port, controller_port=controller_port, log_dir=str(self._home / "data"))
            config.write_text(places + "".join(f"{k}={v}\n" for k, v in self._settings.items()))
            self._format(kafka, config)
            return self._launch(kafka, config, lock.fileno(), detached=detached), broker_port, controller_port

    def _ports(self) -> tuple[int, int]:
        """Those of the last run while they are free, so that clients find the broker again; else new ones."""
        last = last_run(self._home)
        if self._port is not None:
            if not _is_free(self._port):
                raise BrokerError(f"port {self._port} is taken by another program: name another one, or none")
            return self._port, _free_port()
        if last is not None and _is_free(last.port) and _is_free(last.controller_port):
            return last.port, last.controller_port
        return _free_port(), _free_port()

    def _format(self, kafka: Distribution, config: Path) -> None:
        if (self._home / "data" / "meta.properties").exists():
            return
        cluster = os.urandom(16).hex()[:22]
        command = kafka.command("kafka.tools.StorageTool", "format", "--cluster-id", cluster, "--config", str(config))
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise BrokerError(f"{self._home / 'data'} could not be made ready for Kafka: {done.stderr.strip()[-500:]}")

    def _launch(self, kafka: Distribution, config: Path, lock: int, *, detached: bool) -> "subprocess.Popen[bytes]":
        options = (
            f"-Xmx{self._heap_mb}m",
            f"-Xms{self._heap_mb // 2}m",
            "-XX:+UseG1GC",
            "-Dorg.slf4j.simpleLogger.showDateTime=true",
            "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=info",
        )
        command = kafka.command("kafka.Kafka", str(config), options=options)
        with self.log.open("ab") as log:
            if detached:
                return _popen(command, log, lock)
            guarded = [sys.executable, "-m", "connectors.broker.guard", str(lock), *command]
            return _popen(guarded, log, lock, stdin=subprocess.PIPE)

    def _wait(self, port: int) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._program is None or self._program.poll() is not None:
                raise BrokerError(f"Kafka ended while it started; the last lines of {self.log}:\n{self._tail()}")
            if _answers(port):
                return
            time.sleep(0.05)
        raise BrokerError(f"Kafka did not answer within {START_SECONDS:.0f} s; see {self.log}")

    def _tail(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join([line for line in lines if not line.startswith("\tat ")][-15:])


def stop_running(data: Path) -> RunningBroker | None:
    """Stop the broker that runs in a data directory, whoever started it; returns it, or None when there was none."""
    found = running(data)
    if found is None:
        return None
    os.kill(_kafka_pid(found.pid), signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while running(data) is not None:
        if time.monotonic() > deadline:
            raise BrokerError(f"the broker with pid {found.pid} did not stop within {STOP_SECONDS} s")
        time.sleep(0.1)
    return found


def _kafka_pid(pid: int) -> int:
    """The JVM behind ``pid``: itself, or the only child of its guard."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return pid
    return int(children[0]) if children else pid


def _popen(command: list[str], log: BufferedWriter, lock: int, stdin: int = subprocess.DEVNULL) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603
        command, stdin=stdin, stdout=log, stderr=subprocess.STDOUT, pass_fds=[lock], start_new_session=True
    )


class _locked:  # noqa: N801 - reads as the verb that it is
    """An open lock file. Whoever inherits it holds it too: it is free again when the last of them has ended, never stale."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._file = (home / "lock").open("ab")

    def __enter__(self) -> BufferedWriter:
        deadline = time.monotonic() + STOP_SECONDS
        while not take(self._file):
            last = last_run(self._home)
            if last is None or last.lives or time.monotonic() > deadline:
                self._file.close()
                raise BrokerError(f"a broker already runs in {self._home}{f' with pid {last.pid} on {last.bootstrap}' if last else ''}")
            time.sleep(0.05)  # its guard was killed; the Kafka behind it is on its way out
        return self._file

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _is_free(port: int) -> bool:
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def _answers(port: int) -> bool:
    """Whether a Kafka answers an ApiVersions request there."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as s:
            s.sendall(_API_VERSIONS)
            head = s.recv(8)
    except OSError:
        return False
    return len(head) == 8 and struct.unpack(">ii", head)[1] == 1
