"""A worker that starts while Kafka answers nothing still ends when it is told to."""

import asyncio
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from streams.log import NotTakenError
from streams.settings import EngineSettings
from streams.worker import _run

WORKER = """
import asyncio, sys
from pathlib import Path
from samenloop.logs import log_to
from schemas.catalogue import Catalogue
from streams.settings import EngineSettings
from streams.worker import run_worker
log_to(sys.stdout, "info")
settings = EngineSettings(sys.argv[1], "silent", 4, datadir=Path(sys.argv[2]), http="127.0.0.1:0")
sys.exit(asyncio.run(run_worker(settings, Catalogue.load())))
"""


def test_sigterm_ends_a_worker_that_waits_for_a_kafka_that_answers_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        command = [sys.executable, "-c", WORKER, f"127.0.0.1:{silent.getsockname()[1]}", str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker:
            try:
                assert worker.stdout is not None
                assert re.search("kern=(native|python)", worker.stdout.readline())
                assert "health is told" in worker.stdout.readline()
                silent.accept()  # it has come, and waits
                worker.send_signal(signal.SIGTERM)
                assert worker.wait(10) in {0, 2}
            finally:
                worker.kill()


async def test_what_fails_while_a_worker_stops_is_said_and_is_no_success(tmp_path: Path) -> None:
    """Its last transaction is refused, say, because a rule was withdrawn."""
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()

    async def revoked() -> None:
        failed.set_exception(NotTakenError("Kafka refused what was sent to signalen.gm0363"))

    async def forever() -> None:
        await asyncio.Event().wait()

    async def stopped() -> None: ...

    app: Any = SimpleNamespace(
        engine=SimpleNamespace(failed=failed, revoked=revoked),
        finalize=lambda: None,
        start=forever,
        wait_until_stopped=forever,
        stop=stopped,
        crash_reason=None,
    )
    stop.set()
    assert await _run(app, EngineSettings("127.0.0.1:1", "x", 4, tmp_path), stop, None) == 2
