"""CPU time of a program, of the broker and of everybody else on the machine, between two moments."""

import os
import time
from typing import NamedTuple

import psutil


class Reading(NamedTuple):
    """The clocks at one moment, in seconds."""

    wall: float
    program: float
    broker: float
    machine: float  # all processes, on all cores
    own: float  # the benchmark's process


class Meter:
    """Reads the clocks of one program beside one broker."""

    def __init__(self, program: int, broker: int) -> None:
        self._program = program
        self._broker = broker

    def read(self) -> Reading:
        """The clocks now."""
        busy = psutil.cpu_times()
        machine = busy.user + busy.system + busy.nice + busy.irq + busy.softirq
        return Reading(time.perf_counter(), cpu_of(self._program), cpu_of(self._broker), machine, time.process_time())

    def memory_mb(self) -> int:
        """Resident memory of the program now."""
        return round(psutil.Process(self._program).memory_info().rss / 1e6)


def other_share(begin: Reading, end: Reading) -> float:
    """The share of the machine that went to others than program, broker and benchmark: it says how noisy a measurement was."""
    known = end.program - begin.program + end.broker - begin.broker + end.own - begin.own
    return round(max(0.0, end.machine - begin.machine - known) / (end.wall - begin.wall) / (os.cpu_count() or 1), 3)


def cpu_of(pid: int) -> float:
    """User and system time of a process and its children."""
    process = psutil.Process(pid)
    return sum(sum(p.cpu_times()[:2]) for p in (process, *process.children(recursive=True)))
