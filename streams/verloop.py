"""What a transaction took, as the row that says so: a replay takes the same records in the same order."""

from collections.abc import Iterable, Mapping

from schemas.verloop import Taken, Verloop, encode_verloop
from streams.effects import Row
from streams.fold import Frame


def verloop_row(catalogus: str, position: Mapping[tuple[str, int], int], partition: int, frames: Iterable[Frame]) -> Row:
    """The row of a transaction that takes ``frames`` of a partition; ``position`` is where each topic was read up to before."""
    taken, at = list[Taken](), dict[str, int]()
    for topic, run in frames:
        taken.append(Taken(topic, at.get(topic, position[topic, partition]), run.following, len(run)))
        at[topic] = run.following
    return None, encode_verloop(Verloop(catalogus, tuple(taken))), []
