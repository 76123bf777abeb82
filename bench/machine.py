"""The machine and the versions on which was measured; no names and no places."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Final

import msgspec
import psutil

from connectors.broker.distribution import java_of
from connectors.broker.lock import KAFKA

_PACKAGES: Final = ("aiokafka", "faust-streaming", "fastavro", "msgspec", "confluent-kafka", "duckdb")


class Machine(msgspec.Struct, frozen=True):
    """What the figures depend on."""

    cores: int
    memory_gb: int
    processor: str
    system: str
    python: str
    kafka: str
    java: str
    packages: tuple[tuple[str, str], ...]


def this_machine() -> Machine:
    """The machine that this process runs on."""
    return Machine(
        cores=os.cpu_count() or 1,
        memory_gb=round(psutil.virtual_memory().total / 2**30),
        processor=_processor(),
        system=platform.system(),
        python=platform.python_version(),
        kafka=KAFKA,
        java=_java(),
        packages=tuple((p, version(p)) for p in _PACKAGES),
    )


def commit() -> str:
    """The commit that is measured; ``+`` when files differ from it."""
    root = Path(__file__).parents[1]
    said = subprocess.run(["git", "describe", "--always", "--dirty=+"], cwd=root, capture_output=True, text=True, check=False)
    return said.stdout.strip() or "unknown"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _java() -> str:
    said = subprocess.run([java_of(None), "-version"], capture_output=True, text=True, check=True).stderr
    return said.split('"')[1]
