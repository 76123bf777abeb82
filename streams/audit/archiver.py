"""Copies topics into an archive: from where the archive ends to where they end now, as one who reads committed sees them."""

import fcntl
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiokafka import TopicPartition

from schemas.catalogue import Catalogue
from schemas.checkpoints import CHECKPOINTS
from schemas.quarantine import QUARANTAINE
from schemas.sources import PLAIN, overdrachten_topic
from schemas.verloop import verloop_topic
from streams.audit.archive import CATALOGUES, Archive
from streams.audit.committed import Span, StalledError, committed_of
from streams.audit.manifest import MANIFEST, CatalogueFile, ManifestWriter
from streams.audit.rows import RowsWriter, day_of


class ArchivingError(Exception):
    """The topics could not be copied; what was finished before counts. The text says why."""


@dataclass
class Archived:
    """What a run added."""

    records: dict[str, int] = field(default_factory=dict)  # by topic
    files: int = 0
    lost: list[str] = field(default_factory=list)  # places that the log no longer had, and the archive not yet


class _Partition:
    """What comes of one partition, into files of at most a day."""

    def __init__(self, archive: Path, manifest: ManifestWriter, tp: TopicPartition, report: Archived) -> None:
        self._archive, self._manifest, self._tp, self._report = archive, manifest, tp, report
        self._open: RowsWriter | None = None

    def take(self, record: Any) -> None:  # noqa: ANN401 - aiokafka's ConsumerRecord
        day = day_of(record.timestamp)
        if self._open is not None and (self._open.full or self._open.day != day):
            self.close()
        if self._open is None:
            self._open = RowsWriter(self._archive, self._tp.topic, self._tp.partition, record.offset, day)
        self._open.write(record)

    def close(self) -> None:
        """Let the open file count."""
        if self._open is not None:
            open_, self._open = self._open, None
            entry = open_.close()
            self._manifest.add(entry, open_.part)
            self._report.files += 1
            self._report.records[entry.topic] = self._report.records.get(entry.topic, 0) + entry.records

    def abandon(self) -> None:
        """Leave a file that was not finished."""
        if self._open is not None:
            self._open.abandon()


async def archive_topics(
    brokers: str, folder: Path, catalogue: Catalogue, toepassing: str, told: Callable[[int, int], None] = lambda _done, _of: None
) -> Archived:
    """Bring the archive in ``folder`` up to date; ``told`` hears how many offsets are done, and of how many.

    Raises ArchivingError, ArchiveError, and aiokafka's errors.
    """
    report = Archived()
    with _writing(folder) as manifest:
        archive = Archive(folder)
        _keep_catalogue(folder, manifest, archive, catalogue)
        async with committed_of(brokers) as committed:
            for topics in _in_order(await committed.topics(), toepassing):
                spans = await committed.spans(topics, archive.end)
                report.lost += [f"{tp.topic}-{tp.partition}: {s.start} to {s.begin - 1}" for tp, s in spans.items() if _is_lost(tp, s)]
                try:
                    await committed.read(spans, lambda tp: _Partition(archive.folder, manifest, tp, report), told)
                except StalledError as e:
                    raise ArchivingError(str(e)) from e
    return report


def _in_order(there: set[str], toepassing: str) -> Iterator[list[str]]:
    """The checkpoints, then what the engine took, then what it sent, then what it was given.

    In this order all that a checkpoint covers is there too, and each transaction that the archive knows of has all that it sent and took.
    """
    sent = ("signalen.", "volgverzoeken.")
    yield [t for t in [CHECKPOINTS] if t in there]
    yield [t for t in [verloop_topic(toepassing)] if t in there]
    yield sorted(t for t in there if t.startswith(sent) or t in {QUARANTAINE, overdrachten_topic(toepassing)})
    yield sorted(t for t in there if t.startswith(("mutaties.", "terugmeldingen.")) or t in PLAIN)


def _is_lost(tp: TopicPartition, span: Span) -> bool:
    """A compacted topic keeps what counts; of any other, what went before it was archived is gone."""
    return span.start < span.begin and not tp.topic.startswith("volgverzoeken.")


@contextmanager
def _writing(folder: Path) -> Iterator[ManifestWriter]:
    """The only writer of the archive, until the end of the block; makes an empty archive when there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ArchivingError(f"{folder}: another process is archiving there") from None
        if not (folder / MANIFEST).exists() and any(p.name != ".lock" for p in folder.iterdir()):
            raise ArchivingError(f"{folder}: this is no archive, and not empty")
        manifest = ManifestWriter(folder)
        try:
            for part in folder.rglob("*.part"):  # of a writer that was killed
                part.unlink()
            yield manifest
        finally:
            manifest.close()


def _keep_catalogue(folder: Path, manifest: ManifestWriter, archive: Archive, catalogue: Catalogue) -> None:
    """Add the files of the catalogue, unless they are there."""
    kept = {e.file for e in archive.files if isinstance(e, CatalogueFile)}
    for path, data in sorted(catalogue.bestanden.items()):
        name = f"{CATALOGUES}/{catalogue.versie}/{path}"
        if name in kept:
            continue
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_name(f"{file.name}.part")
        part.write_bytes(data)
        manifest.add(CatalogueFile(name, len(data), hashlib.sha256(data).hexdigest(), catalogue.versie), part)
