"""Judges a soak: is memory flat, lag bounded, everything accounted for and every signal right?"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

from tests.oracle import Folded, Live

MEMORY_NOISE = 16_000_000  # bytes by which an allocator may differ between the first and the last quarter after warm-up …
MEMORY_GROWTH = 0.05  # … and a share of what there is; in 30 minutes at 2,000 a second a leak of some 10 bytes a mutation is more
STATE_FACTOR = 1.5  # bytes of memory that a byte of state takes: key, value and their place in the dict
LAG_SECONDS = 10  # of input that may wait
BROKER_BYTES = 1_400_000_000  # heap of 768 MB, and what a JVM takes beside it


@dataclass(frozen=True)
class Sample:
    """One look at the node."""

    second: float
    published: int
    signals: int
    persons: int
    state_bytes: int
    worker_bytes: int  # resident memory, of all workers together
    broker_bytes: int
    lag: int  # records
    p50_ms: int  # registration to a consumer of the ontvanger, read_committed, since the last sample
    p99_ms: int


class Verdict(NamedTuple):
    """One promise, and whether it was kept."""

    promise: str
    found: str
    kept: bool


def judge_run(samples: Sequence[Sample], rate: float) -> list[Verdict]:
    """Verdicts on the samples after warm-up."""
    quarter = max(1, len(samples) // 4)
    first, last = samples[:quarter], samples[-quarter:]
    memory = median(s.worker_bytes for s in last) - median(s.worker_bytes for s in first)
    state = STATE_FACTOR * (median(s.state_bytes for s in last) - median(s.state_bytes for s in first))
    limit = MEMORY_NOISE + MEMORY_GROWTH * median(s.worker_bytes for s in first) + max(0.0, state)
    lag, broker = max(s.lag for s in samples), max(s.broker_bytes for s in samples)
    persons = {s.persons for s in last}
    return [
        Verdict("memory of the workers is flat", f"{memory / 1e6:+.1f} MB, of them {state / 1e6:+.1f} new state", memory <= limit),
        Verdict("memory of the broker is bounded", f"{broker / 1e6:.0f} MB", broker <= BROKER_BYTES),
        Verdict("lag is bounded", f"at most {lag} records, {lag / rate:.1f} s of input", lag <= LAG_SECONDS * rate),
        Verdict("the population did not grow", f"{min(persons)} to {max(persons)} persons", max(persons) <= 1.02 * min(persons)),
    ]


def judge_result(folded: Folded, wanted: set[Live], counted: int, published: int) -> list[Verdict]:
    """Verdicts on what stands at the end."""
    wrong = len(folded.live ^ wanted)
    faults = [folded.duplicates, len(folded.conflicts), len(folded.gaps), len(folded.wrong_topic)]
    return [
        Verdict("the signals are those of the recompute", f"{len(wanted)} wanted, {wrong} differ", wrong == 0 and bool(wanted)),
        Verdict("each signal came once, versions without gaps", f"{folded.messages} signals, {sum(faults)} faults", not any(faults)),
        Verdict("every mutation is accounted for", f"{counted} of {published}", counted == published),
    ]
