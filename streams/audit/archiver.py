"""Copies topics into an archive: from where the archive ends to where they end now, as one who reads committed sees them."""

import fcntl
import hashlib
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.brokers import client_options
from schemas.catalogue import Catalogue
from schemas.quarantine import QUARANTAINE
from schemas.verloop import verloop_topic
from streams.audit.archive import CATALOGUES, Archive
from streams.audit.manifest import MANIFEST, CatalogueFile, ManifestWriter
from streams.audit.rows import RowsWriter, day_of

_TOGETHER: Final = 64  # partitions that are read at a time, each with a file open
_FETCH_BYTES: Final = 8_388_608  # the largest message that a topic takes
_STALL_SECONDS: Final = 60.0  # longer than an open transaction can hold up who reads committed


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
        async with _consumer(brokers, "read_uncommitted") as watcher, _consumer(brokers, "read_committed") as consumer:
            for topics in _in_order(await watcher.topics(), toepassing):
                await watcher._client.set_topics(topics)  # noqa: SLF001 - there is no public way to load metadata without a group
                tps = [TopicPartition(t, p) for t in topics for p in sorted(watcher.partitions_for_topic(t) or ())]
                await _copy(watcher, consumer, archive, manifest, tps, report, told)
    return report


def _in_order(there: set[str], toepassing: str) -> Iterator[list[str]]:
    """What the engine took, then what it sent, then what it was given.

    In this order each transaction that the archive knows of has all that it sent and all that it took there too.
    """
    sent = ("signalen.", "volgverzoeken.")
    yield [t for t in [verloop_topic(toepassing)] if t in there]
    yield sorted(t for t in there if t.startswith(sent) or t == QUARANTAINE)
    yield sorted(t for t in there if t.startswith("mutaties.") or t == "klok")


@asynccontextmanager
async def _consumer(brokers: str, isolation: str) -> AsyncIterator[Any]:
    consumer = AIOKafkaConsumer(
        **client_options(brokers), isolation_level=isolation, enable_auto_commit=False, max_partition_fetch_bytes=_FETCH_BYTES
    )
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def _copy(
    watcher: Any,  # noqa: ANN401
    consumer: Any,  # noqa: ANN401
    archive: Archive,
    manifest: ManifestWriter,
    tps: Sequence[TopicPartition],
    report: Archived,
    told: Callable[[int, int], None],
) -> None:
    if not tps:
        return
    # The high watermark: behind it may stand a transaction that is decided and not yet visible everywhere; reading waits for it.
    ends = await watcher.end_offsets(tps)
    begins = await watcher.beginning_offsets(tps)
    starts = {tp: archive.end(*tp) for tp in tps}
    report.lost += [f"{tp.topic}-{tp.partition}: {starts[tp]} to {begins[tp] - 1}" for tp in tps if _is_lost(tp, starts[tp], begins[tp])]
    todo = [tp for tp in tps if max(starts[tp], begins[tp]) < ends[tp]]
    of = sum(ends[tp] - max(starts[tp], begins[tp]) for tp in todo)
    for i in range(0, len(todo), _TOGETHER):
        some = todo[i : i + _TOGETHER]
        with ExitStack() as stack:
            into = {tp: _Partition(archive.folder, manifest, tp, report) for tp in some}
            for partition in into.values():
                stack.callback(partition.abandon)
            await _read(consumer, {tp: max(starts[tp], begins[tp]) for tp in some}, ends, into)
        done = sum(ends[tp] - max(starts[tp], begins[tp]) for tp in todo[: i + _TOGETHER])
        told(done, of)


def _is_lost(tp: TopicPartition, start: int, begin: int) -> bool:
    """A compacted topic keeps what counts; of any other, what went before it was archived is gone."""
    return start < begin and not tp.topic.startswith("volgverzoeken.")


async def _read(
    consumer: Any,  # noqa: ANN401
    starts: dict[TopicPartition, int],
    ends: dict[TopicPartition, int],
    into: dict[TopicPartition, _Partition],
) -> None:
    consumer.assign(list(starts))
    for tp, start in starts.items():
        consumer.seek(tp, start)
    waiting, moved = set(starts), time.monotonic()
    while waiting:
        for tp, records in (await consumer.getmany(timeout_ms=200)).items():
            moved = time.monotonic()
            for record in records:
                if record.offset < ends[tp]:
                    into[tp].take(record)
        for tp in [tp for tp in waiting if await consumer.position(tp) >= ends[tp]]:
            waiting.remove(tp)
            consumer.pause(tp)
            into[tp].close()
            moved = time.monotonic()
        if time.monotonic() - moved > _STALL_SECONDS:
            tp = min(waiting)
            raise ArchivingError(f"{tp.topic}-{tp.partition}: nothing came for {_STALL_SECONDS:g} s, before offset {ends[tp]}")


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
