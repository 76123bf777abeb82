"""The engine's work on one partition done again from an archive: the same fold over the same records in the same order.

Nothing live is read or written. What it makes is compared at once with what was sent, and only differences are kept.
"""

from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from schemas.catalogue import Catalogue
from schemas.codec import Codec
from schemas.values import Place
from schemas.verloop import Taken, verloop_topic
from streams.audit.archive import Archive
from streams.audit.compare import Comparison
from streams.audit.history import Gap, Records, Scope, Source, Transaction, gap_of, transactions, values_at
from streams.audit.judge import Judge
from streams.audit.manifest import ArchiveError
from streams.audit.rows import day_of
from streams.core.switch import SwitchError
from streams.due import DueIndex
from streams.effects import Effects
from streams.fold import Folder, Frame
from streams.switching import PartitionSwitch

_BATCH: Final = 4_000  # records that are folded at a time, at least; transactions are never divided


class Day(msgspec.Struct):
    """What happened on one day (UTC) of the log."""

    records: int = 0
    made: int = 0


class Progress(msgspec.Struct):
    """How far a partition is replayed: all that is needed to go on from there."""

    next: int = 0  # offset in the verloop
    position: dict[str, int] = {}  # topic → offset of the next record
    rows: dict[bytes, bytes] = {}
    klok: int | None = None  # the day of the newest tick
    compared: dict[str, Comparison] = {}  # by topic
    gaps: list[Gap] = []
    days: dict[str, Day] = {}
    records: int = 0
    transactions: int = 0
    unread: str | None = None  # why it does not go on


class _State:
    """What is known of the persons of a partition, as a fold wants it."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._due = DueIndex(progress.rows)
        self.get = progress.rows.get
        self.due = self._due.until

    @property
    def klok(self) -> int | None:
        return self._progress.klok

    def take(self, effects: Effects) -> None:
        rows = self._progress.rows
        for key, row in effects.changes.items():
            self._due.put(key, rows.get(key), row)
            if row is None:
                rows.pop(key, None)
            else:
                rows[key] = row
        self._progress.klok = effects.klok


class Batch:
    """Transactions that are folded together: of one day, under one catalogue, all in the scope or before it."""

    def __init__(self, first: Transaction, *, counts: bool) -> None:
        self.day = day_of(first.timestamp)
        self.catalogus = first.verloop.catalogus
        self.counts = counts
        self.records = self.transactions = 0
        self.next = first.offset
        self.frames: list[tuple[str, Records]] = []
        self.switch = None if first.verloop.omslag is None else first

    def fits(self, t: Transaction, *, counts: bool) -> bool:
        """Whether a transaction may be folded with these."""
        return (
            self.switch is None
            and t.verloop.omslag is None
            and (self.records < _BATCH, self.day, self.catalogus, self.counts) == (True, day_of(t.timestamp), t.verloop.catalogus, counts)
        )

    def add(self, topic: str, records: Records) -> None:
        """Records that were taken next."""
        self.records += len(records.offsets)
        if self.frames and self.frames[-1][0] == topic:
            self.frames[-1][1].add(records)
        elif records.offsets:
            self.frames.append((topic, records))

    @property
    def runs(self) -> list[Frame]:
        """What is to be folded."""
        return [(topic, records.run) for topic, records in self.frames]


class PartitionReplay:
    """Replays one partition; ``progress`` may be kept at any moment between two calls of ``step``."""

    def __init__(
        self,
        archive: Archive,
        toepassing: str,
        partition: int,
        scope: Scope,
        catalogue: Callable[[str], Catalogue],
        judge: Judge,
        progress: Progress,
    ) -> None:
        self.progress = progress
        self._archive, self._toepassing, self._partition, self._scope = archive, toepassing, partition, scope
        self._catalogue = catalogue
        self._judge = judge
        self.last: Transaction | None = None  # that was replayed
        self._codecs: dict[str, Codec] = {}
        self._folders: dict[str, Folder] = {}
        self._sources: dict[str, Source] = {}
        self._state = _State(progress)

    def run(self) -> Iterator[int]:
        """Replay to the end of the scope; tells after each batch how many records it had. Stops where the archive cannot be read."""
        try:
            for batch in self._batches():
                self._work(batch)
                yield batch.records
        except ArchiveError as e:
            self.progress.unread = str(e)

    def _batches(self) -> Iterator[Batch]:
        batch: Batch | None = None
        for t in transactions(self._archive, self._toepassing, self._partition, self.progress.next):
            if self._scope.is_behind(t):
                break
            counts = not self._scope.is_before(t)
            if batch is not None and not batch.fits(t, counts=counts):
                yield batch
                batch = None
            batch = batch or Batch(t, counts=counts)
            for taken in t.verloop.genomen:
                batch.add(taken.topic, self._records(t, taken))
            batch.transactions += 1
            batch.next = t.offset + 1
            self.last = t
        if batch is not None:
            yield batch

    def _records(self, t: Transaction, taken: Taken) -> Records:
        at = self.progress.position.get(taken.topic, 0)
        source = self._sources.get(taken.topic)
        if source is None:
            source = self._sources[taken.topic] = Source(self._archive, taken.topic, self._partition, at)
        records = source.take(taken.end)
        gap = gap_of(t.offset, taken, at, records.offsets)
        if gap is not None:
            self.progress.gaps.append(gap)
        self.progress.position[taken.topic] = max(at, taken.end)
        return records

    def _work(self, batch: Batch) -> None:
        progress = self.progress
        if batch.switch is None:
            effects = self._folder(batch.catalogus).fold(self._state, self._partition, batch.runs)
        else:
            effects = self._switched(batch.switch)
        self._state.take(effects)
        made = self._judge.take(effects, progress.compared, self._codec(batch.catalogus), counts=batch.counts)
        if batch.counts:
            day = progress.days.setdefault(batch.day, Day())
            day.records += batch.records
            day.made += made
        progress.next = batch.next
        progress.records += batch.records
        progress.transactions += batch.transactions

    def _folder(self, version: str) -> Folder:
        if version not in self._folders:
            self._folders[version] = Folder(self._catalogue(version), self._toepassing)
        return self._folders[version]

    def _switched(self, t: Transaction) -> Effects:
        omslag, version = t.verloop.omslag, t.verloop.catalogus
        assert omslag is not None  # noqa: S101 - the caller has looked
        place = Place(verloop_topic(self._toepassing), self._partition, t.offset)
        try:
            switch = PartitionSwitch(self._folder(omslag.van), self._folder(version), self._codec(version))
            needed = switch.needed(self.progress.rows)
            values = {topic: values_at(self._archive, topic, self._partition, offsets) for topic, offsets in needed.items()}
            return switch.effects(self.progress.rows, self.progress.klok, omslag, place, values)
        except SwitchError as e:
            raise ArchiveError(f"{place}: {e}") from e

    def _codec(self, version: str) -> Codec:
        if version not in self._codecs:
            self._codecs[version] = Codec(self._catalogue(version))
        return self._codecs[version]
