"""One partition of the persons at work: frames come in, are folded, and their effects are committed one transaction at a time."""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Protocol

import structlog
from aiokafka.errors import CorruptRecordException, ProducerFenced

from streams.crash_points import crash_point
from streams.fold import Frame
from streams.folding import Folding
from streams.log import PartitionLog
from streams.metrics import Metrics
from streams.records import Run
from streams.recovery import Progress
from streams.settings import EngineSettings
from streams.store import PartitionStore
from streams.verloop import verloop_row

log = structlog.get_logger()

_LITTLE = 8  # so many times as much is held as is left


class State(StrEnum):
    """How far a partition is."""

    RESTORING = "restoring"  # the worker before is fenced, the state is read
    OPEN = "open"  # it takes frames
    LOST = "lost"  # another worker has it, or the transaction failed


class UnreadableError(Exception):
    """A batch breaks Kafka's own format; the text says where it stands, without data of a record."""


class Owner(Protocol):
    """Who is told how a partition fares."""

    metrics: Metrics

    @property
    def transaction_records(self) -> int:
        """How many records a transaction waits for at most."""

    def opened(self) -> None:
        """A partition is ready to take frames."""

    def records_behind(self, topic: str, partition: int, offset: int) -> int:
        """How many records stand in the log from ``offset`` on, as far as is known."""

    def fail(self, error: Exception) -> None:
        """A partition met what the worker may not survive."""


class Partition:
    """Takes frames of all source topics of one partition number.

    All frames that wait are taken together into one transaction: under load it grows, at rest a record goes at once. While more than a
    frame stands behind in the log, or little of much, a transaction waits a moment for it: to Kafka, a large one costs little more than a
    small one.
    """

    def __init__(
        self,
        number: int,
        settings: EngineSettings,
        folding: Folding,
        store: PartitionStore,
        kafka: PartitionLog,
        owner: Owner,
    ) -> None:
        self.number = number
        self.store = store
        self._folding = folding
        self._log = kafka
        self._owner = owner
        self._frames: asyncio.Queue[Frame] = asyncio.Queue(settings.backlog_frames)
        self._settings = settings
        self._next: dict[tuple[str, int], int] = {}
        self._verloop = settings.verloop
        self._stop = asyncio.Event()
        self._task = asyncio.create_task(self._run(), name=f"partition-{number}")
        self.state = State.RESTORING
        self.fenced_out = False
        self.busy_since: float | None = None  # on the monotonic clock, while a transaction is under way
        self._watch: asyncio.TimerHandle | None = None  # ends the worker when Kafka does not take a lost partition away from it

    @property
    def committed(self) -> Mapping[tuple[str, int], int]:
        """The offset from which each source topic is read on; empty until the partition is open."""
        return self._next

    @property
    def progress(self) -> Progress:
        """How far the restoring is."""
        return self._log.progress

    @property
    def has_room(self) -> bool:
        """Whether less than half of what may wait does; frames that are on their way from the fetch find room in the other half."""
        return 2 * self._frames.qsize() < self._settings.backlog_frames

    async def offer(self, topic: str, records: Run) -> None:
        """Hand over a frame; waits while too much work stands before it."""
        if not self._stop.is_set():
            await self._frames.put((topic, records))

    async def close(self) -> None:
        """Finish the transaction under way, start no other, and give the partition up; one that is being restored at once."""
        self._stop.set()
        if self.state is State.RESTORING:
            self._task.cancel()
        await asyncio.wait({self._task})
        if self._watch is not None:
            self._watch.cancel()

    async def _run(self) -> None:
        try:
            begin = time.monotonic()
            self._next = await self._log.open(self.store)
            self.state = State.OPEN
            self._owner.metrics.opened(time.monotonic() - begin, self.progress.rows)
            log.info("partition ready", partition=self.number, persons=self.store.persons)
            self._owner.opened()
            while (frames := await self._take()) is not None:
                await self._work(frames)
            await self._log.tell_group()  # who has the partition next need not fetch again what is done
        except ProducerFenced as e:
            self.fenced_out = True
            self._owner.metrics.lost.inc()
            log.warning("partition lost to another worker", partition=self.number)
            self._watch = asyncio.get_running_loop().call_later(2 * self._settings.session_timeout, self._owner.fail, e)
        except asyncio.CancelledError:
            if not self._stop.is_set():  # not by close(): a library took back what was waited for
                self._owner.fail(RuntimeError(f"the work of partition {self.number} was cancelled"))
            raise
        except Exception as e:  # noqa: BLE001 - fail-stop: whatever it is, the worker ends and says so
            self._owner.fail(e)
        finally:
            self.state = State.LOST
            self._stop.set()
            while not self._frames.empty():  # let go of who waits in offer()
                self._frames.get_nowait()
            await self._log.close()

    async def _take(self) -> list[Frame] | None:
        """The frames of one transaction, at least one; None when the partition is to be given up."""
        frames: list[Frame] = []
        patience: float | None = None
        frame = await self._first_frame()
        while frame is not None:
            frames.append(frame)
            while not self._frames.empty():
                frames.append(self._frames.get_nowait())
            if patience is None:
                late = time.monotonic() + self._settings.linger
            patience = late - time.monotonic()
            if patience <= 0 or not self._is_worth_a_wait(frames):
                break
            frame = await self._frame(patience)
        return None if self._stop.is_set() else frames

    async def _first_frame(self) -> Frame | None:
        """The next frame, however long it takes; when none comes the consumer group is told what it does not know yet."""
        if self._log.group_is_behind:
            frame = await self._frame(self._settings.group_patience)
            if frame is not None or self._stop.is_set():
                return frame
            await self._log.tell_group()
        return await self._frame(None)

    async def _frame(self, patience: float | None) -> Frame | None:
        """The next frame; None when there was none within ``patience`` seconds, or the partition is to be given up."""
        get, stop = asyncio.create_task(self._frames.get()), asyncio.create_task(self._stop.wait())
        await asyncio.wait((get, stop), timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if get.done():
            return get.result()
        get.cancel()
        return None

    def _is_worth_a_wait(self, frames: list[Frame]) -> bool:
        """Whether what stands behind them in the log should join them: more than a frame does, and of more than a frame the little that is
        left. By itself it would cost a batch for each ontvanger once more."""
        frame, held = self._settings.frame_records, sum(len(run) for _, run in frames)
        if held >= self._owner.transaction_records:
            return False
        ends = {topic: run.following for topic, run in frames}
        left = [self._owner.records_behind(topic, self.number, end) for topic, end in ends.items()]
        return max(left) > frame or (held > frame and 0 < sum(left) <= held // _LITTLE)

    async def _work(self, frames: list[Frame]) -> None:
        try:
            new = joined(self._unseen(frames), self._settings.fold_records)
            if not new:
                return
            self.busy_since = time.monotonic()
            effects, rows, fold = await self._folding.fold(self.store, self.number, new)
        except CorruptRecordException as e:
            raise UnreadableError(self._unreadable(frames)) from e
        folded = time.monotonic()
        effects.send(self._verloop, self.number, verloop_row(self._folding.catalogus, self._next, self.number, new))
        crash_point("after-fold")
        await self._log.commit(effects, self.store, rows)
        self._next.update(effects.offsets)
        self.busy_since = None
        self._owner.metrics.committed(effects, fold=fold, commit=time.monotonic() - folded, now=time.time())

    def _unreadable(self, frames: Iterable[Frame]) -> str:
        """Which of them breaks Kafka's format, and where."""
        for topic, run in frames:
            try:
                for _ in run:
                    pass
            except CorruptRecordException as e:
                return f"{topic}-{self.number}: {e}"
        return f"partition {self.number}: a batch that cannot be read"

    def _unseen(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """The records that are not yet behind the committed offset, each once: after a rebalance Kafka may deliver some again."""
        following = dict(self._next)
        for topic, run in frames:
            unseen = run.since(following[topic, self.number])
            if unseen is not None:
                following[topic, self.number] = unseen.following
                yield topic, unseen


def joined(frames: Iterable[Frame], most: int) -> list[Frame]:
    """The frames of each topic as one, where the first stands: the state of a persoon who is in several is read and written once.

    No frame becomes larger than ``most`` records, or than it was.
    """
    found: list[Frame] = []
    last: dict[str, int] = {}  # topic → where in ``found``
    for topic, run in frames:
        at = last.get(topic)
        whole = None if at is None or len(found[at][1]) + len(run) > most else found[at][1].followed_by(run)
        if at is None or whole is None:
            last[topic] = len(found)
            found.append((topic, run))
        else:
            found[at] = topic, whole
    return found
