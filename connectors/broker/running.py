"""Which broker runs in a data directory: a lock that never goes stale says whether one does, a file where it is."""

import fcntl
import json
import os
from dataclasses import dataclass
from io import BufferedWriter
from pathlib import Path


@dataclass(frozen=True)
class RunningBroker:
    """A broker that runs in a data directory."""

    pid: int
    bootstrap: str
    controller_port: int
    version: str

    @property
    def port(self) -> int:
        """Port of the broker on loopback."""
        return int(self.bootstrap.rsplit(":", 1)[1])

    @property
    def lives(self) -> bool:
        """Whether there is a process of its number."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
        return True


def running(data: Path) -> RunningBroker | None:
    """The broker that runs in a data directory, or None."""
    home = data / "kafka"
    if not (home / "lock").exists():
        return None
    with (home / "lock").open("ab") as f:
        if take(f):
            return None
    return last_run(home)


def take(file: BufferedWriter) -> bool:
    """Whether the lock was free, and is now held by whoever has ``file`` open or inherits it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def last_run(home: Path) -> RunningBroker | None:
    """The broker that ran in ``home`` last, or runs there; None when there was none."""
    try:
        return RunningBroker(**json.loads((home / "broker.json").read_text()))
    except (OSError, ValueError, TypeError):
        return None
