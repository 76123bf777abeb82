"""Kafka Streams on the same broker, by the comparison's own harness: called as it is, in a folder outside this project."""

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from bench.cluster import Cluster
from bench.results import Figures, Run, gated


class Peers:
    """The harness in ``folder``; what its set-up made is found where its README says: in ``$PEER_WORK``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.work = Path(os.environ.get("PEER_WORK", str(Path(tempfile.gettempdir()) / "peers")))
        self._python = os.environ.get("PEER_PY", str(self.work / "vm/bin/python"))
        if not Path(self._python).exists():
            raise FileNotFoundError(f"{self._python}: run the set-up of the harness first, or say with PEER_WORK where it is")

    def data(self, size: str) -> Path:
        """The Parquet file of a data set, made by the harness's own generator when it is not there yet."""
        said = self._call("gen.py", size)
        return Path(said.split()[-1])

    def run(self, cluster: Cluster, system: str, size: str, *, full: bool) -> Run:
        """One run of ``system``; ``full`` adds latency and recovery."""
        results, pid = cluster.folder / "peers", cluster.folder / "broker.pid"
        results.mkdir(exist_ok=True)
        pid.write_text(str(cluster.broker.pid))
        env = {"PEER_BOOTSTRAP": cluster.brokers, "PEER_BROKER_PIDFILE": str(pid), "PEER_RESULTS": str(results)}
        known = set(results.iterdir())
        self._call("bench.py", "run", "-s", system, "-d", size, "-n", "1", "--full", "all" if full else "none", **env)
        (new,) = set(results.iterdir()) - known
        return _run(json.loads(new.read_text()))

    def _call(self, *arguments: str, **env: str) -> str:
        own = {"PEER_WORK": str(self.work), "PEER_PY": self._python}
        command = [self._python, *arguments]
        done = subprocess.run(command, cwd=self.folder, env={**os.environ, **own, **env}, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"the harness ended with {done.returncode}: {done.stderr[-2_000:]}")
        return done.stdout


def _run(row: dict[str, Any]) -> Run:
    if row["verdict"] != "OK":
        return Run(row["system"], row["events"], row["verdict"] + row.get("error", ""))
    latency, recovery = row.get("latency_ms") or {}, row.get("recovery_s") or {}
    figures = Figures(
        mutations_s=row["events_s"],
        cpu_s_a_million=row["cpu_s_per_M"],
        broker_cpu_s_a_million=row["broker_cpu_s_per_M"],
        other_share=row["other_cpu_share"],
        memory_mb=round(row["peak_rss_mb"]),
        signals=row["check"]["outputs"],
        latency_p50_ms=latency.get("p50"),
        latency_p99_ms=latency.get("p99"),
        recovery_first_s=recovery.get("first"),
        recovery_all_s=recovery.get("all_partitions"),
    )
    return gated(row["system"], row["events"], None, figures)
