"""One worker: runs the app until it is told to stop, or until something happens that it may not survive."""

import asyncio
import ctypes
import gc
import os
import signal
import sys
from collections.abc import Callable
from typing import Final

import structlog

from schemas.catalogue import Catalogue
from streams.app import App, build_app
from streams.health import HealthError, serving
from streams.settings import EngineSettings

log = structlog.get_logger()

_M_MMAP_THRESHOLD: Final = -3  # glibc's malloc.h
_LARGEST_KEPT: Final = 32 << 20  # bytes; the most that glibc takes


async def run_worker(
    settings: EngineSettings, catalogue: Catalogue, stop: asyncio.Event | None = None, started: Callable[[App], None] | None = None
) -> int:
    """Run one worker; returns the exit code: 0 when stopped on purpose, 2 after a failure (a supervisor starts it again).

    ``started`` is given the app, for whoever wants to know how it fares.
    """
    stop = stop or stop_on_signals()
    _tune_gc()
    _tune_malloc()
    app = build_app(settings, catalogue)
    try:
        async with serving(app.engine, settings):
            return await _run(app, settings, stop, started)
    except HealthError as e:
        log.error("worker failed", error=str(e))  # noqa: TRY400 - it says all
        return 2


async def _run(app: App, settings: EngineSettings, stop: asyncio.Event, started: Callable[[App], None] | None) -> int:
    code = 0
    try:
        if started is not None:
            started(app)
        app.finalize()
        await _until(app, stop)
    except Exception as e:
        log.exception("worker failed", error=type(e).__name__)
        code = 2
    if not await _bounded_stop(app, settings.stop_timeout):
        log.error("worker did not stop in time", seconds=settings.stop_timeout)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code or 2)
    if not code and app.engine.failed.done():
        log.error("worker failed while it stopped", exc_info=app.engine.failed.exception())
        code = 2
    return code


def stop_on_signals() -> asyncio.Event:
    """An event that SIGINT and SIGTERM set."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


def _tune_gc() -> None:
    """Let the cyclic collector look less often: a frame makes ten thousands of short-lived objects without cycles, and the
    state is bytes, which it need not walk. With Python's thresholds it took a quarter of the time."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _tune_malloc() -> None:
    """Let glibc keep what a large buffer had: with its own threshold each fetch of megabytes has its pages from the kernel anew, page by
    page, which took a fifth of the CPU of reading the state. Where there is another malloc nothing is tuned."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGEST_KEPT)


async def _until(app: App, stop: asyncio.Event) -> None:
    """Let the app start and run until it is told to stop, or fails. Starting may take for ever: Kafka can be gone by then."""

    async def run() -> None:
        await app.start()
        await app.wait_until_stopped()

    running, stopping = asyncio.create_task(run()), asyncio.create_task(stop.wait())
    try:
        done, _ = await asyncio.wait((running, stopping, app.engine.failed), return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        if app.crash_reason is not None:
            raise app.crash_reason
    finally:
        stopping.cancel()
        running.cancel()


async def _bounded_stop(app: App, seconds: float) -> bool:
    """Whether all stopped in time. What did not is not cancelled: that would wait for the same Kafka once more."""

    async def stop() -> None:
        await app.engine.revoked()
        await app.stop()

    done, late = await asyncio.wait({asyncio.create_task(stop())}, timeout=seconds)
    for task in done:
        task.result()
    return not late
