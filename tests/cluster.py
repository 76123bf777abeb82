"""Three real brokers in one KRaft quorum on loopback, from the embedded distribution."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connectors.broker.distribution import distribution
from connectors.broker.embedded import _answers, _free_port
from connectors.broker.settings import BROKER_SETTINGS

NODES = (1, 2, 3)
REPLICATED = {
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
    "share.coordinator.state.topic.replication.factor": "3",
    "share.coordinator.state.topic.min.isr": "2",
}


class Cluster:
    """Brokers 1, 2 and 3; each can be killed."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._ports = {n: (_free_port(), _free_port()) for n in NODES}
        self.programs: dict[int, subprocess.Popen[bytes]] = {}

    @property
    def bootstrap(self) -> str:
        """All three."""
        return ",".join(f"127.0.0.1:{broker}" for broker, _ in self._ports.values())

    def start(self) -> None:
        """Start all three and wait until they answer."""
        cluster = os.urandom(16).hex()[:22]
        for n in NODES:
            self._format(n, cluster)
            self.launch(n)
        deadline = time.monotonic() + 90
        while not all(_answers(broker) for broker, _ in self._ports.values()):
            assert time.monotonic() < deadline, "the cluster did not start"
            time.sleep(0.2)

    def stop(self) -> None:
        """Kill all that run: their data are thrown away."""
        for program in self.programs.values():
            program.kill()
            program.wait()

    def _config(self, n: int) -> Path:
        return self._home / f"server-{n}.properties"

    def _format(self, n: int, cluster: str) -> None:
        broker, controller = self._ports[n]
        places = {
            "node.id": str(n),
            "listeners": f"PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{broker}",
            "controller.quorum.voters": ",".join(f"{k}@127.0.0.1:{c}" for k, (_, c) in self._ports.items()),
            "log.dirs": str(self._home / f"data-{n}"),
        }
        self._config(n).write_text("".join(f"{k}={v}\n" for k, v in {**BROKER_SETTINGS, **REPLICATED, **places}.items()))
        format_ = ("format", "--cluster-id", cluster, "--config", str(self._config(n)))
        subprocess.run(distribution().command("kafka.tools.StorageTool", *format_), check=True, capture_output=True)

    def launch(self, n: int) -> None:
        """Start one broker."""
        options = ("-Xmx320m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
        command = distribution().command("kafka.Kafka", str(self._config(n)), options=options)
        with (self._home / f"kafka-{n}.log").open("ab") as log:
            self.programs[n] = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)


@contextmanager
def a_cluster(home: Path) -> Iterator[Cluster]:
    """Three brokers."""
    cluster = Cluster(home)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
