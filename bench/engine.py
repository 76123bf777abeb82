"""The product under measurement: a worker as a user would start it, unchanged, in a process of its own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from bench.cluster import Cluster, Ends, Lag
from bench.meter import Meter, other_share
from bench.results import Figures

_SESSION_SECONDS: Final = "6"  # as for every other system of the comparison
_LIMIT_SECONDS: Final = 900


class WorkerEndedError(Exception):
    """The worker ended by itself; the text has the last lines of its log."""


class Worker:
    """Started, measured, killed and started again; it keeps its name in the consumer group."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._log = cluster.folder / "worker.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start a process."""
        settings = {
            "SAMENLOOP_CATALOGUS": str(self._cluster.catalogue_folder),
            "SAMENLOOP_SESSION_TIMEOUT": _SESSION_SECONDS,
            "SAMENLOOP_INSTANTIE": "bench-1",  # a static member, as every other system of the comparison: it takes its place back at once
        }
        command = [str(Path(sys.executable).with_name("samenloop")), "worker"]
        command += ["--brokers", self._cluster.brokers, "--data", str(self._cluster.folder)]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env={**os.environ, **settings})

    def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM, and wait until it is gone."""
        self._end(signal.SIGTERM)

    def measure(self, ends: Ends) -> Figures:
        """From the first partition that is ready to the commit of ``ends``; raises WorkerEndedError, TimeoutError."""
        assert self._process is not None
        meter, lag = Meter(self._process.pid, self._cluster.broker.pid), Lag(self._cluster, ends)
        while b"partition ready" not in self._log.read_bytes():
            self._alive()
            time.sleep(0.01)
        begin = meter.read()
        self.until_committed(ends, lag)
        end, mutations = meter.read(), sum(ends.values())
        return Figures(
            mutations_s=round(mutations / (end.wall - begin.wall)),
            cpu_s_a_million=round((end.program - begin.program) * 1e6 / mutations, 1),
            broker_cpu_s_a_million=round((end.broker - begin.broker) * 1e6 / mutations, 1),
            other_share=other_share(begin, end),
            memory_mb=meter.memory_mb(),
        )

    def until_committed(self, ends: Ends, lag: Lag | None = None) -> None:
        """Wait until the group has committed ``ends``; raises WorkerEndedError, TimeoutError."""
        lag, deadline = lag or Lag(self._cluster, ends), time.monotonic() + _LIMIT_SECONDS
        while left := lag.read():
            self._alive()
            if time.monotonic() > deadline:
                raise TimeoutError(f"{left} records are not committed after {_LIMIT_SECONDS} s")
            time.sleep(0.05)

    def _alive(self) -> None:
        assert self._process is not None
        if self._process.poll() is not None:
            raise WorkerEndedError(self._log.read_text(errors="replace")[-2_000:])

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
