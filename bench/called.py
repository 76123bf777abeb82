"""A command of the product, called as a user would, and what it took."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple


class Called(NamedTuple):
    """What came of it; the start of the process is part of what it took."""

    command: str
    exit_code: int
    said: dict[str, Any]  # with --json; nothing when it said nothing
    seconds: float
    cpu: float  # seconds of user and system time, with the processes that it started


def called(command: str, *arguments: str) -> Called:
    """Call ``samenloop`` with --json."""
    program = Path(sys.executable).with_name("samenloop")
    begin = time.perf_counter()
    process = subprocess.Popen([str(program), command, *arguments, "--json"], stdout=subprocess.PIPE)
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - begin
    return Called(command, process.returncode, json.loads(said or b"{}"), seconds, usage.ru_utime + usage.ru_stime)
