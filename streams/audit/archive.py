"""An archive of the topics as it is read: rows of a topic and partition in the order of their offsets, each file verified first."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import polars as pl

from schemas.catalogue import Catalogue, version_of
from schemas.parts import CatalogueError
from streams.audit.manifest import ArchivedFile, ArchiveError, CatalogueFile, RowsFile, read_manifest, read_unverified, read_verified
from streams.audit.rows import Row, frame_in, rows_in

CATALOGUES: Final = "catalogus"


class Archive:
    """What stands in a folder that ``samenloop archive`` filled; raises ArchiveError when its manifest cannot be read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: list[ArchivedFile] = read_manifest(folder)
        self._rows: dict[tuple[str, int], list[RowsFile]] = defaultdict(list)
        self._looked_up: tuple[str, dict[int, Row]] = ("", {})  # the last file of which one row was wanted: often the next is in it too
        self._catalogues: dict[str, list[CatalogueFile]] = defaultdict(list)
        for entry in self.files:
            if isinstance(entry, RowsFile):
                self._rows[entry.topic, entry.partition].append(entry)
            else:
                self._catalogues[entry.version].append(entry)
        for files in self._rows.values():
            files.sort(key=lambda f: f.first)

    @property
    def topics(self) -> list[str]:
        """The topics of which there is a record."""
        return sorted({topic for topic, _ in self._rows})

    def partitions(self, topic: str) -> list[int]:
        """The partitions of a topic of which there is a record."""
        return sorted(p for t, p in self._rows if t == topic)

    def end(self, topic: str, partition: int) -> int:
        """The offset behind the last archived record; 0 when there is none."""
        files = self._rows.get((topic, partition))
        return files[-1].last + 1 if files else 0

    def files_of(self, topic: str, partition: int) -> list[RowsFile]:
        """The files of a topic and partition, in the order of their offsets."""
        return self._rows.get((topic, partition), [])

    def rows(self, topic: str, partition: int, since: int = 0) -> Iterator[Row]:
        """The records from offset ``since`` on; raises ArchiveError at the first file that is not as it was written."""
        last = -1
        for entry in self.files_of(topic, partition):
            if entry.last >= since:
                rows = list(rows_in(read_verified(self.folder, entry), entry))
                last = checked(entry, [r.offset for r in rows], last)
                yield from (r for r in rows if r.offset >= since)

    def columns(self, topic: str, partition: int, columns: list[str] | None = None) -> Iterator[pl.DataFrame]:
        """All records, a polars frame for each file with the columns offset, timestamp, key, value and headers, or some of them."""
        for entry in self.files_of(topic, partition):
            yield frame_in(read_verified(self.folder, entry), entry, columns)

    def row(self, topic: str, partition: int, offset: int) -> Row | None:
        """The record at an offset, or None; raises ArchiveError."""
        entry = next((e for e in self.files_of(topic, partition) if e.first <= offset <= e.last), None)
        if entry is None:
            return None
        if self._looked_up[0] != entry.file:
            self._looked_up = entry.file, {r.offset: r for r in rows_in(read_verified(self.folder, entry), entry)}
        return self._looked_up[1].get(offset)

    @property
    def catalogues(self) -> list[str]:
        """The versions of the catalogue that are kept."""
        return sorted(self._catalogues)

    def catalogue(self, version: str, *, verified: bool = True) -> Catalogue:
        """The catalogue of that version; raises ArchiveError when it is not there, or is not what its version says.

        Not ``verified``, it is whatever now stands under that version.
        """
        if version not in self._catalogues:
            raise ArchiveError(f"{CATALOGUES}/{version}: this version of the catalogue is not in the archive")
        prefix = f"{CATALOGUES}/{version}/"
        read = read_verified if verified else read_unverified
        files = {e.file.removeprefix(prefix): read(self.folder, e) for e in self._catalogues[version]}
        if verified and (found := version_of(files)) != version:
            raise ArchiveError(f"{prefix}: the catalogue was changed: its files make version {found}")
        with TemporaryDirectory() as folder:
            for path, data in files.items():
                (Path(folder) / path).parent.mkdir(parents=True, exist_ok=True)
                (Path(folder) / path).write_bytes(data)
            try:
                return Catalogue.load(Path(folder))
            except CatalogueError as e:
                raise ArchiveError(f"{prefix}: {e}") from e

    def faults(self) -> Iterator[str]:
        """What is wrong with any file, one line each; nothing when all is as it was written."""
        for entry in self.files:
            try:
                read_verified(self.folder, entry)
            except ArchiveError as e:
                yield str(e)


def checked(entry: RowsFile, offsets: Sequence[int], last: int) -> int:
    """The last of ``offsets``, those of a file behind one that ends with ``last``; raises ArchiveError when these are not its records."""
    if len(offsets) != entry.records:
        raise ArchiveError(f"{entry.file}: there are {len(offsets)} records, the manifest says {entry.records}")
    for offset in offsets:
        if offset <= last:
            raise ArchiveError(f"{entry.file}: offset {offset} comes after {last}")
        last = offset
    return last
