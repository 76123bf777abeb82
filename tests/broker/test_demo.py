"""The demo, as somebody who has just cloned the project runs it: to its end, and when its worker cannot run."""

import os
import socket
import subprocess
from pathlib import Path

from connectors.broker.running import running
from tests.broker.test_commands import CLI


def demo(data: Path, *args: str, **env: str) -> "subprocess.CompletedProcess[str]":
    command = [CLI, "demo", "--exit", "--data", str(data), *args]
    done = subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True, timeout=120, check=False)
    assert "Traceback" not in done.stderr
    assert running(data / "demo") is None, "its Kafka is gone"
    return done


def test_a_demo_shows_signals_and_says_what_to_try_next(tmp_path: Path) -> None:
    done = demo(tmp_path, "--persons", "40", "--months", "2", SAMENLOOP_CALLED_AS="./run")
    assert (done.returncode, done.stderr) == (0, "")
    assert "NIEUW" in done.stdout
    moved = done.stdout.split("another BSN", 1)[1]
    assert min(moved.count("VERVALLEN"), moved.count("NIEUW")) > 0, "what stood is withdrawn, and issued again"
    assert f"SAMENLOOP_DATA={tmp_path} ./run follow gm" in done.stdout


def test_a_demo_whose_worker_cannot_run_says_why_and_where_its_log_is(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = demo(tmp_path, "--persons", "5", SAMENLOOP_HTTP=address)
    assert done.returncode == 2
    assert done.stderr.startswith(f"samenloop: the worker failed: cannot listen on {address}")
    assert done.stderr.endswith(f"its log is {tmp_path}/demo/worker.log\n")
