"""Crash points: in the engine each stands where its name says, and only the test setting makes it one."""

import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from streams.crash_points import SETTING, Point, armed

STREAMS = Path(__file__).parents[2] / "streams"
PASS_THREE_TIMES = "from streams.crash_points import crash_point\nfor i in range(3): print(i, flush=True); crash_point('after-begin')"


def test_every_point_stands_once_in_the_engine() -> None:
    passed = [name for p in STREAMS.glob("*.py") for name in re.findall(r'crash_point\("([a-z-]+)"\)', p.read_text())]
    assert sorted(passed) == sorted(get_args(Point))


def run(**env: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-c", PASS_THREE_TIMES], env=env, capture_output=True, text=True, timeout=30, check=False)


def test_without_the_setting_or_at_another_point_nothing_happens() -> None:
    assert run().stdout.split() == run(**{SETTING: "after-fold"}).stdout.split() == ["0", "1", "2"]


@pytest.mark.parametrize(("setting", "passed"), [("after-begin", ["0"]), ("after-begin:2", ["0", "1"])])
def test_the_process_is_killed_at_the_hit_that_the_setting_names(setting: str, passed: list[str]) -> None:
    ended = run(**{SETTING: setting})
    assert ended.returncode == -signal.SIGKILL
    assert ended.stdout.split() == passed


def test_an_unknown_point_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no point after-lunch; there are: after-fold"):
        armed({SETTING: "after-lunch"})
