"""Commands that cannot reach Kafka say so in one line."""

import subprocess
import sys
from pathlib import Path

import pytest

NOBODY = "127.0.0.1:1"


@pytest.mark.parametrize(
    "args",
    [
        ("signals", "Amsterdam"),
        ("explain", "--why-not", "K", "--ontvanger", "0363"),
        ("topics", "diff"),
        ("quarantine", "list"),
        ("hit-rates",),
    ],
    ids=" ".join,
)
def test_a_broker_that_is_not_there_is_one_line_on_stderr_and_exit_code_2(args: tuple[str, ...]) -> None:
    command = [str(Path(sys.executable).with_name("samenloop")), *args, "--brokers", NOBODY]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("samenloop: Kafka: ")
    assert NOBODY.split(":", maxsplit=1)[0] in line
