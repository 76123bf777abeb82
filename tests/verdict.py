"""The global assertion: what the ontvangers hold is the recompute, and of every record that came in it is known where it ended."""

from collections import Counter
from collections.abc import Collection
from pathlib import Path

from connectors.bronnen.population import Delivery
from schemas.quarantine import QUARANTAINE, Refused, read_headers
from tests.node import Node
from tests.oracle import Folded, fold, recompute


async def assert_exact(node: Node, deliveries: Collection[Delivery], work: Path, quarantined: int = 0) -> Folded:
    """Fails unless nothing was lost, doubled or made up of ``deliveries`` and ``quarantined`` more records that nobody can read.

    All bronnen of the node filter themselves, or deliver persons without a basisfeit only; a working place of DuckDB is ``work``.
    """
    folded = fold(await node.signalen())
    wanted = recompute(((d.soort, d.line) for d in deliveries), work, node.catalogue)
    missing, invented = wanted - folded.live, folded.live - wanted
    assert not missing, f"{len(missing)} of {len(wanted)} signals are missing, one of them {next(iter(missing))}"
    assert not invented, f"{len(invented)} signals should not stand, one of them {next(iter(invented))}"
    assert (folded.conflicts, folded.gaps, folded.wrong_topic) == ([], [], [])
    assert folded.duplicates == 0, "a transaction stands once"
    await _assert_accounted(node, len(deliveries) + quarantined, quarantined)
    return folded


async def _assert_accounted(node: Node, delivered: int, quarantined: int) -> None:
    """Stored, known, not kept and quarantined add up to what came in, for each topic and in all."""
    ends = await node.ends(node.sources)
    came, ended = Counter[str](), Counter[str]()
    for tp, end in ends.items():
        came[tp.topic] += end
    counts = await node.counts()
    for key, records in counts.items():
        ended[key.split(" ")[0]] += records
    assert ended == +came, "counts of the partitions beside the ends of the topics"
    assert came.total() == delivered
    held = [read_headers(r.headers) for r in await node.records([QUARANTAINE])]
    places = [h.place for h in held if isinstance(h, Refused)]
    assert len(set(places)) == len(places) == quarantined, "each record that cannot be read is in quarantine once"
    assert sum(n for key, n in counts.items() if key.endswith(f" {QUARANTAINE}")) == quarantined
