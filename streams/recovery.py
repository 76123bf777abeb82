"""Restoring: the rows of one partition's changelog into its store, with the progress told and a standstill ended.

The changelog is compacted, so that reading it takes about as long as the state is large; nothing else is kept of it on a disk.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import TopicPartition

from schemas.brokers import client_options
from streams.clients import Clients
from streams.crash_points import crash_point
from streams.native.newest import newest_of
from streams.records import Run
from streams.settings import EngineSettings
from streams.store import PartitionStore

_FETCH_BYTES = 8_388_608  # the largest message that the topic takes
_POLL_MS = 200
_CLOSE_SECONDS = 3.0


class RecoveryError(Exception):
    """Kafka did not give what a partition needs to be opened; the text says what."""


@dataclass
class Progress:
    """How far the restoring of one partition is."""

    rows: int = 0  # that were read
    begin: int = 0
    at: int = 0  # offset of the changelog; what the broker cleaned up stands between the rows and takes no time
    end: int | None = None  # None: not known yet

    @property
    def percent(self) -> int:
        """Of the offsets to be read."""
        if self.end is None:
            return 0
        return 100 if self.at >= self.end else 100 * (self.at - self.begin) // (self.end - self.begin)


@asynccontextmanager
async def patience(settings: EngineSettings, complaint: str) -> AsyncIterator[None]:
    """Give the block as long as a standstill may last; raises RecoveryError with ``complaint``. aiokafka would try for ever."""
    try:
        async with asyncio.timeout(settings.stall_timeout):
            yield
    except TimeoutError:
        raise RecoveryError(f"{complaint} within {settings.stall_timeout:g} s") from None


async def restore(settings: EngineSettings, clients: Clients, partition: int, store: PartitionStore, progress: Progress) -> None:
    """Bring ``store`` from its position to the end of the committed rows; raises LayoutError, and RecoveryError when nothing comes.

    May be cancelled: the store then holds the rows up to its position, and goes on from there.
    """
    tp = TopicPartition(settings.changelog, partition)
    consumer = clients.rows(
        **client_options(settings.brokers),
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="none",  # rows that are gone before they were read are an error, not an end
        max_partition_fetch_bytes=_FETCH_BYTES,
    )
    try:
        async with patience(settings, f"Kafka did not say what {tp.topic} holds of partition {partition}"):
            await consumer.start()
            consumer.assign([tp])
            end = (await consumer.end_offsets([tp]))[tp]
            progress.begin = progress.at = max(store.position, (await consumer.beginning_offsets([tp]))[tp])
        progress.end = end
        consumer.seek(tp, progress.begin)
        async for runs in _runs(settings, consumer, tp, progress):
            for run in runs:
                store.restore(newest_of(run))
                crash_point("during-recovery")
            store.position = progress.at
        store.restored()
    finally:
        # aiokafka may answer that tasks of its own were cancelled, or wait for a broker that is gone: what failed before is what counts.
        await asyncio.gather(asyncio.wait_for(consumer.stop(), _CLOSE_SECONDS), return_exceptions=True)


async def _runs(settings: EngineSettings, consumer: Any, tp: TopicPartition, progress: Progress) -> AsyncIterator[Sequence[Run]]:  # noqa: ANN401
    """What each fetch brings, until the end is reached."""
    end, moved = progress.end or 0, time.monotonic()
    while progress.at < end:
        runs = (await consumer.getmany(timeout_ms=_POLL_MS)).get(tp, ())
        now, position = time.monotonic(), await consumer.position(tp)
        if position > progress.at:
            progress.rows, progress.at, moved = progress.rows + sum(map(len, runs)), position, now
            yield runs
        elif now - moved > settings.stall_timeout:
            raise RecoveryError(
                f"partition {tp.partition}: nothing came of {tp.topic} for {settings.stall_timeout:g} s, "
                f"at {progress.percent} % and offset {progress.at} of {end}"
            )
