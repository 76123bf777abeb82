"""The records of one partition as an archive holds them beside what its log says of each: what was changed, removed, added or moved."""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Final

import msgspec

from streams.audit.archive import Archive
from streams.proof.checkpoint import Log
from streams.proof.entry import Entry, entry_of
from streams.proof.merkle import Frontier, leaf_hash
from streams.proof.salvage import salvaged
from streams.proof.tiles import Tiles, TilesError


class Kind(StrEnum):
    """What is wrong."""

    CHANGED = "changed"  # the record at this offset is another than was logged
    REMOVED = "removed"  # a record that was logged is not there
    ADDED = "added"  # a record is there that was not logged
    MOVED = "moved"  # a record that was logged stands elsewhere
    UNREADABLE = "unreadable"  # a record that was logged is in a part of a file that cannot be read
    FILE = "file"  # a file of the archive is not as it was written
    HASHES = "hashes"  # what is kept beside the archive to compare with was changed
    CHECKPOINT = "checkpoint"  # a checkpoint or a signature is not what it should be


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong; of records that follow one another in the log, one finding."""

    kind: Kind
    topic: str
    partition: int
    first: int | None  # offsets
    last: int | None
    text: str

    @property
    def place(self) -> str:
        """Where, for people."""
        where = f"{self.topic}-{self.partition}"
        if self.first is None:
            return where
        return f"{where}@{self.first}" if self.first == self.last else f"{where}@{self.first}..{self.last}"


class Difference(msgspec.Struct):
    """A place at which log and archive differ."""

    index: int
    logged: Entry | None
    held: Entry | None
    last: int = -1  # offset of the last of a run of records that are not there


class Compared(msgspec.Struct):
    """What came of one partition."""

    covered: int = 0  # records that a checkpoint covers and that are there as they were logged
    gone: int = 0  # that are no longer there, and are older than they have to be kept
    not_archived: int = 0  # that the log has, and the archive not yet
    later: int = 0  # that stand behind all that a checkpoint covers
    findings: list[Finding] = []


class Rows:
    """The rows of a partition in the order of their offsets; on the way it notes what is wrong with their files."""

    def __init__(self, archive: Archive, log: Log) -> None:
        self._archive, self._log = archive, log
        self.broken: list[tuple[int, int, str]] = []  # offsets that a file had, and what is wrong with it
        self.findings: list[Finding] = []

    def __iter__(self) -> Iterator[Entry]:
        for file in self._archive.files_of(*self._log):
            found = salvaged(self._archive.folder, file)
            if found.fault is not None:
                self.broken.append((file.first, file.last, found.fault))
                self.findings.append(Finding(Kind.FILE, *self._log, file.first, file.last, found.fault))
            before = -1
            for row in found.rows:
                if row.offset < before:
                    text = f"it stands behind the record of offset {before} in {file.file}"
                    self.findings.append(Finding(Kind.MOVED, *self._log, row.offset, row.offset, text))
                before = max(before, row.offset)
            yield from (entry_of(*row) for row in sorted(found.rows, key=lambda r: r.offset))


class Comparison:
    """Walks along a log and its rows, and meets the checkpoints on the way."""

    def __init__(self, log: Log, rows: Rows, roots: Mapping[int, bytes], binding: int, kept_since: int) -> None:
        """``roots``: size → root, of checkpoints; ``binding``: the size until which the archive has to hold all.

        ``kept_since``: a record older than this (milliseconds since the epoch) may be gone, together with all before it.
        """
        self.result = Compared()
        self._log, self._rows, self._roots = log, rows, roots
        self._binding, self._kept_since = binding, kept_since
        self._logged = Frontier()  # the tree by what is kept of it
        self._held: Frontier | None = None  # the tree by the rows, where these differ since the last checkpoint
        self._differences: list[Difference] = []
        self._open = 0  # the first difference since the last checkpoint that was met
        self._proven = 0  # leaves until that
        self._begun = self._unproven = False

    def run(self, tiles: Tiles) -> Compared:
        """Compare all."""
        rows, covered = iter(self._rows), -1
        row = next(rows, None)
        try:
            for entry in tiles.entries(0, max(self._roots)):
                while row is not None and row.offset < entry.offset:
                    self._differ(None, row)
                    row = next(rows, None)
                there = row is not None and row.offset == entry.offset
                self._step(entry, row if there else None)
                covered = entry.offset
                if there:
                    row = next(rows, None)
        except TilesError as e:
            self.result.findings.append(Finding(Kind.HASHES, *self._log, None, None, f"{e}: nothing from here on can be compared"))
            self._unproven = True
        while row is not None:
            if row.offset <= covered:  # a second one at the offset of the last
                self._differ(None, row)
            else:
                self.result.later += 1
            row = next(rows, None)
        self.result.findings += [*self._rows.findings, *_findings(self._log, self._differences, self._rows.broken)]
        return self.result

    def _step(self, logged: Entry, held: Entry | None) -> None:
        if held is None and not self._begun and logged.timestamp < self._kept_since:
            self.result.gone += 1
        elif held is None and self._logged.size >= self._binding:
            self.result.not_archived += 1
        elif held != logged:
            self._differ(logged, held)
        else:
            self.result.covered += 1
        self._begun = self._begun or held is not None
        leaf = leaf_hash(logged.data)
        if held is not None and held != logged and self._held is None:
            self._held = self._logged.copy()
        if self._held is not None:
            self._held.add(leaf if held is None or held == logged else leaf_hash(held.data))
        self._logged.add(leaf)
        if (root := self._roots.get(self._logged.size)) is not None and not self._unproven:
            self._meet(root, logged.offset)

    def _meet(self, root: bytes, offset: int) -> None:
        """A checkpoint says which of the two is right."""
        if self._logged.root != root:
            if self._held is not None and self._held.root == root:
                self._acquit()
                self._logged = self._held
            else:
                self._unproven = True
                text = f"the hashes kept of {self._proven} to {self._logged.size} do not give the root that the checkpoint has signed"
                self.result.findings.append(Finding(Kind.HASHES, *self._log, None, offset, text))
        self._held, self._proven, self._open = None, self._logged.size, len(self._differences)

    def _acquit(self) -> None:
        """The records are what the checkpoint has signed: it is what was kept of them that was changed."""
        for d in self._differences[self._open :]:
            if d.held is not None and d.logged is not None:
                text = "the hash kept of this record was changed; the record is as the checkpoint has signed"
                self.result.findings.append(Finding(Kind.HASHES, *self._log, d.held.offset, d.held.offset, text))
                self.result.covered += 1
        self._differences[self._open :] = [d for d in self._differences[self._open :] if d.held is None or d.logged is None]

    def _differ(self, logged: Entry | None, held: Entry | None) -> None:
        last = self._differences[-1] if self._differences else None
        index = self._logged.size
        if logged is not None and held is None and last is not None and last.held is None and last.index + 1 == index:
            last.index, last.last = index, logged.offset
        else:
            self._differences.append(Difference(index, logged, held, -1 if logged is None else logged.offset))


def _findings(log: Log, differences: Iterable[Difference], broken: Iterable[tuple[int, int, str]]) -> Iterator[Finding]:
    differences = list(differences)
    home: Final = {d.logged.digest: d.logged.offset for d in differences if d.logged is not None}
    for d in differences:
        if d.held is None and d.logged is not None:
            fault = next((f for first, last, f in broken if first <= d.logged.offset <= last), None)
            text = "logged, and not there" if fault is None else f"logged, and cannot be read: {fault}"
            yield Finding(Kind.REMOVED if fault is None else Kind.UNREADABLE, *log, d.logged.offset, d.last, text)
        elif d.held is not None:
            yield _of_held(log, d.logged, d.held, home.get(d.held.digest))


def _of_held(log: Log, logged: Entry | None, held: Entry, home: int | None) -> Finding:
    at = held.offset
    if home is not None and home != at:
        return Finding(Kind.MOVED, *log, at, at, f"this is the record of offset {home}")
    if logged is None:
        return Finding(Kind.ADDED, *log, at, at, "it was not logged")
    what = "its time" if logged.digest == held.digest else "its key, value or headers"
    return Finding(Kind.CHANGED, *log, at, at, f"{what} were not so when it was logged")
