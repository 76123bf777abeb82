"""A replay from beginning to end: partitions side by side, stopped and gone on with, to one report."""

import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from schemas.catalogue import Catalogue
from schemas.quarantine import QUARANTAINE
from schemas.sources import overdrachten_topic
from schemas.verloop import verloop_topic
from streams.audit.archive import CATALOGUES, Archive
from streams.audit.differences import Differences
from streams.audit.findings import Finding, Kind, in_order, of_gap, of_stray
from streams.audit.history import Reach, Scope, reach_of
from streams.audit.judge import SIGNALEN, Judge
from streams.audit.manifest import ArchiveError, manifest_of
from streams.audit.pool import Pool, Shared
from streams.audit.replay import PartitionReplay, Progress
from streams.audit.report import Asked, Part, Report, report_of
from streams.audit.sent import VOLGVERZOEKEN, Indexer, Sent, TopicIndex
from streams.core.messages import iso_time

_TOPICS: Final = 16  # of one job
_KEEP_SECONDS: Final = 60.0  # between two times that a partition writes down how far it is


class StoppedError(Exception):
    """Somebody stopped the replay of a partition; the next one with the same question goes on from there."""


@dataclass(frozen=True)
class Question:
    """What is to be replayed."""

    archive: Path
    toepassing: str
    scope: Scope
    ontvangers: Sequence[str] | None = None  # None: all
    dienst: str | None = None  # None: all

    def compares(self, topic: str) -> bool:
        """Whether a topic is looked at: those of ontvangers that are, and beside all of them what was asked of bronnen and refused."""
        if topic.startswith(SIGNALEN):
            return self.ontvangers is None or topic.removeprefix(SIGNALEN) in self.ontvangers
        besides = topic.startswith(VOLGVERZOEKEN) or topic in {QUARANTAINE, overdrachten_topic(self.toepassing)}
        return self.ontvangers is None and self.dienst is None and besides

    @property
    def words(self) -> Asked:
        """What was asked, as a report says it."""
        begin, end = (None if t is None else iso_time(t) for t in self.scope)
        return Asked(self.toepassing, begin, end, self.ontvangers, self.dienst)

    @property
    def key(self) -> str:
        """A name for this question to the archive as it is; raises ArchiveError."""
        said = repr((self.toepassing, self.scope, self.ontvangers, self.dienst)).encode()
        return sha256(said + manifest_of(self.archive)).hexdigest()[:16]


class _Job(NamedTuple):
    """One partition to be replayed."""

    question: Question
    number: int  # of the job
    partition: int
    work: Path
    unread: frozenset[str]  # topics that cannot be compared


def replay(question: Question, work: Path, processes: int, told: Callable[[int, int], None] = lambda _done, _of: None) -> Report:
    """Answer ``question`` on some processes, 0 for this one; in ``work`` is kept how far it is.

    ``told`` hears how many records are done, and of how many. Raises ArchiveError when there is nothing to replay.
    """
    begin = time.monotonic()
    archive = Archive(question.archive)
    numbers = archive.partitions(verloop_topic(question.toepassing))
    if not numbers:
        raise ArchiveError(f"{question.archive}: it has no {verloop_topic(question.toepassing)}, which says what the engine took")
    shared = Shared(len(numbers))
    with Pool(processes, shared) as pool:
        reaches = dict(zip(numbers, pool.map(_reach, [(question, p) for p in numbers]), strict=True))
        topics = [t for t in archive.topics if question.compares(t)]
        some = [topics[i : i + _TOPICS] for i in range(0, len(topics), _TOPICS)]
        indexes = [i for found in pool.map(_indexes, [(question, t, reaches) for t in some]) for i in found]
        _keep_sent(indexes, numbers, work)
        of = sum(r.records for r in reaches.values())
        unread = frozenset(i.topic for i in indexes if i.unread is not None)
        jobs = [_Job(question, i, p, work, unread) for i, p in enumerate(numbers)]
        parts = pool.map(_part, jobs, lambda: told(sum(shared.done[:]), of))
    catalogues = sorted({c for r in reaches.values() for c in r.catalogues})
    found = [*_of_archive(archive, catalogues, indexes, parts), *(f for i in indexes for f in of_stray(i))]
    findings = in_order([*found, *(f for p in parts for f in p.findings)])
    shutil.rmtree(work)
    return report_of(question.words, catalogues, parts, sum(i.later for i in indexes), findings, time.monotonic() - begin)


def _reach(job: tuple[Question, int], _: Shared) -> Reach:
    question, partition = job
    return reach_of(Archive(question.archive), question.toepassing, partition, question.scope)


def _indexes(job: tuple[Question, Sequence[str], dict[int, Reach]], _: Shared) -> list[TopicIndex]:
    question, topics, reaches = job
    indexer = Indexer(Archive(question.archive), reaches, question.dienst)
    return [_index(indexer, topic) for topic in topics]


def _index(indexer: Indexer, topic: str) -> TopicIndex:
    try:
        return indexer.index(topic)
    except ArchiveError as e:
        return TopicIndex(topic, unread=str(e))


def _keep_sent(indexes: Sequence[TopicIndex], partitions: Sequence[int], work: Path) -> None:
    """A file for each partition with what was sent because of it."""
    work.mkdir(parents=True, exist_ok=True)
    for p in partitions:
        sent = {i.topic: i.sent[p] for i in indexes if p in i.sent}
        (work / f"{p}.sent").write_bytes(msgspec.msgpack.encode(sent))


def _part(job: _Job, shared: Shared) -> Part:
    """Replay a partition, from where it was stopped before; raises StoppedError when it is stopped again."""
    question, archive = job.question, Archive(job.question.archive)
    sent = msgspec.msgpack.decode((job.work / f"{job.partition}.sent").read_bytes(), type=dict[str, Sent])
    kept = job.work / f"{job.partition}.progress"
    progress = msgspec.msgpack.decode(kept.read_bytes(), type=Progress) if kept.exists() else Progress()

    def compares(topic: str) -> bool:
        return question.compares(topic) and topic not in job.unread

    def catalogue(version: str) -> Catalogue:
        return archive.catalogue(version, verified=False)  # what is wrong with it is told once, for all partitions

    shared.done[job.number] = progress.records
    judge = Judge(archive, job.partition, sent, compares, question.dienst)
    work = PartitionReplay(archive, question.toepassing, job.partition, question.scope, catalogue, judge, progress)
    last = time.monotonic()
    for _ in work.run():
        shared.done[job.number] = progress.records
        stop, now = shared.stop.is_set(), time.monotonic()
        if stop or now - last > _KEEP_SECONDS:
            _keep(kept, progress)
            last = now
        if stop:
            raise StoppedError
    _keep(kept, progress)
    return _part_of(archive, job, progress, sent)


def _keep(file: Path, progress: Progress) -> None:
    new = file.with_suffix(".new")
    new.write_bytes(msgspec.msgpack.encode(progress))
    new.replace(file)


def _part_of(archive: Archive, job: _Job, progress: Progress, sent: Mapping[str, Sent]) -> Part:
    findings, later = [of_gap(gap, job.partition) for gap in progress.gaps], 0
    try:
        told = Differences(archive, job.partition, progress, job.question.scope)
        findings += told.of(sent)
        later = told.later
    except ArchiveError as e:
        findings.append(Finding(Kind.ARCHIVE, str(e).split(":")[0], str(e)))
    same = Counter[str]()
    for topic, comparison in progress.compared.items():
        same[topic.partition(".")[0]] += comparison.same
    return Part(
        job.partition,
        progress.transactions,
        progress.records,
        same,
        later,
        sum(c.more for c in progress.compared.values()),
        progress.unread,
        progress.days,
        findings,
    )


def _of_archive(archive: Archive, catalogues: Sequence[str], indexes: Sequence[TopicIndex], parts: Sequence[Part]) -> Iterator[Finding]:
    """What is wrong with the archive itself, each thing once."""
    changed = dict[str, Kind]()
    for version in catalogues:
        try:
            archive.catalogue(version)
        except ArchiveError as e:
            changed[str(e)] = Kind.CATALOGUE
    for fault in (*archive.faults(), *(i.unread for i in indexes), *(p.unread for p in parts)):
        if fault is not None:
            changed.setdefault(fault, Kind.CATALOGUE if fault.startswith(CATALOGUES) else Kind.ARCHIVE)
    for text, kind in changed.items():
        place, _, why = text.partition(": ")
        yield Finding(kind, place, why)
