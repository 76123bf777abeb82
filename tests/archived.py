"""An archive as ``samenloop archive`` would make it, of an engine in this process: no broker, and every order and fault can be arranged."""

import json
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec

from connectors.bronnen.lines import LineReader
from connectors.bronnen.partitioner import partition_of
from connectors.bronnen.pseudonym import Pseudonymiser
from schemas.catalogue import Catalogue
from schemas.codec import Codec
from schemas.values import Mutatie
from schemas.verloop import Taken, Verloop, encode_verloop, verloop_topic
from streams.audit.manifest import CatalogueFile, ManifestWriter
from streams.audit.rows import RowsWriter, day_of
from streams.encoded import rows_in
from streams.fold import Folder
from streams.records import run_of
from streams.store import PartitionStore

APP = "samenloop"
NOW = 1_790_000_000_000  # Kafka's clock, milliseconds since the epoch
Frame = tuple[str, list[Any]]


class Log:
    """Topics with their partitions, and an engine that folds what is published."""

    def __init__(self, catalogue: Catalogue, partities: int = 2) -> None:
        self.catalogue = catalogue
        self.rows: dict[tuple[str, int], list[Any]] = {}
        self._folder = Folder(catalogue, APP)
        self._stores = [PartitionStore(self._folder.rulebook.layout) for _ in range(partities)]
        self._readers = {s: LineReader(catalogue, s, Pseudonymiser(bytes(32))) for s in catalogue.mutatie_topics}
        self._codec = Codec(catalogue)
        self._position: dict[tuple[str, int], int] = {}

    def append(self, topic: str, partition: int, key: bytes | None, value: bytes | None, headers: Any = ()) -> Any:
        """One record at the end of a partition."""
        rows = self.rows.setdefault((topic, partition), [])
        offset = rows[-1].offset + 1 if rows else 0
        rows.append(SimpleNamespace(offset=offset, timestamp=NOW, key=key, value=value, headers=list(headers)))
        return rows[-1]

    def publish(self, soort: str, line: Mapping[str, Any]) -> tuple[int, Frame]:
        """A line through the edge onto its topic; the partition, and the frame in which the engine can take it."""
        mutatie = self._readers[soort].read(json.dumps(line).encode())
        key = mutatie.persoon.encode()
        partition = partition_of(key, len(self._stores))
        return partition, (f"mutaties.{soort}", [self.append(f"mutaties.{soort}", partition, key, mutatie.value)])

    def put(self, soort: str, persoon: bytes, mutatie: Mutatie) -> tuple[int, Frame]:
        """The same for a mutatie past the edge."""
        topic = f"mutaties.{soort}"
        value = self._codec.encode(self.catalogue.latest_schema(topic).id, msgspec.to_builtins(mutatie))
        partition = partition_of(persoon, len(self._stores))
        return partition, (topic, [self.append(topic, partition, persoon, value)])

    def take(self, partition: int, frames: list[Frame]) -> None:
        """One transaction of the engine."""
        effects = self._folder.fold(self._stores[partition].get, partition, [(topic, run_of(records)) for topic, records in frames])
        self._stores[partition].apply(effects)
        taken = [Taken(t, self._position.get((t, partition), 0), records[-1].offset + 1, len(records)) for t, records in frames]
        self.append(verloop_topic(APP), partition, None, encode_verloop(Verloop(self.catalogue.versie, tuple(taken))))
        self._position |= effects.offsets
        for (topic, number), rows in effects.messages.items():
            for row in rows_in(rows):
                self.append(topic, number, *row)

    def deliver(self, deliveries: Iterable[tuple[str, Mapping[str, Any]]], together: int = 1) -> None:
        """Publish, and take so many at once: of each topic a frame."""
        waiting: dict[int, dict[str, list[Any]]] = {}
        for number, (soort, line) in enumerate(deliveries, 1):
            partition, (topic, records) = self.publish(soort, line)
            waiting.setdefault(partition, {}).setdefault(topic, []).extend(records)
            if number % together == 0:
                self._take_all(waiting)
        self._take_all(waiting)

    def _take_all(self, waiting: dict[int, dict[str, list[Any]]]) -> None:
        for partition, frames in waiting.items():
            self.take(partition, list(frames.items()))
        waiting.clear()

    def archive(self, folder: Path, keep: Callable[[str, int, Any], bool] = lambda _topic, _partition, _row: True) -> Path:
        """Write the archive, of those records that ``keep`` lets through."""
        folder.mkdir(parents=True, exist_ok=True)
        manifest = ManifestWriter(folder)
        for (topic, partition), rows in self.rows.items():
            kept = [r for r in rows if keep(topic, partition, r)]
            if kept:
                writer = RowsWriter(folder, topic, partition, kept[0].offset, day_of(NOW))
                for row in kept:
                    writer.write(row)
                manifest.add(writer.close(), writer.part)
        self._keep_catalogue(folder, manifest)
        manifest.close()
        return folder

    def _keep_catalogue(self, folder: Path, manifest: ManifestWriter) -> None:
        for path, data in sorted(self.catalogue.bestanden.items()):
            file = folder / "catalogus" / self.catalogue.versie / path
            file.parent.mkdir(parents=True, exist_ok=True)
            part = file.with_suffix(".part")
            part.write_bytes(data)
            entry = CatalogueFile(str(file.relative_to(folder)), len(data), sha256(data).hexdigest(), self.catalogue.versie)
            manifest.add(entry, part)
