"""The script ``run``: which Python it gives to uv, and where that keeps what it compiled."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_behind_a_shim_uv_is_given_the_python_that_it_finds_there_itself(tmp_path: Path) -> None:
    """Pyenv puts a script named python3 on the path; uv then warned at every command that its own environment has another Python."""
    program(tmp_path / "python3", f'exec "{sys.executable}" "$@"')
    program(tmp_path / "uv", 'echo "$UV_PYTHON $*, called as $SAMENLOOP_CALLED_AS"')
    env = {**os.environ, "PATH": f"{tmp_path}:/usr/bin:/bin"}
    done = subprocess.run([ROOT / "run", "topics", "diff"], env=env, capture_output=True, text=True, check=True)
    synced, ran = done.stdout.splitlines()
    assert synced.startswith(f"{sys.executable} sync ")
    assert ran == f"{sys.executable} run --frozen --no-sync samenloop topics diff, called as {ROOT / 'run'}"


def test_python_keeps_what_it_compiled_also_where_it_may_not_write_beside_the_sources(tmp_path: Path) -> None:
    """In many images PYTHONDONTWRITEBYTECODE is set: each command then compiled all its libraries anew, which took it most of its time."""
    program(tmp_path / "uv", 'echo "kept in $PYTHONPYCACHEPREFIX, forbidden: ${PYTHONDONTWRITEBYTECODE-no}"')
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([ROOT / "run", "topics", "diff"], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"kept in {ROOT}/.samenloop/bytecode, forbidden: no"] * 2
