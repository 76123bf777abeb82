"""What the benchmark found: typed values, kept as JSON; the files of several runs can be put together."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Final

import msgspec

from bench.machine import Machine

PRODUCT: Final = "samenloop"
FLOOR: Final = "librdkafka-floor"
RECOMPUTE: Final = "duckdb-recompute"
STREAMS: Final = "kafka-streams-eos-1"
STREAMS_BEST: Final = "kafka-streams-eos-1-500ms-cache"


class Figures(msgspec.Struct, frozen=True, omit_defaults=True):
    """How fast a run was.

    CPU is user and system time of the program, and of the broker beside it. Latency goes from registration to the ontvanger's
    read_committed consumer at a steady rate; recovery from the start of the next process after kill -9 to an output.
    """

    mutations_s: int
    cpu_s_a_million: float | None = None
    broker_cpu_s_a_million: float | None = None
    other_share: float | None = None  # of the machine, taken by neither program nor broker nor benchmark: the noise
    memory_mb: int | None = None
    signals: int | None = None
    latency_p50_ms: float | None = None
    latency_p99_ms: float | None = None
    recovery_first_s: float | None = None
    recovery_all_s: float | None = None  # until every partition gave an output


class Run(msgspec.Struct, frozen=True, omit_defaults=True):
    """One run of one system. A wrong result has no figures: ``gated`` refuses them."""

    system: str
    mutations: int
    fault: str | None = None
    figures: Figures | None = None


def gated(system: str, mutations: int, fault: str | None, figures: Figures) -> Run:
    """The run with its figures when its result is right, and without them when there is a ``fault``."""
    return Run(system, mutations, fault, figures if fault is None else None)


class Round(msgspec.Struct, frozen=True):
    """Runs of several systems back to back on one broker: only these are compared with each other."""

    date: str
    commit: str
    size: str
    runs: list[Run]

    def value(self, system: str, figure: str) -> float | None:
        """One figure of a system in this round, by its name in ``Figures``; None when it was not measured or is refused."""
        return next((getattr(r.figures, figure, None) for r in self.runs if r.system == system), None)


class Growth(msgspec.Struct, frozen=True):
    """The product on a variant of the workload, beside the base of the same session."""

    date: str
    commit: str
    variant: str
    run: Run
    base: Run


class State(msgspec.Struct, frozen=True):
    """Bytes of memory that the state of one persoon takes."""

    date: str
    commit: str
    records: int
    bytes_a_persoon: int


class Publishing(msgspec.Struct, frozen=True):
    """``samenloop publish`` of a file."""

    date: str
    commit: str
    lines: int
    lines_s: int
    lines_a_cpu_s: int
    fault: str | None = None


class Audit(msgspec.Struct, frozen=True):
    """``archive``, ``replay`` and ``verify`` over the workload: mutations a second, most with the start of the process."""

    date: str
    commit: str
    mutations: int
    archive_s: int
    replay_s: int
    replay_cpu_s_a_million: float
    verify_s: int
    verify_after_load_s: int  # recompute and comparison, when all is read
    fault: str | None = None


Finding = Round | Growth | State | Publishing | Audit


class Results(msgspec.Struct):
    """All that one or more invocations found on one machine."""

    machine: Machine
    rounds: list[Round] = []
    growth: list[Growth] = []
    state: list[State] = []
    publish: list[Publishing] = []
    audit: list[Audit] = []

    @property
    def faults(self) -> list[str]:
        """What was wrong; empty when every figure counts."""
        runs = [x for r in self.rounds for x in r.runs] + [x for g in self.growth for x in (g.run, g.base)]
        others = [("publish", p.fault) for p in self.publish] + [("audit", a.fault) for a in self.audit]
        return [f"{what}: {fault}" for what, fault in [*((x.system, x.fault) for x in runs), *others] if fault]

    def add(self, found: Finding) -> None:
        """Put a finding where it belongs; a round with more runs takes the place of what it was before."""
        match found:
            case Round():
                self.rounds = [r for r in self.rounds if r.date != found.date] + [found]
            case Growth():
                self.growth.append(found)
            case State():
                self.state.append(found)
            case Publishing():
                self.publish.append(found)
            case Audit():
                self.audit.append(found)

    def only(self, commit: str, size: str) -> "Results":
        """The rounds of one commit and size, with all that is not a round."""
        rounds = [r for r in self.rounds if (r.commit, r.size) == (commit, size)]
        return Results(self.machine, rounds, self.growth, self.state, self.publish, self.audit)

    def newest(self) -> "Results":
        """The rounds of the commit and size that was measured last, with all that is not a round."""
        last = max(self.rounds, key=lambda r: r.date, default=None)
        return self if last is None else self.only(last.commit, last.size)

    def middle(self, system: str, figure: str) -> float | None:
        """The median of a figure over the rounds that have it."""
        found = [v for r in self.rounds if (v := r.value(system, figure)) is not None]
        return median(found) if found else None

    def write(self, file: Path) -> None:
        """Keep as JSON."""
        file.write_bytes(msgspec.json.format(msgspec.json.encode(self)) + b"\n")


def read(files: Iterable[Path]) -> Results:
    """The results of ``files`` together; raises ValueError when they come from different machines."""
    found = [msgspec.json.decode(f.read_bytes(), type=Results) for f in files]
    if len({r.machine for r in found}) != 1:
        raise ValueError("results of different machines, or of different versions, cannot be put together")
    together = Results(found[0].machine)
    for one in found:
        together.rounds += one.rounds
        together.growth += one.growth
        together.state += one.state
        together.publish += one.publish
        together.audit += one.audit
    return together


def now() -> str:
    """The moment of a measurement."""
    return datetime.now(UTC).isoformat(timespec="seconds")
