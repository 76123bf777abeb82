"""What an invocation measures, part after part."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bench.growth import growth
from bench.peers import Peers
from bench.publishing import publishing
from bench.results import Finding
from bench.rounds import rounds
from bench.state import state
from schemas.catalogue import Catalogue


class Part(StrEnum):
    """What can be measured by itself."""

    STATE = "state"
    PUBLISH = "publish"
    ROUNDS = "rounds"
    GROWTH = "growth"


@dataclass(frozen=True)
class Plan:
    """``full`` rounds have latency and recovery; ``work`` holds what is prepared once."""

    parts: tuple[Part, ...]
    size: str
    rounds: range
    peers: Peers | None
    full: bool
    lines: int  # to publish
    work: Path

    def measure(self) -> Iterator[Finding]:
        """What was found, as soon as it is."""
        if Part.STATE in self.parts:
            yield state(Catalogue.load())
        if Part.PUBLISH in self.parts:
            yield publishing(self.lines)
        if Part.ROUNDS in self.parts:
            yield from rounds(self.size, self.rounds, self.peers, self.work, full=self.full)
        if Part.GROWTH in self.parts:
            yield from growth()
