"""What an invocation shall measure."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from bench.peers import Peers
from bench.results import FLOOR, STREAMS, STREAMS_BEST

BESIDE: Final = (STREAMS, STREAMS_BEST, FLOOR)


class Part(StrEnum):
    """What can be measured by itself."""

    STATE = "state"
    PUBLISH = "publish"
    ROUNDS = "rounds"
    GROWTH = "growth"
    AUDIT = "audit"


@dataclass(frozen=True)
class Plan:
    """``full`` rounds have latency and recovery; ``work`` holds what is prepared once."""

    parts: tuple[Part, ...]
    size: str
    rounds: range
    peers: Peers | None
    beside: tuple[str, ...]  # the systems that run in the same rounds
    full: bool
    lines: int  # to publish
    work: Path
