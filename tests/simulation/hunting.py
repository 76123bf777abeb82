"""Running many seeds, and making a failing one short."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from time import process_time

from tests.simulation.scheduler import Event, Simulation

_MOST_TRIES = 600  # runs that shortening may take


@dataclass
class Failure:
    """A seed in which something went wrong, and the events that it takes."""

    seed: int
    message: str
    outside_only: bool
    events: Sequence[Event]

    def trace(self) -> list[str]:
        """What happens, line by line, until it goes wrong."""
        simulation = Simulation(self.seed, trace=[], outside_only=self.outside_only)
        failure = _failure_of(simulation, self.events)
        assert simulation.trace is not None
        return [*simulation.trace, str(failure)]


@dataclass
class Hunt:
    """What came of some seeds."""

    seeds: int = 0
    cpu_seconds: float = 0.0
    met: Counter[str] = field(default_factory=Counter)
    failure: Failure | None = None


def hunt(seeds: Iterable[int], *, outside_only: bool = False, wanted: str = "") -> Hunt:
    """Run seeds until one fails with a message that ``wanted`` (a regular expression) is found in."""
    found, start = Hunt(), process_time()
    for seed in seeds:
        simulation = Simulation(seed, outside_only=outside_only)
        message = _failure_of(simulation)
        found.seeds += 1
        found.met += simulation.met
        if message is not None and re.search(wanted, message):
            found.failure = Failure(seed, message, outside_only, simulation.happened)
            break
    found.cpu_seconds = process_time() - start
    return found


def shorten(failure: Failure) -> Failure:
    """The same failure with fewer events: what can be left out, in ever smaller pieces, is left out."""
    kind, events, tries = _kind(failure.message), list(failure.events), 0
    size = len(events) // 2
    while size and tries < _MOST_TRIES:
        start = 0
        while start < len(events) and tries < _MOST_TRIES:
            fewer = events[:start] + events[start + size :]
            message = _failure_of(Simulation(failure.seed, outside_only=failure.outside_only), fewer)
            tries += 1
            if message is not None and _kind(message) == kind:
                events, failure = fewer, Failure(failure.seed, message, failure.outside_only, fewer)
            else:
                start += size
        size //= 2
    return failure


def _failure_of(simulation: Simulation, events: Sequence[Event] | None = None) -> str | None:
    try:
        simulation.run(events)
    except Exception as e:  # noqa: BLE001 - whatever goes wrong is what is looked for
        return f"{type(e).__name__}: {e}"
    return None


def _kind(message: str) -> str:
    """Failures of one kind differ in numbers and names only."""
    return re.sub(r"\d+|mutaties\.\S+|klok-\d", "#", message)
