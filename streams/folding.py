"""The one core of a worker, which its partitions use in turn: a large fold goes beside the loop, on a thread of its own."""

import asyncio
import time
from collections.abc import Sequence
from typing import NamedTuple

from streams.effects import Effects, Encoded, Row
from streams.fold import Folder, Frame
from streams.store import PartitionStore

_APART = 1_000  # records: the loop can wait for fewer, and a signal need not pay for the way to a thread and back


class Folded(NamedTuple):
    """What frames lead to."""

    effects: Effects
    rows: list[Row | Encoded]  # for the changelog
    seconds: float  # that it took, without the wait for the core


class Folding:
    """While the native core works it needs no Python: the loop goes on with what other partitions send and fetch."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._turn = asyncio.Lock()

    @property
    def catalogus(self) -> str:
        """The version of the catalogue."""
        return self._folder.catalogus

    async def fold(self, store: PartitionStore, partition: int, frames: Sequence[Frame]) -> Folded:
        """What ``frames`` lead to; raises CorruptRecordException. ``store`` must stay as it is until then."""
        async with self._turn:
            if sum(len(run) for _, run in frames) < _APART:
                return self._fold(store, partition, frames)
            folding = asyncio.get_running_loop().run_in_executor(None, self._fold, store, partition, frames)
            try:
                return await asyncio.shield(folding)
            finally:
                await asyncio.wait({folding})  # also when cancelled: nobody else may have the core before

    def _fold(self, store: PartitionStore, partition: int, frames: Sequence[Frame]) -> Folded:
        begin = time.monotonic()
        effects = self._folder.fold(store, partition, frames)
        rows = self._folder.finished(store.rows_of(effects))
        return Folded(effects, rows, time.monotonic() - begin)
