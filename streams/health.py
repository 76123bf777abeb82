"""Health of a worker over HTTP: ``/live``, ``/ready`` and ``/metrics``; nothing of a person, and nothing that can be changed.

It answers from the event loop that does the work: a loop that is stuck does not answer, which says the same as 503.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from streams.engine import Engine
from streams.settings import EngineSettings

log = structlog.get_logger()

HEARTBEAT = 1.0  # seconds


class HealthError(Exception):
    """The address of the health endpoint cannot be used."""


@asynccontextmanager
async def serving(engine: Engine, settings: EngineSettings) -> AsyncIterator[None]:
    """Answer on ``settings.http`` as long as the block runs; raises HealthError when nothing can listen there."""
    if settings.http is None:
        yield
        return
    runner = web.AppRunner(_routes(engine, settings), access_log=None, shutdown_timeout=1)
    await runner.setup()
    heart = asyncio.create_task(_beat(engine))
    try:
        await _listen(runner, settings.http)
        yield
    finally:
        heart.cancel()
        await runner.cleanup()


async def _listen(runner: web.AppRunner, address: str) -> None:
    host, _, port = address.rpartition(":")
    site = web.TCPSite(runner, host.strip("[]"), int(port))
    try:
        await site.start()
    except OSError as e:
        raise HealthError(f"cannot listen on {address}: {e.strerror or e}") from e
    host, port = runner.addresses[0][:2]
    log.info("health is told", url=f"http://{f'[{host}]' if ':' in host else host}:{port}/ready")


async def _beat(engine: Engine) -> None:
    while True:
        due = time.monotonic() + HEARTBEAT
        await asyncio.sleep(HEARTBEAT)
        engine.metrics.loop_delay.set(max(0.0, time.monotonic() - due))


def _routes(engine: Engine, settings: EngineSettings) -> web.Application:
    async def live(_: web.Request) -> web.Response:
        stuck = stuck_partitions(engine, settings)
        ok = not stuck and not engine.failed.done()
        return _answer(ok, {"live": ok, "failed": engine.failed.done(), "stuck": stuck})

    async def ready(_: web.Request) -> web.Response:
        ok = engine.is_ready
        partitions = {
            str(number): {"state": p.state.value, "percent": p.progress.percent} for number, p in sorted(engine.partitions.items())
        }
        return _answer(ok, {"ready": ok, "joined": engine.joined, "partitions": partitions})

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=engine.metrics.exposition(), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})

    app = web.Application()
    app.add_routes([web.get("/live", live), web.get("/ready", ready), web.get("/metrics", metrics)])
    return app


def stuck_partitions(engine: Engine, settings: EngineSettings) -> list[int]:
    """Partitions in a transaction that stands for twice as long as the broker lets one live: nothing will come of it any more."""
    longest = time.monotonic() - 2 * settings.transaction_timeout
    return [number for number, p in sorted(engine.partitions.items()) if p.busy_since is not None and p.busy_since < longest]


def _answer(ok: bool, said: dict[str, Any]) -> web.Response:  # noqa: FBT001 - the one thing that it is about
    return web.json_response(said, status=200 if ok else 503)
