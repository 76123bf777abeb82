"""Jobs in processes of their own: how much they have done can be seen, and they can be told to stop."""

import gc
import multiprocessing
import signal
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, wait
from types import TracebackType
from typing import Any, Final, Self, TypeVar

_J = TypeVar("_J")
_R = TypeVar("_R")

_SPAWN: Final = multiprocessing.get_context("spawn")  # polars has threads: a fork of this process could hang
_TICK: Final = 0.2  # seconds


class Shared:
    """What all processes have in common."""

    def __init__(self, counters: int) -> None:
        self.stop = _SPAWN.Event()
        self.done = _SPAWN.Array("q", counters)


class Pool:
    """Runs jobs on some processes, 0 for this one, until the end of the block; a function gets the job and what is shared."""

    def __init__(self, processes: int, shared: Shared) -> None:
        self._shared = shared
        self._executor = None if processes == 0 else ProcessPoolExecutor(processes, _SPAWN, _begin, (shared,))

    def __enter__(self) -> Self:
        """Processes start with their first job."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """An interruption is passed on as a wish to stop; what runs is waited for."""
        if error is not None:
            self._shared.stop.set()
        if self._executor is not None:
            self._executor.shutdown(cancel_futures=True)

    def map(self, work: Callable[[_J, Shared], _R], jobs: Iterable[_J], tick: Callable[[], None] = lambda: None) -> list[_R]:
        """What ``work`` makes of each job, in their order; ``tick`` is called now and then."""
        if self._executor is None:
            return [work(job, self._shared) for job in jobs]
        futures = [self._executor.submit(_run, work, job) for job in jobs]
        while wait(futures, _TICK).not_done:
            tick()
        return [f.result() for f in futures]


_here: Shared | None = None


def _begin(shared: Shared) -> None:
    global _here  # noqa: PLW0603 - a process gets what it shares once, when it starts
    _here = shared
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)  # what a job holds is large and has no cycles
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started it has it too, and tells


def _run(work: Callable[[Any, Shared], _R], job: Any) -> _R:  # noqa: ANN401
    assert _here is not None  # noqa: S101 - set when the process started
    return work(job, _here)
