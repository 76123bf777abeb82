"""What the engine took, as its ``verloop`` in an archive says: transaction by transaction, with the records of each."""

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from schemas.sources import NUMMERWIJZIGINGEN, is_overdrachten
from schemas.verloop import Taken, Verloop, decode_verloop, verloop_topic
from streams.audit.archive import Archive
from streams.audit.manifest import ArchiveError
from streams.audit.packed import Packed, packed_files
from streams.records import Batch, Run


class Transaction(NamedTuple):
    """A row of the verloop and where it stands."""

    offset: int
    timestamp: int  # milliseconds since the epoch, of the log
    verloop: Verloop


class Scope(NamedTuple):
    """The transactions that are looked at, by the time that the log gives them: ``[begin, end)``, None without a limit."""

    begin: int | None = None
    end: int | None = None

    def is_before(self, t: Transaction) -> bool:
        """Whether it only makes the state from which the scope begins."""
        return self.begin is not None and t.timestamp < self.begin

    def is_behind(self, t: Transaction) -> bool:
        """Whether it is of no interest."""
        return self.end is not None and t.timestamp >= self.end


Position = Mapping[str, int]  # topic → offset up to which records of a partition were taken


class Reach(NamedTuple):
    """Of one partition, what of each topic was taken before the scope and what at its end."""

    before: Position
    after: Position
    transactions: int
    records: int
    catalogues: frozenset[str]


def transactions(archive: Archive, toepassing: str, partition: int, since: int = 0) -> Iterator[Transaction]:
    """The verloop of a partition from offset ``since`` on; raises ArchiveError."""
    topic = verloop_topic(toepassing)
    for row in archive.rows(topic, partition, since):
        try:
            yield Transaction(row.offset, row.timestamp, decode_verloop(row.value))
        except ValueError as e:
            raise ArchiveError(f"{topic}-{partition}@{row.offset}: this is no row of a verloop: {e}") from e


def reach_of(archive: Archive, toepassing: str, partition: int, scope: Scope) -> Reach:
    """How far the transactions of a partition reach; raises ArchiveError."""
    before, after, number, records, catalogues = dict[str, int](), dict[str, int](), 0, 0, set[str]()
    for t in transactions(archive, toepassing, partition):
        if scope.is_behind(t):
            break
        number += 1
        catalogues.add(t.verloop.catalogus)
        after[verloop_topic(toepassing)] = t.offset + 1  # a switch of rules names its row as the cause
        for taken in t.verloop.genomen:
            after[taken.topic] = taken.end
            records += taken.records
        if scope.is_before(t):
            before = dict(after)
    return Reach(before, after, number, records, frozenset(catalogues))


class Source:
    """The records of one topic and partition in order; files are read when they are needed, one at a time."""

    def __init__(self, archive: Archive, topic: str, partition: int, since: int) -> None:
        self._files = packed_files(archive, topic, partition, since, headers=False)
        self._since = since
        self._open: Packed | None = None
        self._at = 0  # number of the next record there

    def take(self, end: int) -> "Records":
        """The next records, those before offset ``end``; raises ArchiveError."""
        found = Records()
        while True:
            if self._open is not None:
                to = bisect_left(self._open.offsets, end, self._at)
                if to > self._at:
                    found.batches.append(self._open.batch(self._at, to))
                    found.offsets += self._open.offsets[self._at : to]
                    self._at = to
                if to < len(self._open):
                    return found
            self._open = next(self._files, None)
            if self._open is None:
                return found
            self._at = bisect_left(self._open.offsets, self._since)


class Records:
    """Records of one topic and partition that follow one another."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.offsets = array("q")

    @property
    def run(self) -> Run:
        """These as a run, of at least one."""
        return Run(self.batches, self.offsets[0])

    def add(self, more: "Records") -> None:
        """Those that come next."""
        self.batches += more.batches
        self.offsets += more.offsets


class Gap(msgspec.Struct, frozen=True):
    """Where the archive does not hold what a transaction took, or the verloop does not go on where it was."""

    transaction: int  # offset in the verloop
    taken: Taken
    at: int  # offset up to which records of the topic were taken before
    present: int  # records that the archive has where the transaction took them
    absent: tuple[int, ...]  # offsets there at which nothing stands: of records that are missing, or of marks of transactions


def gap_of(transaction: int, taken: Taken, at: int, offsets: Sequence[int]) -> Gap | None:
    """What is wrong with the records that stand where ``taken`` says; None when all are there and follow those before."""
    there = offsets[bisect_left(offsets, taken.begin) :]
    if at == taken.begin and len(there) == taken.records:
        return None
    return Gap(transaction, taken, at, len(there), tuple(sorted({*range(taken.begin, taken.end)} - {*there})))


def untaken(archive: Archive, partition: int, position: Position) -> set[bytes | None]:
    """The keys of records of a partition that stand behind what was taken of their topics; raises ArchiveError."""
    keys = set[bytes | None]()
    for topic in archive.topics:
        if topic.startswith("mutaties.") or topic == NUMMERWIJZIGINGEN or is_overdrachten(topic):
            since = position.get(topic, 0)
            for packed in packed_files(archive, topic, partition, since, headers=False):
                keys.update(key for offset, (key, _) in zip(packed.offsets, packed.contents(), strict=True) if offset >= since)
    return keys


def values_at(archive: Archive, topic: str, partition: int, offsets: set[int]) -> dict[int, bytes | None]:
    """The values that stand at some offsets of a partition, those that are there; raises ArchiveError."""
    found = dict[int, bytes | None]()
    for packed in packed_files(archive, topic, partition, min(offsets), headers=False):
        found |= {offset: value for offset, (_, value) in zip(packed.offsets, packed.contents(), strict=True) if offset in offsets}
    return found


def moment_of(text: str) -> int:
    """``2026-01-31`` or ``2026-01-31T09:00`` (UTC unless it says otherwise) in milliseconds since the epoch; raises ValueError."""
    moment = datetime.fromisoformat(text)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
