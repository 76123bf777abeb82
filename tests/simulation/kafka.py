"""A Kafka cluster in memory: logs, transactions with epochs and markers, offsets of a group, compaction. Every call is one atomic step.

It does what the broker's protocol promises and no more: a commit is decided first and its markers are written later, partition by
partition; until a partition has its marker, nobody who reads committed sees the transaction there, nor anything behind it.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from aiokafka.errors import ProducerFenced

TP = tuple[str, int]
OFFSETS: TP = ("__consumer_offsets", 0)
Row = tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]


class NotYetError(Exception):
    """The broker answers CONCURRENT_TRANSACTIONS: the client tries again."""


@dataclass(eq=False)
class Transaction:
    """One transaction; ``left`` are the partitions that wait for its marker."""

    name: str  # the transactional id
    by: str  # the process
    started: float
    committed: bool | None = None  # None: still open
    partitions: dict[TP, int] = field(default_factory=dict)  # → first offset
    left: set[TP] = field(default_factory=set)
    offsets: dict[TP, int] = field(default_factory=dict)
    frames: list[Any] = field(default_factory=list)  # whose effects it holds
    rows: dict[TP, list[tuple[bytes | None, bytes | None]]] = field(default_factory=lambda: defaultdict(list))


class Entry(NamedTuple):
    """A record in a log; a marker has ``control``."""

    offset: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]
    sequence: int  # over the whole cluster, in the order of arrival
    transaction: Transaction | None = None
    control: bool = False


class Session(NamedTuple):
    """What a producer knows itself by."""

    name: str
    epoch: int
    by: str


@dataclass
class Identity:
    """A transactional id at its coordinator."""

    epoch: int = 0
    timeout: float = 0.0
    transaction: Transaction | None = None  # open, or waiting for markers


class Cluster:
    """All state that outlives a process."""

    def __init__(self) -> None:
        self.now = 0.0
        self.events = 0
        self.slow = 0.0  # share of requests and of answers that take long
        self.logs: dict[TP, list[Entry]] = defaultdict(list)
        self.ends: dict[TP, int] = defaultdict(int)
        self.open: dict[TP, list[Transaction]] = defaultdict(list)  # that still lack their marker there
        self.identities: dict[str, Identity] = defaultdict(Identity)
        self.group: dict[TP, int] = {}
        self.ended: list[Transaction] = []  # decided, in the order of the decisions
        self.unmarked: list[Transaction] = []
        self.expired = 0
        self._sequence = 0

    # -- logs

    def append(self, tp: TP, rows: Sequence[Row], transaction: Transaction | None = None, *, control: bool = False) -> int:
        """Add rows; returns the offset of the first."""
        first = self.ends[tp]
        for i, (key, value, headers) in enumerate(rows):
            self._sequence += 1
            self.logs[tp].append(Entry(first + i, key, value, headers, self._sequence, transaction, control))
        self.ends[tp] = first + len(rows)
        return first

    def stable(self, tp: TP) -> int:
        """The last stable offset: what stands before it is decided."""
        return min((t.partitions[tp] for t in self.open[tp]), default=self.ends[tp])

    def read(self, tp: TP, start: int, *, committed: bool) -> Iterator[Entry]:
        """The records from ``start`` on that a reader is given."""
        end = self.stable(tp) if committed else self.ends[tp]
        log = self.logs[tp]
        low, high = 0, len(log)
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if log[middle].offset < start else (low, middle)
        for i in range(low, len(log)):
            entry = log[i]
            if entry.offset >= end:
                return
            if not entry.control and not (committed and entry.transaction is not None and not entry.transaction.committed):
                yield entry

    def compact(self, tp: TP) -> None:
        """Keep the newest decided record of each key; what aborted goes, and so do old markers."""
        end = self.stable(tp)
        newest = {e.key: e.offset for e in self.read(tp, 0, committed=True)}
        self.logs[tp] = [e for e in self.logs[tp] if e.offset >= end or (not e.control and newest.get(e.key) == e.offset)]

    # -- transactions

    def init(self, name: str, by: str, timeout: float) -> Session:
        """InitProducerId: fence whoever has the id; raises NotYetError until its transaction is at an end."""
        identity = self.identities[name]
        if identity.transaction is not None:
            if identity.transaction.committed is None:
                self._decide(identity, committed=False)
                identity.epoch += 1
            raise NotYetError
        identity.epoch += 1
        identity.timeout = timeout
        return Session(name, identity.epoch, by)

    def produce(self, session: Session, tp: TP, rows: Sequence[Row], frames: Sequence[Any] = ()) -> int:
        """AddPartitionsToTxn and Produce; returns the first offset. ``frames``: those whose effects the transaction holds, if told."""
        transaction = self._transaction(session)
        first = self.append(tp, rows, transaction)
        if tp not in transaction.partitions:
            transaction.partitions[tp] = first
            self.open[tp].append(transaction)
        transaction.rows[tp].extend((key, value) for key, value, _ in rows)
        transaction.frames = [*frames] or transaction.frames
        return first

    def add_offsets(self, session: Session, offsets: dict[TP, int]) -> None:
        """AddOffsetsToTxn and TxnOffsetCommit."""
        transaction = self._transaction(session)
        transaction.partitions.setdefault(OFFSETS, 0)
        transaction.offsets.update(offsets)

    def end(self, session: Session, *, committed: bool) -> None:
        """EndTxn: decide; the markers follow."""
        identity = self._current(session)
        if identity.transaction is not None and identity.transaction.committed is None:
            self._decide(identity, committed=committed)

    def expire(self) -> None:
        """Abort and fence what stands open for too long."""
        for identity in self.identities.values():
            found = identity.transaction
            if found is not None and found.committed is None and self.now - found.started > identity.timeout:
                identity.epoch += 1
                self.expired += 1
                self._decide(identity, committed=False)

    def mark(self, transaction: Transaction, tp: TP) -> None:
        """Write one marker."""
        transaction.left.discard(tp)
        if tp == OFFSETS:
            if transaction.committed:
                self.group.update(transaction.offsets)
        else:
            self.append(tp, [(None, None, [])], transaction, control=True)
            self.open[tp].remove(transaction)
        if not transaction.left:
            self.unmarked.remove(transaction)
            self.identities[transaction.name].transaction = None

    def _current(self, session: Session) -> Identity:
        identity = self.identities[session.name]
        if identity.epoch != session.epoch:
            raise ProducerFenced
        return identity

    def _transaction(self, session: Session) -> Transaction:
        identity = self._current(session)
        if identity.transaction is None:
            identity.transaction = Transaction(session.name, session.by, self.now)
        elif identity.transaction.committed is not None:
            raise NotYetError
        return identity.transaction

    def _decide(self, identity: Identity, *, committed: bool) -> None:
        transaction = identity.transaction
        assert transaction is not None
        transaction.committed = committed
        transaction.left = set(transaction.partitions)
        self.ended.append(transaction)
        if transaction.left:
            self.unmarked.append(transaction)
        else:
            identity.transaction = None
