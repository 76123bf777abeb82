"""Logs on the disk, a folder each, that grow with what Kafka holds of their partitions."""

import fcntl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from aiokafka import TopicPartition

from schemas.checkpoints import CHECKPOINTS
from schemas.disk import write_whole
from schemas.quarantine import QUARANTAINE
from schemas.sources import PLAIN, overdrachten_topic
from schemas.verloop import verloop_topic
from streams.audit.committed import Committed, Span
from streams.proof.checkpoint import Checkpoint, Keys, Log, checkpoint_of, opened
from streams.proof.entry import entry_of
from streams.proof.note import Note, NoteError, Verifier, note_of
from streams.proof.published import Published, claims
from streams.proof.tiles import Tiles, TilesError, TilesWriter

CHECKPOINT: Final = "checkpoint"
COUNTERSIGNED: Final = "countersigned"  # the newest checkpoint that a cosigner has signed, besides


class LogError(Exception):
    """A log cannot be kept or read; the text says which and why."""


def is_logged(topic: str, toepassing: str) -> bool:
    """Whether a log is kept of a topic: of what came in, what was sent, and the order in which the engine took it."""
    return topic.startswith(("mutaties.", "signalen.")) or topic in {
        *PLAIN,
        QUARANTAINE,
        verloop_topic(toepassing),
        overdrachten_topic(toepassing),
    }


class GrowingLog:
    """The tree of one partition: at the size of its checkpoint, and beyond it what was read since. A ``Taker``."""

    def __init__(self, folder: Path, log: Log, signer: Verifier) -> None:
        self.log = log
        self.folder = folder_of(folder, log)
        self.origin = log.origin(signer.name)
        self.note = read_checkpoint(self.folder)
        self.checkpoint = Checkpoint(self.origin, 0, b"") if self.note is None else opened(self.note, signer)
        try:
            self.tiles = Tiles(self.folder)
            if self.checkpoint.origin != self.origin or (self.note and self.tiles.root(self.checkpoint.size) != self.checkpoint.root):
                raise LogError(f"{self.folder}: the hashes there are not those of the checkpoint of {self.origin}")
            self._writer = TilesWriter(self.folder, self.checkpoint.size)
        except TilesError as e:
            raise LogError(str(e)) from e

    @property
    def size(self) -> int:
        """Leaves, with those that no checkpoint counts yet."""
        return self._writer.size

    @property
    def next(self) -> int:
        """The offset behind the last leaf."""
        return self._writer.last_offset + 1

    def take(self, record: Any) -> None:  # noqa: ANN401 - aiokafka's ConsumerRecord
        """A leaf more."""
        self._writer.add(entry_of(record.offset, record.timestamp, record.key, record.value, record.headers))

    def close(self) -> None:
        """Make what came readable; it counts once a checkpoint names it."""
        self._writer.write_edge()

    def abandon(self) -> None:
        """Nothing is to be undone: what no checkpoint names does not count."""

    def keep(self, note: Note, checkpoint: Checkpoint) -> None:
        """Let a checkpoint count, once all that it names is on the disk; the edge of the tree that was before it goes."""
        before, self.note, self.checkpoint = self.checkpoint, note, checkpoint
        write_whole(self.folder / CHECKPOINT, str(note).encode())
        self._writer.forget_narrow(before.size)

    def keep_countersigned(self, note: Note) -> None:
        """Keep an earlier checkpoint, or this one, beside it for the signatures below it; raises LogError when it is of another tree."""
        found = checkpoint_of(note.text)
        if found.size > self.size or self.tiles.root(found.size) != found.root:
            raise LogError(f"{self.origin}: the checkpoint of size {found.size} that was countersigned is of another history")
        if read_checkpoint(self.folder, COUNTERSIGNED) != note:
            write_whole(self.folder / COUNTERSIGNED, str(note).encode())


def folder_of(folder: Path, log: Log) -> Path:
    """Where a log stands among others."""
    return folder / log.topic / str(log.partition)


def logs_in(folder: Path) -> list[Log]:
    """The logs in a folder."""
    return sorted(Log(p.parent.parent.name, int(p.parent.name)) for p in folder.glob(f"*/*/{CHECKPOINT}") if p.parent.name.isdigit())


def read_checkpoint(folder: Path, name: str = CHECKPOINT) -> Note | None:
    """The checkpoint in the folder of a log, no signature verified; None when there is none yet. Raises NoteError."""
    try:
        return note_of((folder / name).read_bytes())
    except FileNotFoundError:
        return None
    except OSError as e:
        raise NoteError(f"{folder / name}: {e.strerror}") from e


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Nobody else keeps logs in ``folder`` until the end of the block; raises LogError."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LogError(f"{folder}: another process keeps the logs there") from None
        yield


async def read_checkpoints(committed: Committed, published: Published, keys: Keys) -> list[str]:
    """Take what is new on the topic of the checkpoints; what is wrong there, by its place."""
    faults: list[str] = []

    class _Reader:
        def take(self, record: Any) -> None:  # noqa: ANN401 - aiokafka's ConsumerRecord
            try:
                published.take(record.value, record.headers, keys)
            except NoteError as e:
                if claims(record.key, keys.signer):
                    faults.append(f"{record.topic}-{record.partition}@{record.offset}: {e}")
            published.next = record.offset + 1

        def close(self) -> None:
            pass

        def abandon(self) -> None:
            pass

    spans = await committed.spans([CHECKPOINTS], lambda _topic, _partition: published.next)
    await committed.read(spans, lambda _tp: _Reader())
    return faults


async def grow(
    committed: Committed,
    folder: Path,
    signer: Verifier,
    topics: Sequence[str],
    told: Callable[[int, int], None] = lambda _done, _of: None,
) -> tuple[list[GrowingLog], list[str]]:
    """The logs of ``topics``, grown by all that Kafka holds now, and what it lost before its log had it. Raises LogError, NoteError."""
    logs: dict[TopicPartition, GrowingLog] = {}

    def log_of(topic: str, partition: int) -> GrowingLog:
        tp = TopicPartition(topic, partition)
        if tp not in logs:
            logs[tp] = GrowingLog(folder, Log(topic, partition), signer)
        return logs[tp]

    spans = await committed.spans(topics, lambda topic, partition: log_of(topic, partition).next)
    await committed.read(spans, lambda tp: log_of(*tp), told)
    lost = [f"{tp.topic}-{tp.partition}: {s.start} to {s.begin - 1}" for tp, s in spans.items() if _is_lost(s)]
    return [log for log in logs.values() if log.size], lost


def _is_lost(span: Span) -> bool:
    """A log may begin late; once begun, it has every record."""
    return 0 < span.start < span.begin
