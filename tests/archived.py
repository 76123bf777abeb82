"""An archive of a worker that took records in an order that the test says, with rows that a test may change before they are archived."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec

from schemas.catalogue import Catalogue
from schemas.codec import Codec
from schemas.partitioner import partition_of
from schemas.values import Mutatie
from streams.records import run_of
from tests.kept import APP, PARTITIES, World, keep

__all__ = ["APP", "Log"]

Frame = tuple[str, list[Any]]


class Log(World):
    """Topics with their partitions, and an engine that takes what it is given."""

    def __init__(self, catalogue: Catalogue) -> None:
        super().__init__(catalogue, seed=1)
        self._codec = Codec(catalogue)

    def append(self, topic: str, partition: int, key: bytes | None, value: bytes | None, headers: Any = ()) -> Any:
        """One record at the end of a partition, which it returns."""
        super().append(topic, partition, key, value, headers)
        rows: list[Any] = self.log[topic, partition]  # type: ignore[assignment]  # as good as a Row, and can be changed
        rows[-1] = SimpleNamespace(**rows[-1]._asdict())
        return rows[-1]

    def put(self, soort: str, persoon: bytes, mutatie: Mutatie) -> tuple[int, Frame]:
        """A mutatie onto its topic; the partition, and the frame in which the engine can take it."""
        topic = f"mutaties.{soort}"
        value = self._codec.encode(self.catalogue.latest_schema(topic).id, msgspec.to_builtins(mutatie))
        partition = partition_of(persoon, PARTITIES)
        return partition, (topic, [self.append(topic, partition, persoon, value)])

    def take(self, partition: int, frames: list[Frame]) -> None:
        """One transaction of the engine."""
        self._transact(partition, [(topic, run_of(records)) for topic, records in frames])

    def deliver(self, deliveries: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """Publish lines, and take them."""
        self.publish(deliveries)
        self.work()

    def archive(self, folder: Path, kept: Callable[[str, int, Any], bool] = lambda _topic, _partition, _row: True) -> Path:
        """Write the archive, of those records that ``kept`` lets through."""
        whole = self.log
        self.log = {(t, p): [r for r in rows if kept(t, p, r)] for (t, p), rows in whole.items()}
        archive = keep(folder, self)
        self.log = whole
        return archive.folder
