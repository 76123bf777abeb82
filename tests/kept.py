"""An archive without a Kafka: what a worker would have taken and sent, in an order drawn from a seed, and hands that change it."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from connectors.bronnen.lines import LineReader
from connectors.bronnen.population import Knobs
from connectors.bronnen.pseudonym import Pseudonymiser
from schemas.catalogue import Catalogue
from schemas.codec import Codec, decode_signaal
from schemas.partitioner import partition_of
from schemas.values import ElkSignaal, Place
from schemas.verloop import Omslag, Verloop, encode_verloop, verloop_topic
from streams.audit.archive import CATALOGUES, Archive
from streams.audit.manifest import MANIFEST, CatalogueFile, ManifestWriter, RowsFile
from streams.audit.rows import Row, RowsWriter, day_of
from streams.effects import Effects
from streams.encoded import rows_in
from streams.fold import Folder
from streams.records import run_of
from streams.store import PartitionStore
from streams.switching import PartitionSwitch
from streams.verloop import verloop_row

APP = "samenloop"
PARTITIES = 2
OF_PAIRS = Knobs(  # persons about whom no rule of the klok says anything
    young=0, school_leavers=0, reclaimed=0, scheme_applications=0, remission_applications=0, support_applications=0, attachments=0
)
START = 1_780_000_000_000
Log = dict[tuple[str, int], list[Row]]


class World:
    """A worker at work: what is published is taken in transactions of any size, topics in any order."""

    def __init__(self, catalogue: Catalogue, seed: int) -> None:
        self.catalogue = catalogue
        self.catalogues = [catalogue]  # that were in force, in order
        self.log: Log = {}
        self._draw = Random(seed)
        self._folder = Folder(catalogue, APP)
        self._stores = [PartitionStore(self._folder.rulebook.layout) for _ in range(PARTITIES)]
        self._next: dict[tuple[str, int], int] = {}
        self._now = START

    def publish(self, deliveries: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """Put lines on the topics of their soorten."""
        readers = {s: LineReader(self.catalogue, s, Pseudonymiser(bytes(range(32)))) for s in self.catalogue.mutatie_topics}
        for soort, line in deliveries:
            m = readers[soort].read(json.dumps(line).encode())
            key = m.persoon.encode()
            self.append(f"mutaties.{soort}", partition_of(key, PARTITIES), key, m.value, m.headers)

    def append(self, topic: str, partition: int, key: bytes | None, value: bytes | None, headers: Any = ()) -> None:
        """One record more; now and then a mark of Kafka stands before it."""
        rows = self.log.setdefault((topic, partition), [])
        self._now += self._draw.randint(0, 200_000)
        offset = rows[-1].offset + 1 + (self._draw.random() < 0.05) if rows else 0
        rows.append(Row(offset, self._now, key, value, list(headers)))

    def work(self) -> None:
        """Take all that is there, and what goes over from one persoon to another meanwhile."""
        while self._work():
            pass

    def _work(self) -> bool:
        """Take what is there; whether anything was."""
        waiting = {tp: list(rows) for tp, rows in self.log.items() if tp[0] in self._folder.topics}
        waiting = {tp: [r for r in rows if r.offset >= self._next.get(tp, 0)] for tp, rows in waiting.items()}
        worked = False
        while waiting := {tp: rows for tp, rows in waiting.items() if rows}:
            partition = self._draw.choice(sorted({p for _, p in waiting}))
            topics = [t for t, p in sorted(waiting) if p == partition]
            frames = []
            for topic in self._draw.sample(topics, self._draw.randint(1, len(topics))):
                rows, size = waiting[topic, partition], self._draw.randint(1, 60)
                frames.append((topic, run_of(rows[:size])))
                del rows[:size]
            self._transact(partition, frames)
            worked = True
        return worked

    def switch(self, catalogue: Catalogue) -> None:
        """Go on under other rules, by which every persoon is judged anew."""
        old, self._folder, self.catalogue = self._folder, Folder(catalogue, APP), catalogue
        self.catalogues.append(catalogue)
        switch = PartitionSwitch(old, self._folder, Codec(catalogue))
        for partition, store in enumerate(self._stores):
            omslag, topic = Omslag(old.catalogus, self._now), verloop_topic(APP)
            row = (None, encode_verloop(Verloop(catalogue.versie, (), omslag)), [])
            self.append(topic, partition, *row)
            place = Place(topic, partition, self.log[topic, partition][-1].offset)
            needed = switch.needed(store.rows).items()
            found = {t: {r.offset: r.value for r in self.log[t, partition] if r.offset in offsets} for t, offsets in needed}
            self._apply(partition, switch.effects(store.rows, store.klok, omslag, place, found))

    def _transact(self, partition: int, frames: list[Any]) -> None:
        effects: Effects = self._folder.fold(self._stores[partition], partition, frames)
        position = {(t, partition): self._next.get((t, partition), 0) for t, _ in frames}
        effects.send(verloop_topic(APP), partition, verloop_row(self._folder.catalogus, position, partition, frames))
        self._apply(partition, effects)

    def _apply(self, partition: int, effects: Effects) -> None:
        self._stores[partition].apply(effects)
        self._next |= effects.offsets
        for (topic, p), messages in effects.routed(PARTITIES).items():
            for row in rows_in(messages):
                self.append(topic, p, *row)


def told(world: World) -> list[ElkSignaal]:
    """All signals of a world, in the order of their topics."""
    return [decode_signaal(r.value) for (topic, _), rows in sorted(world.log.items()) if topic.startswith("signalen.") for r in rows]


def standing(signals: Iterable[ElkSignaal]) -> dict[str, Any]:
    """What the ontvangers hold who got these."""
    live = {k: s for k, s in {s.signaal_id: s for s in signals}.items() if s.soort != "VERVALLEN"}
    return {k: (s.dienst, s.ontvanger, s.kenmerk, s.begindatum, s.einddatum, s.gegevens) for k, s in live.items()}


def versions_run_on(signals: Iterable[ElkSignaal]) -> bool:
    """Whether the versions of each signaal are 1, 2, 3 and so on."""
    seen: dict[str, int] = {}
    for s in signals:
        if s.versie != seen.get(s.signaal_id, 0) + 1:
            return False
        seen[s.signaal_id] = s.versie
    return True


def keep(folder: Path, world: World) -> Archive:
    """The archive of a world."""
    folder.mkdir()
    manifest = ManifestWriter(folder)
    for catalogue in world.catalogues:
        for path, data in catalogue.bestanden.items():
            _put_file(folder, manifest, catalogue.versie, path, data)
    for (topic, partition), rows in sorted(world.log.items()):
        _put_rows(folder, manifest, topic, partition, rows)
    manifest.close()
    return Archive(folder)


def _put_file(folder: Path, manifest: ManifestWriter, version: str, path: str, data: bytes) -> None:
    name = f"{CATALOGUES}/{version}/{path}"
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    part = folder / f"{name}.part"
    part.write_bytes(data)
    manifest.add(CatalogueFile(name, len(data), hashlib.sha256(data).hexdigest(), version), part)


def _put_rows(folder: Path, manifest: ManifestWriter, topic: str, partition: int, rows: list[Row]) -> None:
    writer: RowsWriter | None = None
    for row in rows:
        if writer is not None and writer.day != day_of(row.timestamp):
            manifest.add(writer.close(), writer.part)
            writer = None
        writer = writer or RowsWriter(folder, topic, partition, row.offset, day_of(row.timestamp))
        writer.write(row)
    if writer is not None:
        manifest.add(writer.close(), writer.part)


def change_rows(folder: Path, topic: str, partition: int, change: Callable[[list[Row]], Iterable[Row]]) -> None:
    """As a hand that knows the format: the rows are other ones, and the manifest agrees."""
    archive = Archive(folder)
    rows = list(change(list(archive.rows(topic, partition))))
    _leave_out(folder, lambda e: isinstance(e, RowsFile) and (e.topic, e.partition) == (topic, partition))
    manifest = ManifestWriter(folder)
    _put_rows(folder, manifest, topic, partition, rows)
    manifest.close()


def change_catalogue(folder: Path, version: str, path: str, change: Callable[[bytes], bytes]) -> None:
    """The same for one file of a catalogue."""
    name = f"{CATALOGUES}/{version}/{path}"
    data = change((folder / name).read_bytes())
    _leave_out(folder, lambda e: e.file == name)
    manifest = ManifestWriter(folder)
    _put_file(folder, manifest, version, path, data)
    manifest.close()


def _leave_out(folder: Path, gone: Callable[[Any], bool]) -> None:
    lines = list(_without(Archive(folder), gone))
    (folder / MANIFEST).write_bytes(b"".join(lines))


def _without(archive: Archive, gone: Callable[[Any], bool]) -> Iterator[bytes]:
    for entry in archive.files:
        if gone(entry):
            (archive.folder / entry.file).unlink()
        else:
            yield msgspec.json.encode(entry) + b"\n"
