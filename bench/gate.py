"""The correctness gate: a figure counts only when the signals that stand are those of the recompute."""

from collections.abc import Set as AbstractSet

from bench.cluster import Cluster
from tests.oracle import Folded, Live, fold


def fault_of(folded: Folded, wanted: AbstractSet[Live]) -> str | None:
    """What is wrong with the signals, in numbers; None when they are exactly what the recompute says."""
    wrong = {
        "missing": len(wanted - folded.live),
        "not due": len(folded.live - wanted),
        "twice": folded.duplicates,
        "conflicting": len(folded.conflicts),
        "with gaps": len(folded.gaps),
        "on a wrong topic": len(folded.wrong_topic),
    }
    return ", ".join(f"{n} {what}" for what, n in wrong.items() if n) or None


def check(cluster: Cluster, wanted: AbstractSet[Live]) -> tuple[str | None, int]:
    """(fault or None, signals) of what stands on the topics of the ontvangers."""
    folded = fold(cluster.signals())
    return fault_of(folded, wanted), folded.messages
